using System.Text.Json.Nodes;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Journeys;

/// <summary>Sarah's story once more, with nothing left to imagination: a real browser at the sample shop's page, the shop's own back end, and the server.</summary>
[Collection(SecondBrowserCollection.Name)]
public sealed class ShopJourneyTests(BrowserFixture browser, RunningShop running) : IClassFixture<RunningShop>
{
    private static readonly string[] Journey = ["page_view", "add_to_cart", "user_registered", "checkout_started", "payment_processed", "order_shipped", "email_delivered"];

    private ServerProcess Server => running.Server;

    private ShopProcess Shop => running.Shop;

    private ShopBackend Backend => new(Server.Http, ServerProcess.ApiKey);

    [Fact]
    public async Task Her_seven_events_are_one_timeline()
    {
        await using var window = await browser.NewWindowAsync();
        var sarah = await ShopVisitor.EnterAsync(window, Shop.Address);
        await sarah.AddHeadphonesAsync();
        await sarah.RegisterAsync("Sarah Johnson", "sarah@example.com");
        var orderId = await sarah.PayAsync();
        await sarah.ConfirmationArrivesAsync();

        var timeline = await TimelineOfAsync("sarah@example.com", Journey.Length);
        Assert.Equal(Journey, TypesOf(timeline));
        Assert.Equal(["client", "client", "client", "client", "server", "server", "server"], timeline.Select(found => $"{found["source"]}"));

        var session = await sarah.SessionIdAsync();
        Assert.All(timeline.Take(4), found => Assert.Equal(session, $"{found["sessionId"]}"));
        var serverSession = $"{timeline[4]["sessionId"]}";
        Assert.StartsWith("webhook_", serverSession);
        Assert.All(timeline.Skip(4), found => Assert.Equal(serverSession, $"{found["sessionId"]}"));

        Assert.Equal(Shop.Address.ToString(), $"{timeline[0]["eventData"]!["address"]}");
        Assert.Equal("""[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]""", timeline[1]["eventData"]!["productInfos"]!.ToJsonString());
        Assert.Equal(orderId, $"{timeline[4]["eventData"]!["orderId"]}");
        Assert.Equal("79.99", timeline[4]["eventData"]!["amount"]!.ToJsonString());
        Assert.Equal(orderId, $"{timeline[5]["eventData"]!["orderId"]}");
        Assert.Equal("order_confirmation", $"{timeline[6]["eventData"]!["emailType"]}");

        var profile = (await Backend.ProfileOfAsync("sarah@example.com"))!;
        Assert.Equal("Sarah Johnson", $"{profile["name"]}");
        Assert.Equal(7, (int)profile["totals"]!["events"]!);
        Assert.Equal("""{"client":1,"server":1}""", profile["totals"]!["sessions"]!.ToJsonString());
        Assert.Equal("""[{"currency":"USD","amount":"79.99"}]""", profile["totals"]!["revenue"]!.ToJsonString());

        // The same profile by e-mail, by session and by id.
        var profileId = $"{profile["id"]}";
        Assert.Equal(profileId, (await Backend.GetAsync($"/api/profiles/{profileId}"))["id"]);
        Assert.Equal(profileId, (await Backend.GetAsync($"/api/sessions/{session}"))["userId"]);
        Assert.Equal(profileId, (await Backend.GetAsync($"/api/sessions/{serverSession}"))["userId"]);

        Assert.Empty(sarah.Complaints);

        // Asking for what has not arrived yet is answered 404, which is no refusal of a message.
        var metrics = await Server.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(metrics.Split('\n'), line => line.StartsWith("trackmate_messages_refused_total{", StringComparison.Ordinal) && !line.Contains("reason=\"not_found\"", StringComparison.Ordinal));
    }

    [NoStore]
    [Fact]
    public async Task Who_signs_in_after_her_on_the_same_device_is_somebody_else()
    {
        await using var window = await browser.NewWindowAsync();
        var visitor = await ShopVisitor.EnterAsync(window, Shop.Address);
        await visitor.AddHeadphonesAsync();
        await visitor.RegisterAsync("Sarah Johnson", "sarah.shared@example.com");
        var sarahsOrder = await visitor.PayAsync();
        await visitor.ConfirmationArrivesAsync();
        var sarahsSession = await visitor.SessionIdAsync();
        await visitor.SignOutAsync();

        await visitor.AddHeadphonesAsync();
        await visitor.RegisterAsync("Ben Miller", "ben@example.com");
        var bensOrder = await visitor.PayAsync();
        await visitor.ConfirmationArrivesAsync();
        var bensSession = await visitor.SessionIdAsync();

        Assert.NotEqual(sarahsSession, bensSession);
        foreach (var (email, session, order) in new[] { ("sarah.shared@example.com", sarahsSession, sarahsOrder), ("ben@example.com", bensSession, bensOrder) })
        {
            var timeline = await TimelineOfAsync(email, Journey.Length);
            Assert.Equal(Journey, TypesOf(timeline));
            Assert.All(timeline.Take(4), found => Assert.Equal(session, $"{found["sessionId"]}"));
            Assert.All(timeline.Skip(4).Take(2), found => Assert.Equal(order, $"{found["eventData"]!["orderId"]}"));
            Assert.Equal("""[{"currency":"USD","amount":"79.99"}]""", (await Backend.ProfileOfAsync(email))!["totals"]!["revenue"]!.ToJsonString());
        }

        Assert.NotEqual($"{(await Backend.ProfileOfAsync("sarah.shared@example.com"))!["id"]}", $"{(await Backend.ProfileOfAsync("ben@example.com"))!["id"]}");
    }

