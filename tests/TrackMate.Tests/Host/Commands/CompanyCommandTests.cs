using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

public sealed class CompanyCommandTests : IAsyncLifetime
{
    private static readonly (string Options, string Sentence)[] Refused =
    [
        ("--origin shop.com", "--origin: 'shop.com' is not an origin"),
        ("--origin https://shop.com/path", "--origin: 'https://shop.com/path' is not an origin"),
        ("--origin https://shop.com --no-origins", "--no-origins: it removes all origins"),
        ("--currency dollars", "--currency: 'dollars' is not a currency's three letters"),
        ("--user-registered maybe", "--user-registered: 'maybe' is neither on nor off"),
        ("--session-gap 0", "--session-gap: '0' is not a number of minutes from 1 to 1440"),
        ("--session-gap 1441", "--session-gap: '1441' is not a number of minutes from 1 to 1440"),
        ("--claimed-joins some", "--claimed-joins: 'some' is neither all nor new nor none"),
        ("--max-emails 0", "--max-emails: '0' is not a number of e-mails from 1 to 1000"),
        ("--max-new-sessions 0", "--max-new-sessions: '0' is not a number of sessions a day from 1 to 1000000000"),
        ("--tokens on", "--tokens: 'on' is neither off nor observe nor enforce"),
        ("--tokens enforce", "--tokens: TM-SHOP99 has no token key that can be used"),
        ("--browser-quota 0", "--browser-quota: '0' is neither a number of events a day from 1 on nor none"),
        ("--key-quota -1", "--key-quota: '-1' is neither a number of events a day from 1 on nor none"),
        ("--quota 0", "--quota: '0' is neither a number of events a day from 1 on nor none"),
        ("--rejected-kept 99", "--rejected-kept: '99' is not a number of events from 100 to 1000000"),
        ("--rejected-days 0", "--rejected-days: '0' is not a number of days from 1 to 3650"),
        ("--name \" \"", "--name: it is 1 to 200 characters"),
        ("--placeholder \" \"", "--placeholder: it is 1 to 200 characters"),
        ("--payment-type \"\"", "--payment-type: an event type is 1 to 200 printable characters"),
        ("--payment-type payment_refunded", "--payment-type: 'payment_refunded' cannot pay and refund at once"),
        ("", "company set: nothing to change was given"),
    ];

    private readonly CommandLineRunner trackmate = new();

    public async ValueTask InitializeAsync() => await trackmate.DoAsync("company add TM-SHOP99 --name \"The Shop\"");

    public ValueTask DisposeAsync()
    {
        trackmate.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Settings_are_set_and_shown()
    {
        await trackmate.DoAsync("company set TM-SHOP99 --name Renamed --origin HTTPS://Shop.com/ --origin http://localhost:3000 --payment-type paid --payment-type \"Order Completed\" --refund-type unpaid"
            + " --currency eur --user-registered off --session-gap 45 --placeholder n/a --max-emails 3 --claimed-joins New --max-new-sessions 500 --quota 1000 --key-quota 2000 --tokens Observe --rejected-kept 500 --rejected-days 7");

        Assert.Equal(
            """{"company_id":"TM-SHOP99","name":"Renamed","allowedOrigins":["https://shop.com","http://localhost:3000"],"paymentTypes":["paid","Order Completed"],"refundTypes":["unpaid"],"currency":"EUR","userRegistered":false,"sessionGapMinutes":45,"placeholders":["n/a"],"maxEmailsPerPerson":3,"claimedJoins":"new","newSessionsPerDay":500,"maxBrowserEventAgeDays":null,"maxSessionEventsPerDay":null,"browserEventsPerDay":1000,"keyEventsPerDay":2000,"tokens":"observe","tokenAlgorithm":null,"rejectedKept":500,"rejectedDays":7,"suppressErased":false}""",
            await ShownAsync());
        var shown = await trackmate.DoAsync("company show");
        foreach (var word in new[] { "https://shop.com, http://localhost:3000", "paid, Order Completed", "unpaid", "EUR", "off", "45 minutes", "n/a", "1000 events a day", "2000 events a day", "the newest 500 of browsers and of API keys each, for 7 days" }) Assert.Contains(word, shown);
    }

    [Fact]
    public async Task What_is_not_given_stays_and_lists_can_be_cleared()
    {
        await trackmate.DoAsync("company set --origin https://shop.com --placeholder n/a --quota 5");

        await trackmate.DoAsync("company set --no-origins --no-placeholders --quota none");

        Assert.Equal(
            """{"company_id":"TM-SHOP99","name":"The Shop","allowedOrigins":[],"paymentTypes":["payment_processed","Order Completed"],"refundTypes":["payment_refunded","refund_processed","Order Refunded"],"currency":"USD","userRegistered":true,"sessionGapMinutes":30,"placeholders":[],"maxEmailsPerPerson":10,"claimedJoins":"all","newSessionsPerDay":10000,"maxBrowserEventAgeDays":null,"maxSessionEventsPerDay":null,"browserEventsPerDay":null,"keyEventsPerDay":null,"tokens":"off","tokenAlgorithm":null,"rejectedKept":10000,"rejectedDays":30,"suppressErased":false}""",
            await ShownAsync());
    }

    /// <summary>One after another at one company: whatever any of them changed would show in the end.</summary>
    [NoStore]
    [Fact]
    public async Task A_setting_that_cannot_be_is_refused_and_changes_nothing()
    {
        var before = await ShownAsync();

        await Assert.AllAsync(Refused, async refused => Assert.StartsWith(refused.Sentence, await trackmate.FailAsync("company set TM-SHOP99 " + refused.Options, 2)));

        Assert.Equal(before, await ShownAsync());
    }

    [Fact]
    public async Task Companies_are_listed_and_named_where_there_are_several()
    {
        await trackmate.DoAsync("company add TM-OTHER");

        Assert.Equal("company_id  name\nTM-SHOP99   The Shop\nTM-OTHER    TM-OTHER\n", await trackmate.DoAsync("company list"));
        Assert.Equal(["TM-SHOP99", "TM-OTHER"], JsonNode.Parse(await trackmate.DoAsync("company list --json"))!.AsArray().Select(company => company!["company_id"]!.ToString()));
        Assert.StartsWith("--company: there are several companies here, so name one of TM-SHOP99, TM-OTHER", await trackmate.FailAsync("company show", 2));
        trackmate.Environment["TRACKMATE_COMPANY"] = "TM-OTHER";
        Assert.Contains("TM-OTHER", await trackmate.DoAsync("company show"));
    }

    [Theory]
    [InlineData("company add TM-SHOP99", 1, "There is a company TM-SHOP99 already")]
    [InlineData("company add \"TM SHOP\"", 2, "company_id: it is 1 to 64 letters")]
    [InlineData("company show TM-NOBODY", 1, "There is no company TM-NOBODY here")]
    public async Task What_cannot_be_is_said(string line, int exitCode, string sentence) => Assert.StartsWith(sentence, await trackmate.FailAsync(line, exitCode));

    private async Task<string> ShownAsync() => JsonNode.Parse(await trackmate.DoAsync("company show TM-SHOP99 --json"))!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
