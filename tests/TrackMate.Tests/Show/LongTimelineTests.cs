using System.Diagnostics;
using System.Text.Json.Nodes;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>Timelines that are longer than a page: read by scrolling, by links without a script, by date, and through filters.</summary>
[Collection(SecondBrowserCollection.Name)]
public sealed class LongTimelineTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    private const int PageSize = 100;
    private static readonly DateTimeOffset Start = DateTimeOffset.Parse("2024-01-01T00:00:00Z");

    /// <summary>Loads as it is scrolled; the document stays small; no event is missed or shown twice.</summary>
    [NoStore]
    [Fact]
    public async Task Fifty_thousand_events_scroll_in_a_document_that_stays_small()
    {
        const int Events = 50_000;
        var shop = await running.NewShopAsync();
        var id = await FillAsync(shop, Events, minutes: 12);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        var watch = Stopwatch.StartNew();
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");
        TestContext.Current.SendDiagnosticMessage($"50,000 events: page in {watch.ElapsedMilliseconds} ms with the login, first paint {await viewer.Page.EvaluateAsync<int>("Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1)")} ms after its request");
        Assert.InRange(await NodesAsync(viewer), 100, 4_000);

        // What was loaded is noted as it comes; pages far away are emptied again.
        await viewer.Page.EvaluateAsync("""
            window.seen = [];
            const note = (page) => window.seen.push(...[...page.querySelectorAll('li[data-key]:not(.fold)')].map((row) => row.dataset.key));
            document.querySelectorAll('[data-page]').forEach(note);
            window.most = 0;
            new MutationObserver((changes) => {
              for (const change of changes) for (const added of change.addedNodes) if (added.matches?.('[data-page]') && !added.nextElementSibling) note(added);
              window.most = Math.max(window.most, document.querySelectorAll('*').length);
            }).observe(document.querySelector('[data-pages]'), { childList: true });
            """);
        while (await viewer.Page.EvaluateAsync<int>("window.seen.length") < 2_500)
        {
            var before = await viewer.Page.EvaluateAsync<int>("window.seen.length");
            await viewer.Page.EvaluateAsync("scrollTo(0, document.documentElement.scrollHeight)");
            await viewer.Page.WaitForFunctionAsync("before => window.seen.length > before", before);
        }

        var seen = await viewer.Page.EvaluateAsync<string[]>("window.seen");
        Assert.Equal(Enumerable.Range(0, seen.Length).Select(i => $"client:e{Events - 1 - i:000000}"), seen);
        Assert.InRange(await viewer.Page.EvaluateAsync<int>("window.most"), 100, 12_000);
        Assert.True(await viewer.Page.Locator("[data-emptied]").CountAsync() > 10);

        // Scrolled back to the top, what was emptied is there again.
        await viewer.Page.EvaluateAsync("scrollTo(0, 0)");
        await Expect(viewer.Page.Locator("[data-page]").First.Locator("[data-key]").First).ToHaveAttributeAsync("data-key", $"client:e{Events - 1:000000}");
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task Without_a_script_pages_are_links_both_ways()
    {
        var shop = await running.NewShopAsync();
        var id = await FillAsync(shop, 250, minutes: 40);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, javaScript: false);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");
        async Task Shows(int newest, int count)
        {
            Assert.Equal(Enumerable.Range(0, count).Select(i => $"client:e{newest - i:000000}"), (await KeysAsync(viewer)).Where(key => key.StartsWith("client:e", StringComparison.Ordinal)));
        }

        await Shows(249, PageSize);
        await viewer.Page.ClickAsync("text=Earlier events");
        await Shows(149, PageSize);
        await viewer.Page.ClickAsync("text=Earlier events");
        await Shows(49, 50);
        Assert.Equal(0, await viewer.Page.Locator("text=Earlier events").CountAsync());
        await viewer.Page.ClickAsync("text=Later events");
        await Shows(149, PageSize);
        await viewer.Page.ClickAsync("text=Later events");
        await Shows(249, PageSize);
        Assert.Equal(0, await viewer.Page.Locator("text=Later events").CountAsync());

        await viewer.Page.ClickAsync("text=Show oldest first");
        var keys = (await KeysAsync(viewer)).Where(key => key.StartsWith("client:e", StringComparison.Ordinal)).ToList();
        Assert.Equal(Enumerable.Range(0, keys.Count).Select(i => $"client:e{i:000000}"), keys);
        await viewer.Page.ClickAsync("text=Later events");
        Assert.Equal($"client:e{keys.Count:000000}", (await KeysAsync(viewer))[0]);
    }

    [Fact]
    public async Task A_date_is_jumped_to_and_the_address_shows_the_same_again()
    {
        var shop = await running.NewShopAsync();
        var id = await FillAsync(shop, 300, minutes: 60);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");

        await viewer.Page.FillAsync("#jump-date", "2024-01-04");
        await viewer.Page.ClickAsync(".jump button");

        Assert.Equal("Thursday, 4 January 2024", (await viewer.TextsAsync(".day"))[0]);
        Assert.Equal("client:e000095", (await KeysAsync(viewer))[0]);
        var address = viewer.Page.Url;
        await viewer.Page.ClickAsync("text=Later events");
        Assert.Contains("client:e000096", await KeysAsync(viewer));
        await viewer.Page.GotoAsync(address);
        Assert.Equal("client:e000095", (await KeysAsync(viewer))[0]);
        Assert.Empty(viewer.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Filters_stand_in_the_address(bool javaScript)
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("session_phone");
        var id = (await shopper.IdentifyAsync("filters@example.com", at: "2025-10-18T08:00:00Z"))["profileId"];
        await shopper.TrackAsync("page_view", new { address = "https://shop.com/Café-Zürich" }, "2025-10-18T09:00:00Z", "phone_view");
        await shopper.TrackAsync("scroll", at: "2025-10-18T09:01:00Z", eventId: "phone_scroll");
        var other = shop.NewShopper("session_desk");
        await other.IdentifyAsync("filters@example.com", at: "2025-10-19T08:00:00Z");
        await other.TrackAsync("page_view", new { address = "https://shop.com/desk" }, "2025-10-19T09:00:00Z", "desk_view");
        await shop.Backend.WebhookAsync("order_shipped", new { carrier = "USPS" }, email: "filters@example.com", eventId: "shipped", at: "2025-10-20T09:00:00Z");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, javaScript: javaScript);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");

        async Task Filtered(string field, string value, params string[] keys)
        {
            await viewer.Page.GotoAsync(new Uri(running.Server.Address, $"/c/{shop.CompanyId}/people/{id}").ToString());
            await viewer.Page.ClickAsync(".filters summary");
            if (field == "source") await viewer.Page.SelectOptionAsync("#filter-source", value);
            else await viewer.Page.FillAsync("#filter-" + field, value);
            await viewer.Page.ClickAsync(".filters button");
            Assert.Equal(keys, await KeysAsync(viewer));
            Assert.Contains($"{field}={Uri.EscapeDataString(value)}", viewer.Page.Url);
        }

        await Filtered("type", "page_view", "client:desk_view", "client:phone_view");
        await Filtered("source", "server", "server:shipped");
        await Filtered("session", "session_desk", "client:desk_view");
        await Filtered("from", "2025-10-19", "server:shipped", "client:desk_view");
        await Filtered("to", "2025-10-18", "client:phone_scroll", "client:phone_view", "client:reg_" + id);
        await Filtered("q", "cafe", "client:phone_view");
        await Filtered("q", "nothing-like-it");
        Assert.Contains("No event matches these filters.", await viewer.TextAsync(".pages"));
        await viewer.Page.ClickAsync("text=Clear filters");
        Assert.Equal(5, (await KeysAsync(viewer)).Count);
    }

    [Fact]
    public async Task Visits_say_where_they_came_from_and_an_empty_lane_gives_its_place_away()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        var id = (await shopper.IdentifyAsync("visits@example.com", at: "2025-10-18T07:00:00Z"))["profileId"];
        await shopper.TrackManyAsync(
        [
            Event("a1", "2025-10-18T09:00:00Z", """{"page":{"address":"https://shop.com/sale?utm_source=google","referrer":"https://google.com/"},"utm":{"source":"google","campaign":"spring_sale"}}"""),
            Event("a2", "2025-10-18T09:20:00Z", "{}"),
            Event("b1", "2025-10-18T09:50:00Z", """{"page":{"address":"https://shop.com/shoes","referrer":"https://www.instagram.com/p/1"}}"""),
            Event("c1", "2025-10-18T12:00:00Z", """{"page":{"address":"https://shop.com/","referrer":"https://shop.com/shoes"}}"""),
        ]);
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 10, currency = "USD", paymentId = "p1" }, email: "visits@example.com", at: "2025-10-18T12:05:00Z", eventId: "paid");
        await shop.Backend.WebhookAsync("order_shipped", email: "visits@example.com", at: "2025-10-18T15:00:00Z", eventId: "shipped");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");

        Assert.Equal(
            [
                "From servers 15:00 1 event",
                "Visit 12:00 to 12:05 landed on shop.com 2 events $10.00",
                "Visit 09:50 from instagram.com landed on shop.com/shoes 1 event",
                "Visit 09:00 to 09:20 from google, campaign spring_sale landed on shop.com/sale 2 events",
                "Visit 07:00 1 event",
            ],
            await viewer.TextsAsync(".visit-head"));
        // Two lanes only where both have events.
        Assert.Equal(1, await viewer.Page.Locator(".lane-heads").CountAsync());
        var (lane, alone) = ((await viewer.Page.Locator("[data-key='client:c1'] .ev").BoundingBoxAsync())!, (await viewer.Page.Locator("[data-key='client:a1'] .ev").BoundingBoxAsync())!);
        Assert.True(alone.Width > lane.Width * 1.8);
    }

    [Fact]
    public async Task A_visit_that_a_page_cuts_says_where_it_came_from_on_both_pages()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        var id = (await shopper.IdentifyAsync("cut@example.com", at: "2025-10-17T07:00:00Z"))["profileId"];
        var events = new JsonArray();
        for (var i = 0; i < 150; i++) events.Add(Event($"v{i:000}", $"2025-10-18T{9 + (i / 60):00}:{i % 60:00}:00Z", i == 0 ? """{"utm":{"source":"newsletter"},"page":{"address":"https://shop.com/new"}}""" : "{}", i % 2 == 0 ? "page_view" : "scroll"));
        (await shopper.TrackManyAsync(events)).AssertOk();
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, javaScript: false);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");

        Assert.Equal("Visit 09:00 to 11:29 from newsletter landed on shop.com/new at least 150 events", (await viewer.TextsAsync(".visit-head"))[0]);
        await viewer.Page.ClickAsync("text=Earlier events");
        Assert.StartsWith("Visit, continued 09:00 to 09:49 from newsletter", (await viewer.TextsAsync(".visit-head"))[0]);
    }

    [NoStore]
    [Fact]
    public async Task What_arrives_while_a_reader_is_further_down_is_announced_and_moves_nothing()
    {
        var shop = await running.NewShopAsync();
        var id = await FillAsync(shop, 250, minutes: 40);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");
        await Expect(viewer.Page.Locator("[data-page]")).ToHaveCountAsync(1);
        await viewer.Page.EvaluateAsync("scrollTo(0, document.documentElement.scrollHeight)");
        await Expect(viewer.Page.Locator("[data-page]")).ToHaveCountAsync(2);

        await shop.NewShopper("session_long").TrackAsync("page_view", eventId: "fresh", at: "2025-11-01T10:00:00Z");

        await Expect(viewer.Page.Locator("[data-fresh]")).ToBeVisibleAsync();
        await Expect(viewer.Page.Locator("[data-key='client:fresh']")).ToHaveCountAsync(0);
        await viewer.Page.ClickAsync("[data-fresh] a");
        await Expect(viewer.Page.Locator("[data-key='client:fresh']")).ToHaveCountAsync(1);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task An_event_of_a_page_further_down_opens_without_losing_the_place()
    {
        var shop = await running.NewShopAsync();
        var id = await FillAsync(shop, 250, minutes: 40);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{id}");
        await viewer.Page.EvaluateAsync("scrollTo(0, document.documentElement.scrollHeight)");
        await viewer.Page.ClickAsync("[data-key='client:e000120'] a");

        await Expect(viewer.Page.Locator("aside .facts")).ToContainTextAsync("e000120");
        await Expect(viewer.Page.Locator(".ev.on")).ToHaveCountAsync(1);
        await Expect(viewer.Page.Locator("[data-key='client:e000121']")).ToHaveCountAsync(1);
        await viewer.Page.ClickAsync("[data-key='client:e000160'] a");
        await Expect(viewer.Page.Locator("aside .facts")).ToContainTextAsync("e000160");
        await Expect(viewer.Page.Locator(".ev.on")).ToHaveCountAsync(1);
        await viewer.Page.GoBackAsync();
        await Expect(viewer.Page.Locator("aside .facts")).ToContainTextAsync("e000120");
        await viewer.Page.ReloadAsync();
        await Expect(viewer.Page.Locator("[data-key='client:e000120'] .on")).ToHaveCountAsync(1);
        Assert.Empty(viewer.Complaints);
    }

    /// <summary>Events of one session, so many minutes apart, and no two neighbours alike.</summary>
    private static async Task<string> FillAsync(Shop shop, int events, int minutes)
    {
        var shopper = shop.NewShopper("session_long");
        var id = (await shopper.IdentifyAsync("long@example.com", "Lena Long", at: "2023-12-01T00:00:00Z"))["profileId"]!;
        for (var first = 0; first < events; first += 500)
        {
            var batch = new JsonArray();
            for (var i = first; i < Math.Min(first + 500, events); i++) batch.Add(Event($"e{i:000000}", Start.AddMinutes((long)i * minutes).ToString("O"), "{}", i % 2 == 0 ? "page_view" : "scroll"));
            (await shopper.TrackManyAsync(batch)).AssertOk();
        }

        return id;
    }

    private static JsonObject Event(string eventId, string at, string context, string type = "page_view") => new()
    {
        ["eventType"] = type,
        ["eventId"] = eventId,
        ["timestamp"] = at,
        ["context"] = JsonNode.Parse(context),
        ["eventData"] = new JsonObject { ["number"] = eventId },
    };

    private static Task<int> NodesAsync(Viewer viewer) => viewer.Page.EvaluateAsync<int>("document.querySelectorAll('*').length");

    private static async Task<IReadOnlyList<string>> KeysAsync(Viewer viewer) => await viewer.Page.Locator(".lanes li[data-key]").EvaluateAllAsync<string[]>("rows => rows.map(row => row.dataset.key)");
}
