using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

[Collection(BrowserCollection.Name)]
public sealed class PersonPageTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";

    [Fact]
    public async Task The_journey_stands_in_two_lanes_and_one_order()
    {
        var id = await Sarah.PlayAsync(running, "two.lanes@example.com", "session_two_lanes");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}");

        Assert.Equal(["checkout_started", "user_registered", "add_to_cart", "page_view"], await viewer.TextsAsync(".lanes .c b"));
        Assert.Equal(["email_delivered", "order_shipped", "payment_processed"], await viewer.TextsAsync(".lanes .s b"));
        Assert.Equal(["10:16", "10:15", "10:12", "10:10", "10:08", "10:05", "10:00"], await viewer.TextsAsync(".lanes time"));
        Assert.Equal(["Saturday, 18 October 2025"], await viewer.TextsAsync(".day"));
        Assert.Equal("Identified as two.lanes@example.com: 2 earlier events joined", (await viewer.TextsAsync(".lanes > li"))[5]);
        Assert.Equal(["Visit 10:00 to 10:16 landed on shop.com/homepage 7 events $79.99"], await viewer.TextsAsync(".visit-head"));
        Assert.Equal(["$79.99", "7", "2", "10:16"], await viewer.TextsAsync(".stat b"));
        Assert.True(await LeftOf(viewer, ".lanes .c .ev") < await LeftOf(viewer, ".lanes .s .ev"));

        await viewer.Page.ClickAsync("text=Show oldest first");
        Assert.Equal(["10:00", "10:05", "10:08", "10:10", "10:12", "10:15", "10:16"], await viewer.TextsAsync(".lanes time"));
        Assert.Equal("Identified as two.lanes@example.com: 2 earlier events joined", (await viewer.TextsAsync(".lanes > li"))[2]);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task Each_event_says_why_it_is_here()
    {
        const string Email = "why@example.com";
        var id = await Sarah.PlayAsync(running, Email, "session_why");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}");

        await viewer.Page.ClickAsync(".ev:has-text('page_view')");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("page_view");
        Assert.Equal(
            [
                "It happened in the browser session session_why",
                "The session was identified as why@example.com by an identify at 10:08, claimed; earlier events of the session joined Undo… The session was identified as why@example.com",
                "The e-mail belongs to this profile first seen at 10:08",
                "Sarah Johnson",
            ],
            await viewer.TextsAsync(".chain li"));

        await viewer.Page.ClickAsync(".ev:has-text('payment_processed')");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("payment_processed");
        Assert.Equal("This webhook named the e-mail why@example.com sent with an API key, verified", (await viewer.TextsAsync(".chain li"))[0]);
        Assert.Contains("$79.99, once per payment", await viewer.TextAsync("aside"));
        Assert.Contains("\"paymentMethod\": \"card\"", await viewer.TextAsync("aside pre"));
        Assert.Contains("event=server%3Aevt_5_", viewer.Page.Url);

        await viewer.Page.GoBackAsync();
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("page_view");
        await viewer.Page.Keyboard.PressAsync("Escape");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("Why is it here?");
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task Money_that_a_browser_tells_of_is_said_to_earn_nothing()
    {
        var shopper = running.NewShopper();
        var id = (await shopper.IdentifyAsync("poor@example.com"))["profileId"];
        await shopper.TrackAsync("payment_processed", new { amount = 5, currency = "USD" }, eventId: "poor_1");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        await viewer.GoAsync($"{People}/{id}?event=client:poor_1");

        Assert.Contains("No: events from a browser never count as revenue", await viewer.TextAsync("aside"));
        Assert.Equal("None yet", (await viewer.TextsAsync(".stat b"))[0]);
    }

    [Fact]
    public async Task What_arrives_appears_without_a_reload_and_the_open_event_stays_open()
    {
        const string Email = "live@example.com";
        var id = await Sarah.PlayAsync(running, Email, "session_live");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}?event=client:evt_1_{Email}");
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");
        await viewer.Page.EvaluateAsync("window.stillTheSamePage = true");

        await running.Backend.WebhookAsync("refund_processed", new { orderId = "ch_abc123stripe" + Email, amount = 20, currency = "USD" }, email: Email, at: "2025-10-18T10:20:00Z");

        await Expect(viewer.Page.Locator(".lanes .s").Filter(new() { HasText = "refund_processed" })).ToHaveCountAsync(1);
        await Expect(viewer.Page.Locator(".stat b").First).ToHaveTextAsync("$59.99");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("page_view");
        Assert.True(await viewer.Page.EvaluateAsync<bool>("window.stillTheSamePage === true"));
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Fact]
    public async Task What_outsiders_sent_stays_text_wherever_it_is_shown()
    {
        const string Evil = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></title>";
        var sessionId = "session_evil" + Evil;
        var shopper = running.NewShopper(sessionId);
        await shopper.TrackAsync(Evil, new Dictionary<string, object> { ["address"] = "javascript:alert(3)" + Evil, [Evil] = Evil }, eventId: "evil" + Evil);
        await running.NewShopper("session_stranger" + Evil).TrackAsync("page_view", new { address = Evil });
        var id = (await shopper.IdentifyAsync("evil@example.com", Evil, externalId: Evil))["profileId"];
        await shopper.TrackAsync(new string('x', 300) + Evil);
        await running.Backend.WebhookAsync(Evil, new { carrier = Evil, trackingNumber = Evil }, email: "evil@example.com");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        foreach (var path in new[]
        {
            $"{People}/{id}?event=" + Uri.EscapeDataString("client:evil" + Evil), $"{People}/{id}?tab=traits", $"{People}/{id}?tab=raw", People, $"{People}?q=" + Uri.EscapeDataString(Evil),
            $"/c/{ServerProcess.CompanyId}/live", $"/c/{ServerProcess.CompanyId}/visitors", $"/c/{ServerProcess.CompanyId}/get-started",
            $"/c/{ServerProcess.CompanyId}/visitors/session?id=" + Uri.EscapeDataString(sessionId) + "&event=" + Uri.EscapeDataString("client:evil" + Evil),
        })
        {
            Assert.Equal(200, (await viewer.GoAsync(path)).Status);
            Assert.Equal(0, await viewer.Page.Locator("img").CountAsync());
            Assert.Equal(2, await viewer.Page.Locator("script").CountAsync());
            Assert.Equal(0, await viewer.Page.Locator("a[href^='javascript:']").CountAsync());
        }

        Assert.Contains(Evil, await viewer.TextAsync("aside h2"));
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Fact]
    public async Task A_run_of_equal_events_folds_and_opens()
    {
        var shopper = running.NewShopper();
        var id = (await shopper.IdentifyAsync("runner@example.com", at: "2025-10-18T08:00:00Z"))["profileId"];
        for (var i = 0; i < 38; i++) await shopper.TrackAsync("page_view", new { address = $"https://shop.com/page/{i}" }, $"2025-10-18T09:{i:00}:00Z", $"run_{i:00}");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}");

        Assert.Equal(["38 page views", "user_registered"], await viewer.TextsAsync(".lanes .c b"));
        await viewer.Page.ClickAsync(".fold summary");
        // A fold runs the way of the page.
        Assert.Equal(["client:run_37", "client:run_36"], (await KeysAsync(viewer, ".fold ol li")).Take(2));
        await viewer.Page.ClickAsync(".fold a:has-text('shop.com/page/7')");
        await Expect(viewer.Page.Locator("aside")).ToContainTextAsync("https://shop.com/page/7");
        await Expect(viewer.Page.Locator(".fold details")).ToHaveAttributeAsync("open", "");
    }

    [NoStore]
    [Fact]
    public async Task Without_a_script_everything_still_opens()
    {
        const string Email = "noscript@example.com";
        var id = await Sarah.PlayAsync(running, Email, "session_noscript");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, javaScript: false);
        await viewer.GoAsync(People + "?q=" + Email);

        await viewer.Page.ClickAsync(".row-link");
        await viewer.Page.ClickAsync(".ev:has-text('order_shipped')");

        Assert.EndsWith($"{People}/{id}?event=server%3Aevt_6_{Uri.EscapeDataString(Email)}", viewer.Page.Url);
        Assert.Contains("USPS12345", await viewer.TextAsync("aside pre"));
    }

    [NoStore]
    [Theory]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task On_a_phone_nothing_scrolls_sideways_and_the_menu_is_there(int width, ColorScheme scheme)
    {
        var email = $"phone{width}@example.com";
        var id = await Sarah.PlayAsync(running, email, "session_phone" + width);
        await running.NewShopper().TrackAsync("page_view", new { address = "https://shop.com/" + new string('w', 400) });
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, width, scheme);

        foreach (var path in new[] { People, $"{People}/{id}?event=server:evt_5_{email}", $"{People}/{id}?tab=raw", $"/c/{ServerProcess.CompanyId}/live", $"/c/{ServerProcess.CompanyId}/visitors", $"/c/{ServerProcess.CompanyId}/get-started" })
        {
            await viewer.GoAsync(path);
            Assert.False(await viewer.ScrollsSidewaysAsync(), path);
        }

        await viewer.Page.ClickAsync("text=Menu");
        await viewer.Page.ClickAsync("nav >> text=Visitors");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("Unidentified visitors");
    }

    [Fact]
    public async Task Nobody_is_told_as_a_page()
    {
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        var answer = await viewer.GoAsync($"{People}/0123456789abcdef01234567");

        Assert.Equal(404, answer.Status);
        Assert.Equal("Not found", await viewer.TextAsync("h1"));
        Assert.Equal(404, (await viewer.GoAsync("/c/NO-COMPANY/people")).Status);
        Assert.Equal(404, (await viewer.GoAsync("/nowhere")).Status);
        Assert.Equal("Page not found", await viewer.TextAsync("h1"));
        Assert.Equal(400, (await viewer.GoAsync($"{People}?cursor=damaged")).Status);
        Assert.Empty(viewer.Complaints);
    }

    private static async Task<IReadOnlyList<string>> KeysAsync(Viewer viewer, string selector) => await viewer.Page.Locator(selector).EvaluateAllAsync<string[]>("rows => rows.map(row => row.dataset.key)");

    private static async Task<float> LeftOf(Viewer viewer, string selector) => (await viewer.Page.Locator(selector).First.BoundingBoxAsync())!.X;
}
