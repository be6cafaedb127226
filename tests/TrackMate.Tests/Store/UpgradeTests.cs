using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Read;
using TrackMate.Store.Sqlite;
using TrackMate.Store.Write;

namespace TrackMate.Tests.Store;

/// <summary>What an earlier version wrote is read, and written on, by this one.</summary>
public sealed class UpgradeTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("trackmate-upgrade-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_store_of_the_first_schema_is_brought_up_to_date_with_all_that_it_holds()
    {
        var company = Messages.Company(1);
        using (var database = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName)))
        {
            using var first = new StreamReader(typeof(MessageStore).Assembly.GetManifestResourceStream("sqlite/001-spine.sql")!);
            database.Execute(await first.ReadToEndAsync(TestContext.Current.CancellationToken));
            database.Execute("PRAGMA user_version = 1");
            WriteSarah(database, company);
        }

        using var store = MessageStore.Open(new SqliteEngine(folder.FullName), NullLogger.Instance);
        var sarah = Identifier.Email(company, "sarah@example.com").Id;
        using (var snapshot = store.Read())
        {
            var profile = new Documents(snapshot.Database, company).Find(sarah)!;
            Assert.Equal(("Sarah", 2L), (profile.Name, profile.Totals.Events));
        }

        using (var reader = SqliteDatabase.Open(SqliteEngine.PathIn(folder.FullName), readOnly: true)) Assert.Empty(DerivedTables.Differences(reader, [company]));

        // A claim of before this version is revoked, and another session goes on from it.
        Assert.NotNull((await store.ActAsync(company, acts => acts.RevokeClaim(company, Origin.Browser, "i1", lift: false, new("tests", Messages.Ten, DryRun: false)))).Outcome);
        using (var snapshot = store.Read()) Assert.Null(new Documents(snapshot.Database, company).Find(sarah)!.Name);
        await store.AppendAsync([Messages.Identify(company, "another", "sarah@example.com", "i2", Messages.Ten + 1000)]);
        using (var snapshot = store.Read())
        {
            var documents = new Documents(snapshot.Database, company);
            Assert.Equal(1, documents.Find(sarah)!.Totals.Events);
            Assert.Null(documents.Session("s", null, 10)!.UserId);
        }
    }

    /// <summary>A page view, and an identify with a name, as the first schema held them.</summary>
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
        database.Use("INSERT INTO session_day (company, session, day, events, bots, first_at, last_at) VALUES (1, 1, ?, 1, 0, ?2, ?2)").With(DayCounters.DayOf(Messages.Ten)).With(at).Run();
    }
}
