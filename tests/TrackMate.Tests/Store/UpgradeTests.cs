using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Derive;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What an earlier version wrote is read, and written on, by this one.</summary>
[EmbeddedOnly]
public sealed class UpgradeTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("trackmate-upgrade-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_store_of_the_first_schema_is_brought_up_to_date_with_all_that_it_holds()
    {
        var company = Messages.Company(1);
        using (var database = await WriteFirstVersionAsync(company))
        {
            WritePayments(database);
        }

        using var store = MessageStore.Open(new SqliteEngine(folder.FullName), NullLogger.Instance);
        var sarah = Identifier.Email(company, "sarah@example.com").Id;
        using (var snapshot = store.Read())
        {
            var profile = new Documents(snapshot.Database, company).Find(sarah)!;
            Assert.Equal(("Sarah", 4L), (profile.Name, profile.Totals.Events));
            // Two payments that an earlier version took for one, since the order of the one has the number of the other.
            Assert.Equal(["USD 12.00"], profile.Totals.Revenue.Select(revenue => $"{revenue.Currency} {revenue.Amount}"));
        }

        using (var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName), readOnly: true)) Assert.Empty(DerivedTables.Differences(reader, [company]).Differences);

        var day = UtcDay.Of(Messages.Ten);
        Assert.Equal([(1, day, true), (2, day + 1, false), (3, day, false), (4, null, false)], Sessions(folder.FullName));
        Assert.Equal([new(day + 1, 1, 0), new(day, 2, 1)], StitchDays(store, company));

        // What it wrote is found at once, and by the index once that is made.
        for (var more = true; more; more = await store.IndexAsync(company))
        {
            using var snapshot = store.Read();
            foreach (var query in new[] { "sarah example", "rah", "e1", "s" }) Assert.Equal(sarah, Assert.Single(new SearchReader(snapshot.Database).Find(company, query, null, 5).Persons).Id);
        }

        using (var snapshot = store.Read()) Assert.Equal(sarah, Assert.Single(new SearchReader(snapshot.Database).Find(company, "SARAH Example", null, 5).Persons).Id);
        using (var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName), readOnly: true))
        {
            Assert.False(SearchIndex.IsDue(reader, company, 1));
            Assert.Empty(DerivedTables.Differences(reader, [company]).Differences);
        }

        // A claim of before this version is revoked, and another session goes on from it.
        Assert.NotNull((await store.ActAsync(company, (acts, _) => acts.RevokeClaim(company, Origin.Browser, "i1", lift: false, new("tests", Messages.Ten, DryRun: false)))).Outcome);
        using (var snapshot = store.Read()) Assert.Null(new Documents(snapshot.Database, company).Find(sarah)!.Name);
        await store.AppendAsync([Messages.Identify(company, "another", "sarah@example.com", "i2", Messages.Ten + 1000)]);
        using (var snapshot = store.Read())
        {
            var documents = new Documents(snapshot.Database, company);
            Assert.Equal(3, documents.Find(sarah)!.Totals.Events);
            Assert.Null(documents.Session("s", null, 10)!.UserId);
        }

        // Nobody's now; bots' only until now; and one that began before what the earlier version knew of it.
        await store.AppendAsync([Messages.Browser(company, "bots", "e9", Messages.Ten), Messages.Browser(company, "bots first", "e10", Messages.Ten - UtcDay.Milliseconds)]);
        Assert.Equal([new(day, 3, 0), new(day - 1, 1, 0)], StitchDays(store, company));
        using (var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName), readOnly: true)) Assert.Empty(DerivedTables.Differences(reader, [company]).Differences);
    }

    /// <summary>Killed later and later in its start, until one start comes to its end: what is there is the version before or the new one, never something between.</summary>
    [Fact]
    public async Task A_kill_within_an_upgrade_leaves_the_version_before()
    {
        var company = Messages.Company(1);
        using (var database = await WriteFirstVersionAsync(company))
        {
            database.Execute("""
                WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
                INSERT INTO message (id, company, origin, event_id, session, at, received_ms, type, data) SELECT i, 1, 0, 'many' || i, 1, (SELECT at FROM message WHERE id = 1) + i * 1024, 0, 'page_view', '{}' FROM n
                """);
        }

        var known = new Schema("sqlite").Known;
        var (before, delay) = (0, 0);
        for (long version = 1; version != known; delay += 20)
        {
            using (var server = ServerProcess.Launch(folder.FullName))
            {
                await Task.Delay(delay, TestContext.Current.CancellationToken);
                server.Kill();
                await server.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName), readOnly: true);
            using (var found = reader.Use("PRAGMA user_version"))
            {
                found.Next();
                version = found.Long(0);
            }

            Assert.True(version == 1 || version == known, $"A kill after {delay} ms left schema {version}.");
            if (version == 1) before++;
        }

        Assert.NotEqual(0, before);
        await using var upgraded = await ServerProcess.StartAsync(folder.FullName, new Dictionary<string, string?> { ["TRACKMATE_COMPANY"] = company.CompanyId });
        var profile = (await new ShopBackend(upgraded.Http, ServerProcess.ApiKey).ProfileOfAsync("sarah@example.com"))!;
        Assert.Equal("Sarah", profile["name"]!.ToString());
    }

    private static List<StitchDay> StitchDays(MessageStore store, Company company)
    {
        using var snapshot = store.Read();
        return new IngestionReader(snapshot.Database).StitchDays(company, 0);
    }

    private static List<(long Number, long? FirstDay, bool Identified)> Sessions(string folder)
    {
        var sessions = new List<(long, long?, bool)>();
        using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder), readOnly: true);
        using var rows = reader.Use("SELECT id, first_day, identified FROM session ORDER BY id");
        while (rows.Next()) sessions.Add((rows.Long(0), rows.LongOrNull(1), rows.Long(2) == 1));
        return sessions;
    }

    /// <summary>Sessions of nobody: one that a bot's event is the first of, one of two days, one of a bot alone.</summary>
    private static void WriteNobodys(Database database)
    {
        database.Execute("INSERT INTO session (id, company, session_id) VALUES (2, 1, 'bots first'), (3, 1, 'two days'), (4, 1, 'bots')");
        foreach (var (message, session, days, bot) in new[] { (3, 2, 0, true), (4, 2, 1, true), (5, 2, 1, false), (6, 3, 1, false), (7, 3, 0, false), (8, 4, 0, true) })
        {
            var at = EventOrder.Of(Messages.Ten + (days * UtcDay.Milliseconds), Origin.Browser).Value;
            database.Use("INSERT INTO message (id, company, origin, event_id, session, at, received_ms, type, data, agent) VALUES (?1, 1, 0, 'e' || ?1, ?2, ?3, 0, 'page_view', '{}', ?4)")
                .With(message).With(session).With(at).With(bot ? "Chrome|Linux|desktop|bot" : null).Run();
            database.Use("INSERT INTO session_day (company, session, day, events, bots, first_at, last_at) VALUES (1, ?1, ?2, 1, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET events = events + 1, bots = bots + excluded.bots")
                .With(session).With(UtcDay.Of(Messages.Ten) + days).With(bot ? 1 : 0).With(at).Run();
        }
    }

    /// <summary>Two payments of Sarah's that share a number, grouped as one.</summary>
    private static void WritePayments(Database database)
    {
        foreach (var (message, data) in new[] { (9, """{"amount":5,"paymentId":2,"orderId":1}"""), (10, """{"amount":7,"paymentId":3,"orderId":2}""") })
        {
            var at = EventOrder.Of(Messages.Ten + message, Origin.Server).Value;
            database.Use("INSERT INTO message (id, company, origin, event_id, identifier, named, at, received_ms, type, data) VALUES (?1, 1, 1, 'p' || ?1, 1, 1, ?2, 0, 'payment_processed', ?3)")
                .With(message).With(at).With(data).Run();
            database.Use("INSERT INTO ledger_entry (message, company, payment, kind, at, event_id, amount, currency, identifier) VALUES (?1, 1, 9, 1, ?2, 'p' || ?1, '5', 'USD', 1)").With(message).With(at).Run();
        }

        database.Use("INSERT INTO server_run (company, identifier, session, first_at, first_event_id, last_at, events) VALUES (1, 1, 0, ?, 'p9', ?, 2)")
            .With(EventOrder.Of(Messages.Ten + 9, Origin.Server).Value).With(EventOrder.Of(Messages.Ten + 10, Origin.Server).Value).Run();
        database.Execute("INSERT INTO payment_key (company, key, payment) VALUES (1, '1', 9), (1, '2', 9), (1, '3', 9)");
    }

    /// <summary>A page view, and an identify with a name, as the first schema held them.</summary>
    /// <summary>A store as the first schema made it, with Sarah and sessions that are nobody's.</summary>
    private async Task<SqliteDatabase> WriteFirstVersionAsync(Company company)
    {
        var database = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName));
        using var first = new StreamReader(typeof(MessageStore).Assembly.GetManifestResourceStream("sqlite/001-spine.sql")!);
        database.Execute(await first.ReadToEndAsync(TestContext.Current.CancellationToken));
        database.Execute("PRAGMA user_version = 1");
        WriteSarah(database, company);
        WriteNobodys(database);
        return database;
    }

    private static void WriteSarah(Database database, Company company)
    {
        var at = EventOrder.Of(Messages.Ten, Origin.Browser).Value;
        database.Use("INSERT INTO company (id, company_id, name, secret, settings, created_ms) VALUES (1, ?, 'A shop', ?, '{}', 0)").With(company.CompanyId).WithBlob(company.Secret).Run();
        database.Execute("INSERT INTO session (id, company, session_id) VALUES (1, 1, 's')");
        database.Use("INSERT INTO identifier (id, company, leaf, kind, value, first_named_ms, search, person) VALUES (1, 1, ?, 1, 'sarah@example.com', ?, 'sarah@example.com sarah', 1)")
            .WithBlob(Identifier.Email(company, "sarah@example.com").Id.ToBytes()).With(Messages.Ten).Run();
        database.Use("INSERT INTO message (id, company, origin, event_id, session, at, received_ms, type, data) VALUES (1, 1, 0, 'e1', 1, ?, 0, 'page_view', '{}')").With(at).Run();
        database.Use("INSERT INTO message (id, company, origin, event_id, at, received_ms, data) VALUES (2, 1, 0, 'i1', ?, 0, '{\"email\":\"sarah@example.com\",\"name\":\"Sarah\"}')").With(at).Run();
        database.Use("INSERT INTO claim (id, company, message, session, identifier, named, method, trust, at_ms, event_id) VALUES (1, 1, 2, 1, 1, 1, 1, 0, ?, 'i1')").With(Messages.Ten).Run();
        database.Use("INSERT INTO trait (company, identifier, name, value, trust, at_ms, event_id) VALUES (1, 1, 'name', '\"Sarah\"', 0, ?, 'i1')").With(Messages.Ten).Run();
        database.Use("INSERT INTO span (company, session, from_ms, to_ms, identifier, claim, trust, has_runs) VALUES (1, 1, ?, ?, 1, 1, 0, 0)").With(long.MinValue).With(long.MaxValue).Run();
        database.Use("INSERT INTO session_day (company, session, day, events, bots, first_at, last_at) VALUES (1, 1, ?, 1, 0, ?2, ?2)").With(UtcDay.Of(Messages.Ten)).With(at).Run();
    }
}