    [Fact]
    public async Task What_happens_while_the_server_is_down_arrives_once_when_it_is_back()
    {
        await using var alone = new RunningShop();
        await alone.InitializeAsync();
        var backend = new ShopBackend(alone.Server.Http, ServerProcess.ApiKey);
        await using var window = await browser.NewWindowAsync();
        var sarah = await ShopVisitor.EnterAsync(window, alone.Shop.Address);
        await Eventually.BecomesAsync(async () => await backend.GetAsync($"/api/sessions/{await sarah.SessionIdAsync()}"), found => found.Body?["events"] is not null);

        await alone.Server.KillAsync();
        await sarah.AddHeadphonesAsync();
        await sarah.RegisterAsync("Sarah Johnson", "sarah.down@example.com");
        await sarah.PayAsync();
        await sarah.ConfirmationArrivesAsync();
        await alone.Shop.PrintsAsync("payment_processed payment:ch_");

        await using var again = await ServerProcess.StartAsync(alone.Server.DataFolder, new Dictionary<string, string?> { ["TRACKMATE_URLS"] = alone.Server.Address.ToString() });
        var timeline = await TimelineOfAsync("sarah.down@example.com", Journey.Length, backend);
        Assert.Equal(Journey, TypesOf(timeline));
        // The sign-up is the server's own word, taken from the identify.
        Assert.All(timeline.Skip(1).Where(found => $"{found["eventType"]}" != "user_registered"), found => Assert.True(TimeOf(found, "receivedAt") > TimeOf(found, "timestamp"), $"{found["eventType"]} keeps the time at which it happened."));

        // Then the queue and the outbox are empty: nothing is left that could come a second time.
        var kept = await Eventually.BecomesAsync(() => sarah.Page.EvaluateAsync<string[]>("Object.keys(localStorage).filter((key) => key.includes(':message:'))"), left => left.Length == 0);
        Assert.Empty(kept);
        Assert.Equal("""[{"currency":"USD","amount":"79.99"}]""", (await backend.ProfileOfAsync("sarah.down@example.com"))!["totals"]!["revenue"]!.ToJsonString());
    }

    [NoStore]
    [Fact]
    public async Task A_reload_and_a_second_tab_stay_in_the_session()
    {
        await using var window = await browser.NewWindowAsync();
        var first = await ShopVisitor.EnterAsync(window, Shop.Address);
        var session = await first.SessionIdAsync();
        await first.Page.ReloadAsync();
        await first.IsReadyAsync();
        var second = await ShopVisitor.EnterAsync(window, Shop.Address, "/about");
        Assert.Equal(session, await first.SessionIdAsync());
        Assert.Equal(session, await second.SessionIdAsync());

        await first.AddHeadphonesAsync();
        await second.Page.BringToFrontAsync();
        await second.RegisterAsync("Sarah Johnson", "sarah.tabs@example.com");

        var timeline = await TimelineOfAsync("sarah.tabs@example.com", 5);
        Assert.Equal(["page_view", "page_view", "page_view", "add_to_cart", "user_registered"], TypesOf(timeline));
        Assert.All(timeline, found => Assert.Equal(session, $"{found["sessionId"]}"));
    }

    [NoStore]
    [Fact]
    public async Task Each_page_inside_the_page_is_one_page_view()
    {
        await using var window = await browser.NewWindowAsync();
        var visitor = await ShopVisitor.EnterAsync(window, Shop.Address);
        var page = visitor.Page;
        await page.Locator("header").GetByRole(AriaRole.Link, new() { Name = "Shipping" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Shipping" }).WaitForAsync();
        await page.Locator("header").GetByRole(AriaRole.Link, new() { Name = "About" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "About" }).WaitForAsync();
        await page.GoBackAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Shipping" }).WaitForAsync();
        await page.Locator("main").GetByRole(AriaRole.Link, new() { Name = "Back to the headphones" }).And(page.Locator(":visible")).ClickAsync();

        // Parts of a page are no pages.
        await page.GetByRole(AriaRole.Link, new() { Name = "Look at them" }).ClickAsync();
        await visitor.AddHeadphonesAsync();

        var session = await visitor.SessionIdAsync();
        var events = await Eventually.BecomesAsync(
            async () => (await Backend.GetAsync($"/api/sessions/{session}")).Body?["events"]?.AsArray() ?? [],
            found => found.Any(each => $"{each!["eventType"]}" == "add_to_cart"));
        Assert.Equal(
            ["page_view /", "page_view /shipping", "page_view /about", "page_view /shipping", "page_view /", "add_to_cart /#headphones"],
            events.Select(each => $"{each!["eventType"]} {$"{each["eventData"]!["address"]}".Replace(Shop.Address.ToString(), "/")}"));
    }

    /// <summary>The timeline as soon as it has so many events, oldest first.</summary>
    private async Task<IReadOnlyList<JsonNode>> TimelineOfAsync(string email, int events, ShopBackend? backend = null) => await Eventually.BecomesAsync(
        async () => await (backend ?? Backend).ProfileOfAsync(email) is { } profile ? await (backend ?? Backend).TimelineAsync($"{profile["id"]}") : [],
        timeline => timeline.Count >= events);

    private static IEnumerable<string> TypesOf(IEnumerable<JsonNode> events) => events.Select(found => $"{found["eventType"]}");

    private static DateTimeOffset TimeOf(JsonNode found, string name) => DateTimeOffset.Parse($"{found[name]}");
}
