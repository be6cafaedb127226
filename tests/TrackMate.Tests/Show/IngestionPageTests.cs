using System.Text.Json.Nodes;
using Microsoft.Playwright;
using TrackMate.Bind;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>What was refused is found, understood, mended and sent again; warnings and the stitch rate stand beside it.</summary>
[Collection(SecondBrowserCollection.Name)]
public sealed class IngestionPageTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    [NoStore]
    [Fact]
    public async Task An_empty_company_is_told_what_will_stand_here()
    {
        var shop = await running.NewShopAsync();
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await viewer.Page.ClickAsync("#menu >> text=Ingestion");
        Assert.Contains("No rejected messages", await viewer.TextAsync("main"));
        await viewer.Page.ClickAsync(".tabs >> text=Warnings");
        Assert.Contains("No warnings", await viewer.TextAsync("main"));
        await viewer.Page.ClickAsync(".tabs >> text=Visitors identified");
        Assert.Contains("No sessions in the last 30 days", await viewer.TextAsync("main"));
        await Expect(viewer.Page.Locator("table")).ToHaveCountAsync(0);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_webhook_is_found_mended_and_stored_and_leads_to_the_person()
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 79.99, currency = "USD" }, email: "not an address", eventId: "evt_mend", at: "2025-10-18T10:12:00Z");
        await shop.NewShopper().TrackAsync("");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await Expect(viewer.Page.Locator("tbody tr")).ToHaveCountAsync(2);
        await viewer.Page.FillAsync("#event-id", "evt_mend");
        await viewer.Page.ClickAsync(".seek button");
        Assert.Contains("rejected from a server, answered 422", await viewer.TextAsync(".became p"));
        await viewer.Page.ClickAsync("tbody tr");
        Assert.Equal("identifier.email is not an e-mail address; send one with a single @ and at most 254 characters.", await viewer.TextAsync("h1"));
        Assert.Contains("POST /api/webhooks/events", await viewer.TextAsync("aside"));

        // Still wrong: the new problem, in place, and the text is not lost.
        var body = await viewer.Page.InputValueAsync("#body");
        Assert.Contains("\n  \"identifier\": {\n", body);
        await viewer.Page.FillAsync("#body", body.Replace("not an address", "still not one"));
        await viewer.Page.ClickAsync("text=Send again");
        Assert.Contains("identifier.email is not an e-mail address", await viewer.TextAsync(".problem"));
        Assert.Contains("still not one", await viewer.Page.InputValueAsync("#body"));
        await viewer.Page.FillAsync("#body", body.Replace("not an address", "mended@example.com") + "}");
        await viewer.Page.ClickAsync("text=Send again");
        Assert.Contains("Invalid JSON at line", await viewer.TextAsync(".problem"));

        await viewer.Page.FillAsync("#body", body.Replace("not an address", "mended@example.com"));
        await viewer.Page.ClickAsync("text=Send again");
        await Expect(viewer.Page.Locator(".made")).ToContainTextAsync("Fixed, sent again and stored.");
        await Expect(viewer.Page.Locator("#body")).ToHaveCountAsync(0);
        await viewer.Page.ClickAsync("text=See it on mended@example.com’s timeline");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("payment_processed");
        Assert.Equal("$79.99", (await viewer.TextsAsync(".stat b"))[0]);

        await viewer.GoAsync(PageOf(shop));
        Assert.Equal(["fixed"], await viewer.TextsAsync("tbody .tag"));
        await viewer.Page.ClickAsync(".choice >> text=Each message");
        Assert.Equal(["fixed"], await viewer.TextsAsync("tbody .tag"));
        await viewer.Page.ClickAsync("tbody >> text=Person");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("mended@example.com");
        Assert.Equal(["stored"], (await ReceiptsAsync(shop, "evt_mend")).Select(receipt => receipt["status"]!.ToString()));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task One_event_of_a_browsers_batch_is_sent_alone_with_what_its_batch_said()
    {
        var shop = await running.NewShopAsync();
        var shopper = new Shopper(running.Http, shop.CompanyId, "session_mend") { UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36" };
        // The browser's clock is an hour slow, so its times are corrected by an hour; lying here refused must not add to that.
        var sentAt = TimeProvider.System.GetUtcNow().AddHours(-1);
        await shopper.TrackManyAsync(
        [
            new JsonObject { ["eventType"] = "good", ["eventId"] = "good" },
            new JsonObject { ["eventData"] = new JsonObject { ["n"] = 1 }, ["timestamp"] = sentAt.AddMinutes(-10).ToString("O"), ["eventId"] = "bad" },
        ], sentAt: sentAt.ToString("O"));
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await viewer.Page.ClickAsync("tbody tr");
        Assert.Contains("Chrome, Windows", await viewer.TextAsync("aside"));
        var body = await viewer.Page.InputValueAsync("#body");
        Assert.Contains("\"sessionId\": \"session_mend\"", body);
        await viewer.Page.FillAsync("#body", body.Replace("\"eventData\"", "\"eventType\": \"mended\", \"eventData\""));
        await viewer.Page.ClickAsync("text=Send again");
        await Expect(viewer.Page.Locator(".made")).ToContainTextAsync("Its session is not identified yet.");

        var session = (await shop.Backend.SessionAsync("session_mend")).AssertOk().Body!;
        Assert.Equal(["mended", "good"], session["events"]!.AsArray().Select(shown => shown!["eventType"]!.ToString()));
        var at = DateTimeOffset.Parse(session["events"]![0]!["timestamp"]!.ToString());
        var refusedAt = DateTimeOffset.Parse((await ReceiptsAsync(shop, "bad"))[0]["rejections"]![0]!["receivedAt"]!.ToString());
        Assert.Equal(refusedAt.AddMinutes(-10), at);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task An_identify_is_mended_as_one_and_without_an_id_it_is_stored_once_however_often_it_is_sent()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("session_mend_identify");
        await shopper.TrackAsync("page_view", eventId: "before");
        await shopper.SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"session_mend_identify","email":"nobody","name":"</textarea><script>alert(1)</script>"}""");
        await using var first = await Viewer.OpenAsync(browser, running.Server);
        await first.GoAsync(PageOf(shop));
        await first.Page.ClickAsync("tbody tr");
        await using var second = await Viewer.OpenAsync(browser, running.Server);
        await second.GoAsync(new Uri(first.Page.Url).AbsolutePath);
        var mended = (await first.Page.InputValueAsync("#body")).Replace("nobody", "somebody@example.com");
        Assert.Contains("</textarea><script>", mended);
        foreach (var viewer in new[] { first, second })
        {
            await viewer.Page.FillAsync("#body", mended);
        }

        await first.Page.ClickAsync("text=Send again");
        await Expect(first.Page.Locator(".made")).ToContainTextAsync("timeline");
        await second.Page.ClickAsync("text=Send again");
        await Expect(second.Page.Locator(".made")).ToContainTextAsync("Fixed");

        Assert.Equal("page_view", (await shop.Backend.TimelineAsync((await shop.Backend.ProfileOfAsync("somebody@example.com"))!["id"]!.ToString()))[0]["eventType"]!.ToString());
        Assert.Empty(first.Complaints);
    }

    [Fact]
    public async Task A_batch_that_was_refused_as_a_whole_is_mended_as_a_whole()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("session_mend_batch");
        await shopper.TrackManyAsync([.. Enumerable.Range(0, 30).Select(i => new JsonObject { ["eventType"] = i == 7 ? "" : "page_view", ["eventId"] = $"batch {i}" })], sentAt: "yesterday");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop) + "?eventId=batch+20");
        Assert.Equal(["a batch of 30 events with ids"], await viewer.TextsAsync("tbody .mono"));
        await viewer.Page.ClickAsync("tbody tr");

        var body = (await viewer.Page.InputValueAsync("#body")).Replace("\"yesterday\"", "null");
        await viewer.Page.FillAsync("#body", body);
        await viewer.Page.ClickAsync("text=Send again");
        Assert.Contains("events[7].eventType is empty", await viewer.TextAsync(".problem"));
        Assert.Equal("rejected", (await ReceiptsAsync(shop, "batch 3"))[0]["status"]!.ToString());

        await viewer.Page.FillAsync("#body", body.Replace("\"eventType\": \"\"", "\"eventType\": \"click\""));
        await viewer.Page.ClickAsync("text=Send again");
        await Expect(viewer.Page.Locator(".made")).ToContainTextAsync("Fixed");
        Assert.Equal(30, (await shop.Backend.SessionAsync("session_mend_batch")).Body!["events"]!.AsArray().Count);
        Assert.Equal("stored", (await ReceiptsAsync(shop, "batch 7"))[0]["status"]!.ToString());
    }

    [Fact]
    public async Task What_was_sent_right_meanwhile_is_a_duplicate_and_changes_nothing()
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("", email: "a@example.com", eventId: "evt_late");
        await shop.Backend.WebhookAsync("order_shipped", email: "a@example.com", eventId: "evt_late");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        Assert.Equal(["fixed"], await viewer.TextsAsync("tbody .tag"));
        await viewer.Page.ClickAsync(".choice >> text=Each message");
        Assert.Equal(["sent again correctly"], await viewer.TextsAsync("tbody .tag"));
        await viewer.Page.ClickAsync("tbody tr");
        await viewer.Page.FillAsync("#body", (await viewer.Page.InputValueAsync("#body")).Replace("\"eventType\": \"\"", "\"eventType\": \"order_lost\""));
        await viewer.Page.ClickAsync("text=Send again");
        Assert.Contains("an event with this eventId is already stored, with different content", await viewer.TextAsync("form .bind-note"));
        Assert.Contains("order_lost", await viewer.Page.InputValueAsync("#body"));
        Assert.Equal("duplicate", (await ReceiptsAsync(shop, "evt_late"))[0]["status"]!.ToString());

        await viewer.Page.ClickAsync("#menu >> text=Ingestion");
        await viewer.Page.ClickAsync(".tabs >> text=Warnings");
        Assert.Equal(["The same eventId was sent with different content; the first event stays"], await viewer.TextsAsync("tbody b"));
        await viewer.Page.ClickAsync("tbody tr");
        Assert.Contains("duplicate from a server", await viewer.TextAsync(".became p"));
    }

    [Fact]
    public async Task What_is_not_kept_whole_cannot_be_mended_and_another_company_has_none_of_it()
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("a", new { x = new string('x', 40_000) }, email: "a@example.com", eventId: "evt_large");
        await shop.Backend.PostAsync("/api/webhooks/events", new string(' ', 1024 * 1024 + 1));
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await viewer.Page.ClickAsync("tbody tr >> nth=0");
        Assert.Contains("Its body was not kept", await viewer.TextAsync(".mend"));
        await viewer.GoAsync(PageOf(shop));
        await viewer.Page.ClickAsync("tbody tr >> nth=1");
        Assert.Contains("Only the first 32.0 KiB of", await viewer.TextAsync(".mend"));
        await Expect(viewer.Page.Locator("#body")).ToHaveCountAsync(0);
        var number = new Uri(viewer.Page.Url).AbsolutePath.Split('/')[^1];
        Assert.Equal(404, (await viewer.GoAsync($"/c/{ServerProcess.CompanyId}/ingestion/{number}")).Status);
    }

    /// <summary>A stranger's word is no better for a member's click, whatever it was refused for.</summary>
    [NoStore]
    [Fact]
    public async Task An_identify_is_not_mended_past_the_token_that_it_needs()
    {
        var shop = await running.NewShopAsync(new() { TokenMode = TokenMode.Enforce });
        Assert.Equal(401, (int)(await shop.NewShopper().IdentifyAsync("victim@example.com")).Status);
        Assert.Equal(422, (int)(await shop.NewShopper().IdentifyAsync("victim@@example.com")).Status);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        async Task AssertNotMended(int row)
        {
            await viewer.GoAsync(PageOf(shop));
            await viewer.Page.ClickAsync($"tbody tr >> nth={row}");
            await viewer.Page.FillAsync("#body", (await viewer.Page.InputValueAsync("#body")).Replace("@@", "@"));
            await viewer.Page.ClickAsync("text=Send again");
            Assert.Contains("Only the browser can send it again", await viewer.TextAsync(".problem"));
        }

        await AssertNotMended(row: 0);
        await AssertNotMended(row: 1);

        // What was refused for its token stays so when the company believes browsers again.
        await shop.ChangeAsync(settings => settings with { TokenMode = TokenMode.Off });
        await AssertNotMended(row: 1);
        Assert.Null(await shop.Backend.ProfileOfAsync("victim@example.com"));
    }

    [NoStore]
    [Fact]
    public async Task A_form_without_its_token_stores_nothing()
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("a", email: "nobody", eventId: "evt_token");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await viewer.Page.ClickAsync("tbody tr");
        await viewer.Page.FillAsync("#body", (await viewer.Page.InputValueAsync("#body")).Replace("nobody", "a@example.com"));
        await viewer.Page.EvaluateAsync("document.querySelector('.mend [name=__RequestVerificationToken]').remove()");
        await viewer.Page.ClickAsync("text=Send again");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("The form has expired");
        Assert.Equal("rejected", (await ReceiptsAsync(shop, "evt_token"))[0]["status"]!.ToString());
    }

    [Fact]
    public async Task The_list_goes_on_page_by_page_and_by_source_and_takes_in_what_arrives()
    {
        var shop = await running.NewShopAsync();
        await shop.NewShopper().TrackManyAsync([.. Enumerable.Range(0, 60).Select(i => new JsonObject { ["eventId"] = $"many {i}" })]);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop) + "?view=each");
        Assert.Equal("many 59", (await viewer.TextsAsync("tbody .mono"))[0]);
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");
        await shop.Backend.WebhookAsync("", email: "a@example.com", eventId: "evt_new");
        await Expect(viewer.Page.Locator("tbody .mono").First).ToHaveTextAsync("evt_new");
        await viewer.Page.ClickAsync("text=Older");
        Assert.Equal("many 10", (await viewer.TextsAsync("tbody .mono"))[0]);
        await viewer.GoAsync(PageOf(shop) + "?view=each");
        await viewer.Page.ClickAsync(".choice >> text=Server");
        Assert.Equal(["evt_new"], await viewer.TextsAsync("tbody .mono"));
        Assert.Equal(400, (await viewer.GoAsync(PageOf(shop) + "?view=each&cursor=broken")).Status);
    }

    [Fact]
    public async Task Equal_errors_are_one_line_with_a_count_and_the_navigation_counts_them_too()
    {
        var shop = await running.NewShopAsync();
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop));
        await Expect(viewer.Page.Locator("#menu .badge")).ToHaveCountAsync(0);
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");

        await shop.NewShopper().TrackManyAsync([.. Enumerable.Range(0, 60).Select(i => new JsonObject { ["eventId"] = $"many {i}" })]);
        await shop.Backend.WebhookAsync("a", email: "no address", eventId: "evt_alone");

        await Expect(viewer.Page.Locator("#menu .badge")).ToHaveTextAsync("61 rejected in the last 24 hours");
        await Expect(viewer.Page.Locator("tbody tr")).ToHaveCountAsync(2);
        Assert.Equal(["1", "60"], await viewer.TextsAsync("tbody [data-label=Messages]"));
        await viewer.Page.ClickAsync("tbody tr >> nth=1");
        await Expect(viewer.Page.Locator("tbody tr")).ToHaveCountAsync(50);
        await viewer.Page.ClickAsync("text=Older");
        Assert.Equal(10, await viewer.Page.Locator("tbody tr").CountAsync());
        Assert.Equal("many 9", (await viewer.TextsAsync("tbody .mono"))[0]);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task The_share_of_identified_visitors_stands_by_day_and_in_the_metrics()
    {
        var shop = await running.NewShopAsync();
        for (var i = 0; i < 4; i++)
        {
            var shopper = shop.NewShopper();
            await shopper.TrackAsync("page_view");
            if (i == 0) await shopper.IdentifyAsync("stitched@example.com");
        }

        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync(PageOf(shop) + "?tab=stitch");
        Assert.Equal(["25 %", "1", "4"], await viewer.TextsAsync(".stat b"));
        Assert.Equal(30, await viewer.Page.Locator(".stitch tbody tr").CountAsync());
        Assert.EndsWith("1 4 25 %", (await viewer.TextsAsync(".stitch tbody tr"))[0]);
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1360, ColorScheme.Dark)]
    public async Task No_page_scrolls_sideways(int width, ColorScheme scheme)
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("paid", new { amount = "much", text = new string('x', 300) }, email: "no address", eventId: "evt_" + new string('y', 150));
        await shop.Backend.WebhookAsync("payment_processed", email: "a@example.com", eventId: "evt_" + new string('z', 150));
        await shop.NewShopper().TrackAsync("page_view");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, width, scheme);
        foreach (var path in new[] { "", "?tab=warnings", "?tab=stitch", "?eventId=evt_" + new string('y', 150) })
        {
            await viewer.GoAsync(PageOf(shop) + path);
            Assert.False(await viewer.ScrollsSidewaysAsync(), path);
            await ShootAsync(viewer, $"ingestion{path.Split('=')[^1][..Math.Min(6, path.Split('=')[^1].Length)]}-{width}-{scheme}");
        }

        await viewer.Page.ClickAsync("tbody tr");
        await viewer.Page.ClickAsync("text=Send again");
        Assert.False(await viewer.ScrollsSidewaysAsync());
        await ShootAsync(viewer, $"mend-{width}-{scheme}");
    }

    /// <summary>Leaves a picture where somebody wants to look at the pages.</summary>
    private static async Task ShootAsync(Viewer viewer, string name)
    {
        if (Environment.GetEnvironmentVariable("TRACKMATE_PICTURES") is { Length: > 0 } folder) await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }

    private static string PageOf(Shop shop) => $"/c/{shop.CompanyId}/ingestion";

    private static async Task<IReadOnlyList<JsonNode>> ReceiptsAsync(Shop shop, string eventId) =>
        [.. (await shop.Backend.GetAsync("/api/events/" + Uri.EscapeDataString(eventId))).AssertOk().Body!["receipts"]!.AsArray().Select(receipt => receipt!)];
}
