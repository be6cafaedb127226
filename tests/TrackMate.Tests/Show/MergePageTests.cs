using System.Text.Json.Nodes;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>Two profiles of one person, and profiles that are too many persons. Each test on a server of its own: the lists show what a company has.</summary>
[Collection(BrowserCollection.Name)]
public sealed class MergePageTests(BrowserFixture browser)
{
    private const string Company = $"/c/{ServerProcess.CompanyId}";
    private const string People = $"{Company}/people";

    [Fact]
    public async Task Two_profiles_are_found_compared_merged_and_come_apart_again()
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var one = await BuyAsync(server, "anna@example.com", "Anna Berg", 20);
        var other = await BuyAsync(server, "anna.work@example.com", "Anna Berg", 30);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync($"{People}/{one}");

        await viewer.Page.ClickAsync("text=Merge with…");
        await viewer.Page.FillAsync("#other", "anna.work");
        await viewer.Page.ClickAsync("button:has-text('Find')");
        await viewer.Page.ClickAsync(".row-link");

        Assert.Equal("Merge these two?", await viewer.TextAsync("h1"));
        Assert.Equal(["This profile", "The other", "Together"], await viewer.TextsAsync(".side h2"));
        var sides = await viewer.TextsAsync(".side");
        Assert.Contains("anna@example.com", sides[0]);
        Assert.Contains("Revenue $30.00", sides[1]);
        Assert.Contains(one, sides[2]);
        Assert.Contains("Events 5", sides[2]);
        Assert.Contains("Revenue $50.00", sides[2]);
        Assert.Equal("2 events, 2 sessions and $30.00 would move from anna.work@example.com to anna@example.com.", await viewer.TextAsync(".moves"));
        Assert.Contains("Together they have 1 event fewer than the sum: TrackMate adds “Account created” once per person", await viewer.TextAsync("main"));
        await viewer.Page.ClickAsync("button:has-text('Merge')");

        Assert.Equal("You merged anna@example.com and anna.work@example.com: 2 events, 2 sessions and $30.00 moved.", await viewer.TextAsync(".notice p"));
        Assert.Equal(5, (int)(await backend.ProfileAsync(other))["totals"]!["events"]!);
        await viewer.GoAsync($"{People}/{one}?event=server:pay_anna.work@example.com");
        Assert.Contains("An operator merged it with anna@example.com", string.Join('\n', await viewer.TextsAsync(".chain li")));
        await viewer.Page.ClickAsync(".chain li:has-text('An operator merged it') >> text=Undo…");
        Assert.Equal("Undo this merge?", await viewer.TextAsync("h1"));
        await viewer.Page.ClickAsync("button:has-text('Undo')");

        Assert.Equal(other, (await backend.ProfileAsync(other))["id"]!.ToString());
        Assert.Equal(3, (int)(await backend.ProfileAsync(one))["totals"]!["events"]!);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task What_is_one_profile_already_is_not_merged_again()
    {
        await using var server = await ServerProcess.StartAsync();
        var id = await BuyAsync(server, "anna@example.com", "Anna Berg", 20);
        await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("signed_up", email: "anna@example.com", externalId: "anna-1");
        await using var viewer = await Viewer.OpenAsync(browser, server);

        await viewer.GoAsync($"{People}/{id}/merge?with={id}");
        Assert.Equal("The two are already one profile. There is nothing to merge.", await viewer.TextAsync(".moves"));
        Assert.Equal(0, await viewer.Page.Locator("button:has-text('Merge')").CountAsync());
        Assert.Equal(404, (await viewer.GoAsync($"{People}/{id}/merge?with=000000000000000000000000")).Status);
        await viewer.GoAsync($"{People}/{id}/merge?q=nobody");
        Assert.Contains("No other profile has “nobody”", await viewer.TextAsync("main"));
    }

    [Fact]
    public async Task Probable_duplicates_are_listed_until_somebody_says_they_are_not_the_same()
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync($"{People}/duplicates");
        Assert.Equal("No duplicates found", await viewer.TextAsync("main h2"));

        // A rule stopped it: the second external id of one e-mail.
        await backend.WebhookAsync("signed_up", email: "two@example.com", externalId: "id-1", at: "2025-10-18T10:00:00Z");
        await backend.WebhookAsync("signed_up", email: "two@example.com", externalId: "id-2", at: "2025-10-18T11:00:00Z");
        // One session, one name, a slip in the e-mail; and a shared device with two names, which is none.
        await IdentifyAsync(server, "session_slip", ("ben@gmial.example", "Ben Holm"), ("ben.holm@gmail.example", "Ben Holm"));
        await IdentifyAsync(server, "session_couple", ("carl@example.com", "Carl"), ("dora@example.com", "Dora"));
        // The external id is the other's e-mail; and e-mails that are alike.
        await backend.WebhookAsync("signed_up", externalId: "erik@example.com");
        await backend.WebhookAsync("signed_up", email: "erik@example.com");
        await IdentifyAsync(server, "session_f1", ("fia.lind@old.example", "Fia Lind"));
        await IdentifyAsync(server, "session_f2", ("fia.lind@new.example", "Fia Lind"));
        await IdentifyAsync(server, "session_f3", ("fia.lind@third.example", "Another Fia"));

