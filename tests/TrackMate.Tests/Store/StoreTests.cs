using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Sql;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A store by itself: what fails alone, what it leaves behind, and settings that change under it.</summary>
public sealed class StoreTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
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
        var profile = Assert.Single(documents.Profiles(null, 10).Profiles);
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
}
