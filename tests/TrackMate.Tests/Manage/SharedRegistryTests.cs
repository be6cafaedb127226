using Npgsql;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Manage;

/// <summary>Verbs and servers on several machines change one registry at the same moment, over a database that may go.</summary>
[OwnStore]
public sealed class SharedRegistryTests : IAsyncLifetime
{
    /// <summary>Transactions that wait for the table, or for what the registry holds of this schema.</summary>
    private const string Waiting = """
        SELECT count(*) FROM pg_locks WHERE NOT granted
          AND (relation = 'token_key'::regclass OR (locktype = 'advisory' AND classid = (CAST(hashtext(current_schema()) AS bigint) & 4294967295)::oid))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-registry-").FullName;
    private readonly List<Registry> registries = [];
    private readonly List<PostgresEngine> engines = [];
    private PostgresSchema schema = null!;

    public async ValueTask InitializeAsync() => schema = await PostgresSchema.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var registry in registries) registry.Dispose();
        foreach (var engine in engines) engine.Dispose();
        await schema.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Of_two_who_add_the_last_token_key_at_once_one_is_refused()
    {
        var (one, other) = (Open(), Open());
        var company = one.AddCompany("TM-SHOP99", "Shop");
        one.AddTokenKey(company, "first", TokenAlgorithm.EdDSA, [1]);
        await using var connection = new NpgsqlConnection(schema.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var holding = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await AskAsync(connection, "LOCK TABLE token_key IN EXCLUSIVE MODE");

        var adding = new[] { one, other }.Select((registry, number) => Task.Run(() => registry.AddTokenKey(company, $"{number}", TokenAlgorithm.EdDSA, [2]))).ToList();
        await Eventually.TrueAsync(async () => await AskAsync(connection, Waiting) is 2L, () => "They do not wait for each other.");
        await holding.CommitAsync(TestContext.Current.CancellationToken);

        await Task.WhenAll(adding.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));
        Assert.Contains("which is all it may", Assert.IsType<CommandFailedException>(Assert.Single(adding, task => task.IsFaulted).Exception!.InnerException).Message);
        Assert.Equal(2, one.TokenKeysOf(company).Count);
    }

    [Fact]
    public async Task A_key_that_was_committed_is_told_whatever_becomes_of_the_database_then()
    {
        var registry = Open();
        var company = registry.AddCompany("TM-SHOP99", "Shop");
        await using var connection = new NpgsqlConnection(schema.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        // The last thing of the transaction takes away what would be asked after it.
        await AskAsync(connection, """
            CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ALTER TABLE registry_version RENAME TO hidden; RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER hide AFTER INSERT ON api_key DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hide()
            """);

        var key = registry.AddKey(company, "a test", Scopes.All);

        Assert.Equal(1L, await AskAsync(connection, "SELECT count(*) FROM api_key"));
        Assert.Equal(company.Number, registry.FindKey(key)!.Value.Company.Number);
        Assert.ThrowsAny<NpgsqlException>(() => registry.Refresh());
    }

    private Registry Open()
    {
        engines.Add(PostgresEngine.Of(schema.Connection));
        registries.Add(new Installation(engines[^1], folder).MakeRegistry(TimeProvider.System));
        return registries[^1];
    }

    private static async Task<object?> AskAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