        await viewer.GoAsync(People);
        await viewer.Page.ClickAsync(".head >> text=Duplicates");
        var pairs = await viewer.TextsAsync(".claims .what small");
        Assert.Equal(4, pairs.Count);
        Assert.Contains(pairs, pair => pair.Contains("id-2") && pair.Contains("one person would have two external ids"));
        Assert.Contains(pairs, pair => pair.Contains("ben@gmial.example") && pair.Contains("a shared device can be the reason too"));
        Assert.Contains(pairs, pair => pair.Contains("erik@example.com and erik@example.com: the e-mail of one was sent as the external id of the other"));
        Assert.Contains(pairs, pair => pair.Contains("fia.lind@new.example") && pair.Contains("fia.lind@old.example"));

        var fia = viewer.Page.Locator(".claims li").Filter(new() { HasText = "fia.lind@new.example" });
        await fia.Locator("text=Not the same…").ClickAsync();
        Assert.Equal("Keep these two apart?", await viewer.TextAsync("h1"));
        await viewer.Page.ClickAsync("button:has-text('Not the same')");
        await Expect(viewer.Page.Locator(".claims li")).ToHaveCountAsync(3);
        await viewer.Page.ClickAsync(".notice >> text=Undo");
        await Expect(viewer.Page.Locator(".claims li")).ToHaveCountAsync(4);

        var ben = viewer.Page.Locator(".claims li").Filter(new() { HasText = "ben@gmial.example" });
        await ben.Locator("text=Merge…").ClickAsync();
        await viewer.Page.ClickAsync("button:has-text('Merge')");
        await viewer.GoAsync($"{People}/duplicates");
        await Expect(viewer.Page.Locator(".claims li")).ToHaveCountAsync(3);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task An_address_that_everybody_uses_raises_an_alarm_and_is_isolated()
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var events = Enumerable.Range(0, 102).Select(i => (JsonNode)new JsonObject
        {
            ["identifier"] = new JsonObject { ["email"] = "noreply@example.com", ["externalId"] = $"customer-{i}" },
            ["eventType"] = "signed_up",
            ["timestamp"] = DateTimeOffset.Parse("2025-10-18T10:00:00Z").AddSeconds(i).ToString("O"),
        });
        Assert.Equal(System.Net.HttpStatusCode.OK, (await backend.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = new JsonArray([.. events]) })).Status);
        var id = (await backend.ProfileOfAsync("noreply@example.com"))!["id"]!.ToString();
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(People);

        Assert.Equal("1 profile has too many identifiers", await viewer.TextAsync(".alarms h2"));
        await viewer.GoAsync($"{People}/duplicates");
        Assert.Equal("No duplicates found", await viewer.TextAsync("main h2"));
        await viewer.GoAsync(People);
        Assert.Contains("noreply@example.com is named together with 100 or more other identifiers", await viewer.TextAsync(".alarms"));
        await viewer.Page.ClickAsync(".alarms >> text=Undo all joins of noreply@example.com…");
        Assert.Equal("Undo all its joins?", await viewer.TextAsync("h1"));
        await viewer.Page.ClickAsync("button:has-text('Undo joins')");

        Assert.Equal(0, await viewer.Page.Locator(".alarms").CountAsync());
        Assert.Single((await backend.ProfileAsync(id))["identifiers"]!.AsArray());
        await viewer.GoAsync($"{People}/{id}");
        Assert.StartsWith("isolated", await viewer.TextAsync(".tag.kept"));
        await viewer.Page.ClickAsync(".tag.kept >> text=Undo…");
        await viewer.Page.ClickAsync("button:has-text('Undo')");
        Assert.Equal(2, (await backend.ProfileAsync(id))["identifiers"]!.AsArray().Count);
        Assert.Empty(viewer.Complaints);
    }

    /// <summary>A visitor who says who it is and pays: an identify, a page view and a payment.</summary>
    private static async Task<string> BuyAsync(ServerProcess server, string email, string name, decimal amount)
    {
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await shopper.TrackAsync("page_view", at: "2025-10-18T10:00:00Z");
        var id = (await shopper.IdentifyAsync(email, name, at: email.StartsWith("anna@", StringComparison.Ordinal) ? "2025-10-18T10:01:00Z" : "2025-10-18T10:02:00Z"))["profileId"]!;
        await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("payment_processed", new { amount, currency = "USD" }, email: email, at: $"2025-10-18T1{(int)amount / 10}:03:00Z", eventId: "pay_" + email);
        return id;
    }

    private static async Task IdentifyAsync(ServerProcess server, string session, params (string Email, string Name)[] persons)
    {
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId, session);
        for (var i = 0; i < persons.Length; i++)
        {
            await shopper.IdentifyAsync(persons[i].Email, persons[i].Name, at: $"2025-10-18T1{i}:00:00Z");
            await shopper.TrackAsync("page_view", at: $"2025-10-18T1{i}:01:00Z");
        }
    }
}
