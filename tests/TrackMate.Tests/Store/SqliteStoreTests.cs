using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>The embedded store by itself: what fails alone, what is read after an error, settings that change under it, and how long its log gets.</summary>
[EmbeddedOnly]
public sealed class SqliteStoreTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_request_that_cannot_be_written_does_not_take_its_neighbours_with_it()
    {
        using var own = new TemporaryStore();
        using var goOn = new ManualResetEventSlim();
        own.Store.Appended = _ => goOn.Wait(Limit);
        var company = Messages.Company(1);
        var first = own.Store.AppendAsync([Messages.Browser(company, "s", "holds the writer")]);

        // These gather while the writer is held, and so come to one transaction.
        var before = own.Store.AppendAsync([Messages.Browser(company, "s", "a"), Messages.Webhook(company, "a@shop.com", "a")]);
        var broken = own.Store.AppendAsync([Messages.Identify(company, "s2", "b@shop.com", "b"), Messages.Webhook(company, "c@shop.com", eventId: null!)]);
        var after = own.Store.AppendAsync([Messages.Identify(company, "s", "a@shop.com", "c")]);
        goOn.Set();

        Assert.All(await first, receipt => Assert.False(receipt.Duplicate));
        Assert.All(await before, receipt => Assert.False(receipt.Duplicate));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => broken);
        Assert.All(await after, receipt => Assert.False(receipt.Duplicate));
        Assert.Null(own.Store.Failure);

        using var snapshot = own.Store.Read();
        var documents = new Documents(snapshot.Database, company);
        var profile = Assert.Single(documents.Profiles(null, null, 10).Profiles);
        Assert.Equal("a@shop.com", profile.Email);
        Assert.Equal(4, profile.Totals.Events);
        Assert.Null(documents.Session("s2", null, 10));
    }

    [Fact]
    public async Task What_failed_leaves_no_number_behind_that_a_later_message_could_be_given()
    {
        var company = Messages.Company(stored.NextCompany());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stored.Store.AppendAsync([Messages.Identify(company, "s", "a@shop.com", "a"), Messages.Browser(company, "s", eventId: null!)]));
        await stored.Store.AppendAsync([Messages.Browser(company, "other", "b")]);
        await stored.Store.AppendAsync([Messages.Webhook(company, "other@shop.com", "c")]);
        await stored.Store.AppendAsync([Messages.Identify(company, "s", "a@shop.com", "a"), Messages.Browser(company, "s", "d")]);
        using var snapshot = stored.Store.Read();
        var documents = new Documents(snapshot.Database, company);
        Assert.Equal(["d", "reg_" + Identifier.Email(company, "a@shop.com").Id], documents.Session("s", null, 10)!.Events.Select(shown => shown.EventId).Order(StringComparer.Ordinal));
        Assert.Equal(1, documents.Find(Identifier.Email(company, "other@shop.com").Id)!.Totals.Events);
    }

    [Fact]
    public void A_reader_whose_transaction_ended_with_an_error_is_not_read_from_again()
    {
        Database failed;
        using (var snapshot = stored.Store.Read())
        {
            failed = snapshot.Database;
            failed.Execute("ROLLBACK");
        }

        using var next = stored.Store.Read();
        Assert.NotSame(failed, next.Database);
        Assert.False(next.Database.IsIdle);
    }

    /// <summary>A statement between its first parameter and its last step is nobody's to give back when something throws; it must not hold the lock of a closed connection.</summary>
    [Fact]
    public void A_closed_connection_lets_go_of_its_lock_whatever_its_statements_were_doing()
    {
        using (var left = stored.OpenBeside())
        {
            left.Execute("BEGIN IMMEDIATE");
            Assert.True(left.Use("SELECT version FROM registry_version").Next());
        }

        using var next = stored.OpenBeside();
        next.Execute("PRAGMA busy_timeout = 0");
        next.Execute("BEGIN IMMEDIATE");
        next.Execute("COMMIT");
    }

    /// <summary>A message read before a company's settings changed may reach the writer after what hangs on them was derived anew.</summary>
    [Fact]
    public async Task What_is_derived_rests_on_the_settings_that_stand_in_the_store()
    {
        using var own = new TemporaryStore();
        using var registry = StoreUnderTest.In(own.Folder).MakeRegistry(TimeProvider.System);
        var before = registry.AddCompany("TM-SHOP99", "Shop");
        await own.Store.AppendAsync([Messages.Webhook(before, "a@shop.com", "a"), Messages.Webhook(before, "a@shop.com", "b", Messages.Ten + (40 * 60_000))]);
        registry.Set(before, company => company with { Settings = company.Settings with { ServerSessionGapMinutes = 60, PaymentTypes = ["order_paid"] } });
        await own.Store.AppendAsync([
            Messages.Webhook(before, "a@shop.com", "c", Messages.Ten + (80 * 60_000), "order_paid", """{"amount":5}"""),
            Messages.Webhook(before, "a@shop.com", "d", Messages.Ten + (81 * 60_000), "payment_processed", """{"amount":7}""")]);

        var now = registry.Find("TM-SHOP99")!;
        using var snapshot = own.Store.Read();
        var profile = new Documents(snapshot.Database, now).Find(Identifier.Email(now, "a@shop.com").Id)!;
        Assert.Equal(1, profile.Totals.Sessions.Server);
        Assert.Equal(["5.00"], profile.Totals.Revenue.Select(revenue => revenue.Amount));
    }

    /// <summary>A sixteenth of the product's limits: 12.5 MB stand for 200.</summary>
    [Fact]
    public async Task The_log_stays_short_under_constant_load_with_a_long_reader_now_and_then()
    {
        const long Limit = 200_000_000 / 16;
        var folder = Directory.CreateTempSubdirectory("trackmate-test-").FullName;
        try
        {
            using var store = MessageStore.Open(new SqliteEngine(folder, new(LogLimits.Default.Move / 16, LogLimits.Default.StartOver / 16, LogLimits.Default.Cut / 16)), NullLogger.Instance);
            var company = Messages.Company(1);
            var log = new FileInfo(SqliteEngine.PathIn(folder) + "-wal");
            var data = $$"""{"text":"{{new string('x', 4000)}}"}""";
            long longest = 0, written = 0;
            ReadSnapshot? reader = null;
            for (var round = 0; written < 6 * Limit; round++)
            {
                if (round % 20 == 10)
                {
                    reader = store.Read();
                    new Documents(reader.Database, company).Session("s", null, 1);
                }

                await store.AppendAsync([.. Enumerable.Range(0, 50).Select(i => Messages.Browser(company, "s", $"{round}-{i}", data: data))]);
                if (round % 20 == 15) reader?.Dispose();
                written += 50 * data.Length;
                log.Refresh();
                longest = Math.Max(longest, log.Length);
            }

            Assert.InRange(longest, 1, Limit);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
