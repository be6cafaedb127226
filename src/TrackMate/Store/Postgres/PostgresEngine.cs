using System.Net.Sockets;
using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>A PostgreSQL database, with Citus or without; any number of servers work on it.</summary>
internal sealed class PostgresEngine : Engine
{

    private static readonly Schema Tables = new("postgres");

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnectionStringBuilder settings;
    private ServerPresence? presence;

    private PostgresEngine(NpgsqlConnectionStringBuilder settings)
    {
        this.settings = settings;
        source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    /// <param name="connection">A URL (<c>postgres://user:password@host:5432/database?sslmode=require</c>), or Npgsql's <c>Host=…;Database=…</c>.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static PostgresEngine Of(string connection) => new(PostgresConnection.Read(connection));

    public override string Name => $"The database {settings.Database} at {settings.Host}";

    public override string Place => $"the database {settings.Database} at {settings.Host}";

    public override string HowToFind => "set TRACKMATE_DATABASE to the database of your servers";

    public override bool HasData
    {
        get
        {
            using var database = PostgresDatabase.Open(source);
            return VersionOf(database) > 0;
        }
    }

    public override Database Open() => PostgresDatabase.Open(source);

    public override Database OpenWriter() => PostgresDatabase.Open(source);

    public override Database OpenReader() => PostgresDatabase.Open(source);

    public override bool IsUnavailable(Exception e) => e switch
    {
        // Connections, resources, an operator's intervention, the system itself; read-only is a primary that has become a standby; locks that were waited for in vain.
        PostgresException failure => failure.SqlState[..2] is "08" or "53" or "57" or "58" or "40" || failure.SqlState is "25006" or "55P03",
        NpgsqlException or SocketException or TimeoutException or IOException => true,
        _ => false,
    };

    public override bool IsTransient(Exception e) => e is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public override void Upgrade()
    {
        using var database = PostgresDatabase.Open(source);
        Tables.Apply(
            database,
            () =>
            {
                // One server makes the tables; those that start beside it wait here.
                database.Execute("SELECT pg_advisory_xact_lock(hashtext(current_schema()), 1)");
                database.Execute("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)");
                return VersionOf(database);
            },
            Name,
            (sql, version) =>
            {
                database.Script(sql);
                database.Execute("DELETE FROM schema_version");
                database.Execute($"INSERT INTO schema_version VALUES ({version})");
            });
    }

    public override (long Found, int Known) SchemaOf(Database database) => (VersionOf(database), Tables.Known);

    public override void Serve(Action<IReadOnlyCollection<long>> appended)
    {
        presence = ServerPresence.Announce(source);
        Upgrade();
    }

    public override bool Clean(CancellationToken cancel) => true;

    public override void Dispose()
    {
        presence?.Dispose();
        source.Dispose();
        base.Dispose();
    }

    private static long VersionOf(Database database)
    {
        using (var found = database.Use("SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'schema_version')"))
        {
            found.Next();
            if (found.Long(0) == 0) return 0;
        }

        using var version = database.Use("SELECT COALESCE(MAX(version), 0) FROM schema_version");
        version.Next();
        return version.Long(0);
    }
}
