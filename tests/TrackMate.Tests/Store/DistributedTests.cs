using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>
/// What TrackMate does otherwise where it finds Citus. It stands in the catalogue here and has a function that notes which tables it was asked to distribute; one
/// machine holds them all, and whether it takes a company's messages is said by a trigger. So every run of the tests sees how companies are kept apart; what Citus
/// takes of SQL, and what goes straight to a worker, needs a cluster (TRACKMATE_TEST_CITUS, CitusFaultTests).
/// </summary>
[OwnStore]
public sealed class DistributedTests : IAsyncLifetime
{
    /// <summary>Two that share one of a server's writers.</summary>
    private const int Here = 1, Away = 9;

    /// <summary>While it is held, the machine of <see cref="Away"/> does not answer.</summary>
    private const string Answers = "pg_advisory_xact_lock(4711)";

    private PostgresServer server = null!;
    private PostgresSchema schema = null!;

    public async ValueTask InitializeAsync()
    {
        server = await PostgresServer.StartAsync(new() { Fsync = false, Settings = new Dictionary<string, string> { ["wal_level"] = "logical" } });
        schema = await PostgresSchema.CreateAsync(server);
        await server.ExecuteAsync("INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '12.1')");
        await schema.AskAsync($"""
            CREATE TABLE pg_dist_partition (logicalrelid regclass, partkey text, colocated text, place serial);
            CREATE FUNCTION create_distributed_table(asked regclass, partkey text, colocate_with text) RETURNS void LANGUAGE sql AS 'INSERT INTO pg_dist_partition VALUES (asked, partkey, colocate_with)';
            CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text);
            CREATE TABLE pg_dist_placement (shardid bigint, groupid int);
            CREATE TABLE pg_dist_node (nodeid int, groupid int, nodename text, nodeport int, noderole text, isactive boolean, hasmetadata boolean, metadatasynced boolean);
            ALTER TABLE pg_dist_partition ADD colocationid int;
            CREATE FUNCTION get_shard_id_for_distribution_column(asked regclass, value bigint) RETURNS bigint LANGUAGE sql AS 'SELECT NULL::bigint';
            CREATE TABLE machine (is_gone boolean);
            INSERT INTO machine VALUES (false);
            CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF NEW.company = {Away} THEN
                IF (SELECT is_gone FROM machine) THEN RAISE 'the machine is gone' USING ERRCODE = '08006'; END IF;
                PERFORM {Answers.Replace("xact_lock", "xact_lock_shared", StringComparison.Ordinal)};
              END IF;
              RETURN NEW;
            END $$;
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await schema.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Every_table_of_a_company_is_distributed_and_a_server_does_all_it_does()
    {
        await using var servers = await SharedServers.StartAsync(1, schema.Connection);
        var running = servers[0];
        using var trackmate = servers.Beside(running);

        Assert.Equal(("message", "none"), ((string)(await schema.AskAsync("SELECT logicalrelid::text FROM pg_dist_partition ORDER BY place LIMIT 1"))!, (string)(await schema.AskAsync("SELECT colocated FROM pg_dist_partition ORDER BY place LIMIT 1"))!));
        Assert.Equal(0L, await schema.AskAsync("SELECT count(*) FROM pg_dist_partition WHERE partkey <> 'company' OR colocated <> CASE WHEN logicalrelid = 'message'::regclass THEN 'none' ELSE 'message' END"));
        Assert.Equal("claim,identifier,message,session,span", await schema.AskAsync("SELECT string_agg(logicalrelid::text, ',' ORDER BY logicalrelid::text) FROM pg_dist_partition WHERE logicalrelid::text IN ('message', 'session', 'identifier', 'claim', 'span', 'member', 'api_key', 'suppressed', 'erasure')"));

        await trackmate.DoAsync($"demo --url {running.Address} --company {ServerProcess.CompanyId} --api-key {ServerProcess.ApiKey}");
        Assert.All((await trackmate.DoAsync("doctor")).Trim().Split('\n'), line => Assert.StartsWith("ok ", line));
        await schema.AskAsync("UPDATE span SET to_ms = 0");
        Assert.Contains("of span", (await trackmate.RunAsync("doctor")).Output);
        Assert.Equal(0L, await schema.AskAsync("SELECT count(*) FROM pg_class WHERE relname LIKE 'kept_%'"));
    }

    [Fact]
    public async Task A_company_whose_machine_does_not_answer_holds_no_other_up()
    {
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        await schema.AskAsync("CREATE TRIGGER answer BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION answer()");

        await schema.AskAsync("UPDATE machine SET is_gone = true");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AppendAsync(store, Away, "evt_1"));

        await schema.AskAsync("UPDATE machine SET is_gone = false");
        await using var machine = new NpgsqlConnection(schema.Connection);
        await machine.OpenAsync(TestContext.Current.CancellationToken);
        await using var silence = await machine.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand($"SELECT {Answers}", machine, silence)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        // Its writer waits for the machine, and nobody else does.
        var waiting = AppendAsync(store, Away, "evt_2");
        await Eventually.TrueAsync(async () => await schema.AskAsync("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted") is 1L, () => "Nobody waits.");
        Assert.Null(store.Failure);
        await AppendAsync(store, Here, "evt_3");
        Assert.False(waiting.IsCompleted);

        await silence.CommitAsync(TestContext.Current.CancellationToken);
        await waiting;
        await AppendAsync(store, Away, "evt_4");
        Assert.Equal("1 evt_3,9 evt_2,9 evt_4", await schema.AskAsync("SELECT string_agg(company || ' ' || event_id, ',' ORDER BY company, event_id) FROM message"));
    }

    [Fact]
    public async Task What_was_queued_for_a_machine_that_is_gone_takes_nothing_of_other_companies_with_it()
    {
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        await schema.AskAsync("CREATE TRIGGER answer BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION answer()");
        await schema.AskAsync("UPDATE machine SET is_gone = true");

        var sent = Enumerable.Range(0, 40).Select(i => (Company: i % 2 == 0 ? Here : Away, Answer: AppendAsync(store, i % 2 == 0 ? Here : Away, $"evt_{i}"))).ToList();
        foreach (var (company, answer) in sent)
        {
            if (company == Here) await answer;
            else await Assert.ThrowsAsync<StoreUnavailableException>(() => answer);
        }

        Assert.Equal(20L, await schema.AskAsync("SELECT count(*) FROM message"));
    }

    [Fact]
    public async Task A_company_whose_machine_cannot_be_read_holds_no_other_up()
    {
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection + ";Command Timeout=1"), NullLogger.Instance);
        var (here, away) = (History.CompanyOf(Here, new()), History.CompanyOf(Away, new()));
        await using var machine = new NpgsqlConnection(schema.Connection);
        await machine.OpenAsync(TestContext.Current.CancellationToken);
        await using var silence = await machine.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("LOCK TABLE span", machine, silence)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        // This table stands for the machine that does not answer.
        Assert.Throws<StoreUnavailableException>(() => CountOf(away, "span"));
        Assert.Equal(0, CountOf(here, "session"));

        // From now on one finds out whether it is back, and the others are told at once.
        using (store.Read(away)) Assert.Throws<StoreUnavailableException>(() => store.Read(away));
        Assert.Throws<StoreUnavailableException>(() => CountOf(away, "span"));
        await silence.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, CountOf(away, "span"));
        using (store.Read(away)) Assert.Equal(0, CountOf(away, "span"));

        // Nor does it take all connections while nobody knows yet.
        var open = Enumerable.Range(0, 16).Select(_ => store.Read(away)).ToList();
        Assert.Throws<StoreUnavailableException>(() => store.Read(away));
        Assert.Equal(0, CountOf(here, "session"));
        open.ForEach(snapshot => snapshot.Dispose());
        Assert.Equal(0, CountOf(away, "span"));

        long CountOf(Company company, string table)
        {
            using var snapshot = store.Read(company);
            return snapshot.Database.Use($"SELECT COUNT(*) FROM {table} WHERE company = ?").With(company.Number).Defer(row => row.Next() ? row.Long(0) : -1).Value;
        }
    }

    [Fact]
    public async Task A_scrape_waits_for_no_machine_and_tells_of_the_companies_on_the_others()
    {
        // Who waits for the machine waits until it answers.
        var settings = new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = new NpgsqlConnectionStringBuilder(schema.Connection) { CommandTimeout = 0 }.ConnectionString };
        await using var running = await ServerProcess.StartAsync(settings: settings);
        using var trackmate = new CommandLineRunner(running);
        trackmate.Environment["TRACKMATE_DATABASE"] = schema.Connection;
        foreach (var companyId in new[] { "TM-AWAY", "TM-LAST" }) await trackmate.DoAsync($"company add {companyId}");
        foreach (var companyId in new[] { ServerProcess.CompanyId, "TM-AWAY", "TM-LAST" })
        {
            await Eventually.TrueAsync(async () => (await new Shopper(running.Http, companyId).IdentifyAsync("m@example.com")).Status is System.Net.HttpStatusCode.OK, () => running.Output);
            (await new Shopper(running.Http, companyId).TrackAsync("page_view")).AssertOk();
        }

        // Whoever reads the sessions of the second company meets a machine that does not answer, and later one that is gone.
        await schema.AskAsync($"""
            CREATE FUNCTION answers(company bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
              IF company = 2 THEN
                PERFORM {Answers.Replace("xact_lock", "xact_lock_shared", StringComparison.Ordinal)};
                RAISE 'the machine is gone' USING ERRCODE = '08006';
              END IF;
              RETURN true;
            END $$;
            CREATE POLICY answers ON session USING (answers(company));
            ALTER TABLE session ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            """);
        await using var machine = new NpgsqlConnection(schema.Connection);
        await machine.OpenAsync(TestContext.Current.CancellationToken);
        await using var silence = await machine.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand($"SELECT {Answers}", machine, silence)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await ScrapeAsync();
        await Eventually.TrueAsync(async () => await schema.AskAsync("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted") is 1L, () => "Nobody waits.");
        Assert.Contains(ServerProcess.CompanyId, await Eventually.BecomesAsync(ScrapeAsync, text => text.Length > 0));
        Assert.Equal(1L, await schema.AskAsync("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"));

        await silence.CommitAsync(TestContext.Current.CancellationToken);
        var rates = await Eventually.BecomesAsync(ScrapeAsync, text => text.Contains("TM-LAST", StringComparison.Ordinal));
        Assert.Contains("TM-LAST", rates);
        Assert.DoesNotContain("TM-AWAY", rates);

        async Task<string> ScrapeAsync() =>
            string.Join('\n', (await running.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken)).Split('\n').Where(line => line.StartsWith("trackmate_stitch_rate{", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_a_machine_that_is_away_keeps_from_being_done_is_said_as_that()
    {
        await using var running = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = schema.Connection });
        using var trackmate = new CommandLineRunner(running);
        (await new Shopper(running.Http, ServerProcess.CompanyId).IdentifyAsync("m@example.com")).AssertOk();
        trackmate.Environment["TRACKMATE_DATABASE"] = new NpgsqlConnectionStringBuilder(schema.Connection) { Options = "-c lock_timeout=100" }.ConnectionString;

        await using var machine = new NpgsqlConnection(schema.Connection);
        await machine.OpenAsync(TestContext.Current.CancellationToken);
        await using var silence = await machine.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("LOCK TABLE machine IN ACCESS EXCLUSIVE MODE", machine, silence)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var (exitCode, erased, _) = await trackmate.RunAsync("erase --email m@example.com --yes");
        Assert.Equal(1, exitCode);
        Assert.Contains("Erased from all tables; a machine of the database is unreachable, so its tables are not vacuumed yet. A running server continues with that, and so does the next trackmate erase.", erased);

        await using (var hold = new NpgsqlCommand("LOCK TABLE session IN ACCESS EXCLUSIVE MODE", machine, silence)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Contains("canceling statement due to lock timeout. Try again; on a cluster, once all machines are reachable.", (await trackmate.RunAsync("doctor")).Output);
    }

    private static Task<Receipt[]> AppendAsync(MessageStore store, int company, string eventId) =>
        store.AppendAsync([Messages.Browser(History.CompanyOf(company, new()), $"session_1729260000_{company}", eventId)]);
}
