using Npgsql;

namespace TrackMate.Tests.Running;

/// <summary>
/// Room for one store on PostgreSQL: a schema of its own in the database that all tests share, said by the connection's search path. It goes with the test.
/// A schema rather than a database: on Citus a new database has neither the extension nor the workers. <c>TRACKMATE_TEST_CITUS</c> (key=value) names such a server to use instead of our own.
/// </summary>
/// <remarks>Each connection counts towards the 200 that the server takes: whoever connects disposes its data source, for idle ones stay five minutes.</remarks>
public sealed class PostgresSchema : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder owner;

    private PostgresSchema(string connection, string name)
    {
        owner = new(connection);
        Name = name;
        Connection = new NpgsqlConnectionStringBuilder(connection) { SearchPath = name }.ConnectionString;
    }

    public string Name { get; }

    /// <summary>As Npgsql reads it: <c>Host=…;Port=…;Username=…;Database=…;Search Path=…</c>.</summary>
    public string Connection { get; }

    /// <summary>As libpq and its tools read it: <c>postgres://user@host:port/database?options=-csearch_path%3D…</c>.</summary>
    public string Url
    {
        get
        {
            var password = owner.Password is { } given ? ":" + Uri.EscapeDataString(given) : "";
            return $"postgres://{Uri.EscapeDataString(owner.Username!)}{password}@{owner.Host}:{owner.Port}/{Uri.EscapeDataString(owner.Database!)}?options=-csearch_path%3D{Name}";
        }
    }

    /// <param name="server">One of the test's own; none is the one that all share.</param>
    public static async Task<PostgresSchema> CreateAsync(PostgresServer? server = null)
    {
        var connection = server?.Connection ?? Environment.GetEnvironmentVariable("TRACKMATE_TEST_CITUS") ?? (await PostgresServer.Shared).Connection;
        var schema = new PostgresSchema(connection, RunningServer.Unique("test_"));
        await PostgresServer.AskAsync(connection, $"CREATE SCHEMA {schema.Name}");
        return schema;
    }

    /// <summary>Runs statements in it, as its owner.</summary>
    /// <returns>The first column of the first row; null if there is none.</returns>
    public Task<object?> AskAsync(string sql) => PostgresServer.AskAsync(Connection, sql);

    /// <summary>Fails rather than waits for ever when a transaction is left open in it.</summary>
    public async ValueTask DisposeAsync() => await PostgresServer.AskAsync(owner.ConnectionString, $"SET lock_timeout = '30s'; SET client_min_messages = warning; DROP SCHEMA {Name} CASCADE");
}
