using TrackMate.Manage;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>The pages that are not about one person, each test on a server of its own: they show what a company has and has not.</summary>
[Collection(BrowserCollection.Name)]
public sealed class DashboardTests(BrowserFixture browser)
{
    private const string Company = $"/c/{ServerProcess.CompanyId}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_company_is_led_to_get_started_and_its_lights_turn_green_by_themselves()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync("/");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("Get started");
        Assert.Contains($"TrackMate.init('{ServerProcess.CompanyId}', '{server.Address.ToString().TrimEnd('/')}')", await viewer.TextAsync("#snippet"));
        await Expect(viewer.Page.Locator(".light.on")).ToHaveCountAsync(0);
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");

        await shopper.TrackAsync("page_view", new { address = "https://shop.com/" });
        await Expect(viewer.Page.Locator(".light.on b")).ToHaveTextAsync(["First page view"]);
        await shopper.IdentifyAsync("first@example.com");
        await Expect(viewer.Page.Locator(".light.on b")).ToHaveTextAsync(["First page view", "First identify"]);
        await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("order_shipped", email: "first@example.com");
        await Expect(viewer.Page.Locator(".light.on b")).ToHaveTextAsync(["First page view", "First identify", "First webhook"]);

        await shopper.TrackAsync("page_view", new[] { 1 });
        await Expect(viewer.Page.Locator(".refused li")).ToHaveCountAsync(1);
        Assert.Contains("eventData is an array; send an object.", await viewer.TextAsync(".refused summary"));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_key_made_here_is_shown_once_and_opens_the_api()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(Company + "/get-started");

        await viewer.Page.FillAsync("#keyname", "Shop back end");
        await viewer.Page.ClickAsync("text=Create the key");

        var key = await viewer.TextAsync("#made");
        // It is shown once: so the page comes back where it is.
        await Expect(viewer.Page.Locator("#made")).ToBeInViewportAsync();
        Assert.StartsWith("tm_live_", key);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await new ShopBackend(server.Http, key).WebhookAsync("order_shipped", email: "a@example.com")).Status);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await new ShopBackend(server.Http, key).GetAsync("/api/profiles")).Status);
        await viewer.GoAsync(Company + "/get-started");
        Assert.Contains("Shop back end", await viewer.TextAsync(".keys"));
        Assert.DoesNotContain(key, await viewer.Page.ContentAsync());
    }

    [Fact]
    public async Task People_are_found_by_name_email_and_external_id()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(Company + "/people");
        Assert.Contains("Nobody yet", await viewer.TextAsync("main"));

        await shopper.IdentifyAsync("ada@example.com", "Ada Lovelace");
        await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync(externalId: "customer-77", name: "Grace Hopper");
        await Expect(viewer.Page.Locator(".names b")).ToHaveTextAsync(["Grace Hopper", "Ada Lovelace"]);

        foreach (var (search, found) in new[] { ("lovelace", "Ada Lovelace"), ("ADA@", "Ada Lovelace"), ("customer-77", "Grace Hopper") })
        {
            await viewer.Page.Keyboard.PressAsync("Control+k");
            await viewer.Page.Keyboard.TypeAsync(search);
            await viewer.Page.Keyboard.PressAsync("Enter");
            await Expect(viewer.Page.Locator(".names b")).ToHaveTextAsync([found]);
        }

        await viewer.GoAsync(Company + "/people?q=nobody%25");
        Assert.Contains("Nobody has “nobody%” in a name, e-mail or external id, and it is not the id of a profile, session, event, order, payment or parcel.", await viewer.TextAsync("main"));
    }

    [Fact]
    public async Task The_live_page_shows_what_arrives_pauses_and_filters()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId, "session_watched");
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(Company + "/live");
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");

        await shopper.TrackAsync("page_view", new { address = "https://shop.com/" });
        await Expect(viewer.Page.Locator(".c b")).ToHaveTextAsync(["page_view"]);
        await backend.WebhookAsync("order_shipped", email: "live@example.com");
        await Expect(viewer.Page.Locator(".lanes b")).ToHaveTextAsync(["order_shipped", "page_view"]);

        await viewer.Page.ClickAsync("text=Pause");
        await shopper.TrackAsync("scroll");
        await Expect(viewer.Page.Locator("[data-pause]")).ToHaveTextAsync("Resume, new events");
        Assert.Equal(["order_shipped", "page_view"], await viewer.TextsAsync(".lanes b"));
        await viewer.Page.ClickAsync("[data-pause]");
        await Expect(viewer.Page.Locator(".lanes b")).ToHaveTextAsync(["scroll", "order_shipped", "page_view"]);

        await viewer.Page.ClickAsync(".choice >> text=Server");
        Assert.Equal(["order_shipped"], await viewer.TextsAsync(".lanes b"));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task An_event_for_an_id_that_nobody_has_yet_leads_to_a_page_that_says_so()
    {
        await using var server = await ServerProcess.StartAsync();
        const string Unknown = "0123456789abcdef01234567";
        await new ShopBackend(server.Http, ServerProcess.ApiKey).PostAsync("/api/webhooks/events", $$"""{"identifier":{"userId":"{{Unknown}}"},"eventType":"order_shipped","eventId":"early"}""");
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(Company + "/live");
        await viewer.Page.ClickAsync("text=order_shipped");

        Assert.Contains($"/people/{Unknown}", viewer.Page.Url);
        Assert.Contains("no e-mail or external id leads to it yet", await viewer.TextAsync("main"));
        Assert.Equal(["order_shipped"], await viewer.TextsAsync(".lanes b"));
        Assert.Equal(404, (await viewer.GoAsync($"{Company}/people/{Unknown[..23]}8")).Status);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_visitor_is_listed_until_identified()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId, "session_1729260000_stranger");
        await shopper.TrackAsync("page_view", new { address = "https://shop.com/sale" });
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(Company + "/visitors");
        await Expect(viewer.Page.Locator(".pulse")).ToHaveClassAsync("pulse on");
        await viewer.Page.ClickAsync("text=shop.com/sale");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("An unidentified visitor");

        await shopper.IdentifyAsync("known@example.com", "Now Known");

        await Expect(viewer.Page.Locator(".bind-note")).ToContainTextAsync("Now Known");
        await viewer.GoAsync(Company + "/visitors");
        Assert.Contains("No unidentified visitors", await viewer.TextAsync("main"));
    }

    [EmbeddedOnly]
    [Fact]
    public async Task While_the_store_cannot_be_read_the_page_says_so_and_then_works_again()
    {
        await using var server = await ServerProcess.StartAsync();
        using var person = new DashboardClient();
        Assert.Equal(System.Net.HttpStatusCode.Redirect, await person.LogInAsync(server));
        var database = Path.Combine(server.DataFolder, "trackmate.db");
        File.Move(database, database + ".away");

        // Connections that are open already go on reading the file that was moved; so many pages at once need a new one.
        var answer = await Eventually.BecomesAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => person.GetAsync(server, Company + "/people")))).MaxBy(answer => answer.StatusCode)!,
            answer => answer.StatusCode is not System.Net.HttpStatusCode.OK);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("The store is not available", await answer.Content.ReadAsStringAsync(Cancel));
        File.Move(database + ".away", database);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await person.GetAsync(server, Company + "/people")).StatusCode);
    }

    [Fact]
    public async Task A_changed_password_ends_older_logins()
    {
        await using var server = await ServerProcess.StartAsync();
        using var person = new DashboardClient();
        Assert.Equal(System.Net.HttpStatusCode.Redirect, await person.LogInAsync(server));
        Assert.Equal(System.Net.HttpStatusCode.OK, (await person.GetAsync(server, Company + "/people")).StatusCode);

        using (var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System)) registry.SetPassword(FirstStart.AdminName, FirstStart.HashPassword("another good password"));

        var answer = await Eventually.BecomesAsync(() => person.GetAsync(server, Company + "/people"), page => page.StatusCode is System.Net.HttpStatusCode.Redirect);
        Assert.Contains("/login", answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task Companies_are_switched_between_and_see_nothing_of_each_other()
    {
        await using var server = await ServerProcess.StartAsync();
        using (var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System)) registry.AddCompany("TM-OTHER", "The other shop");
        var id = (await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync("mine@example.com"))["profileId"];
        await using var viewer = await Viewer.OpenAsync(browser, server);
        // The running server reads the registry a few times a second.
        await Eventually.BecomesAsync(async () => { await viewer.GoAsync($"{Company}/people/{id}"); return await viewer.Page.Locator(".switch").CountAsync(); }, switches => switches == 1);

        await viewer.Page.ClickAsync(".switch summary");
        await viewer.Page.ClickAsync("text=The other shop");

        Assert.EndsWith("/c/TM-OTHER/people", viewer.Page.Url);
        Assert.Contains("Nobody yet", await viewer.TextAsync("main"));
        Assert.Equal(404, (await viewer.GoAsync($"/c/TM-OTHER/people/{id}")).Status);
    }

    [NoStore]
    [Fact]
    public async Task Stylesheet_and_script_are_kept_for_good_and_change_their_address_when_they_change()
    {
        await using var server = await ServerProcess.StartAsync();
        var page = await server.Http.GetStringAsync("/login", Cancel);
        var addresses = System.Text.RegularExpressions.Regex.Matches(page, "/assets/[a-z]+-[0-9a-f]{16}\\.(css|js)").Select(match => match.Value).ToList();
        Assert.Contains(addresses, address => address.EndsWith(".css", StringComparison.Ordinal));
        foreach (var address in addresses)
        {
            var answer = await server.Http.GetAsync(address, Cancel);
            Assert.Contains("immutable", answer.Headers.CacheControl!.ToString());
            Assert.NotNull(answer.Headers.ETag);
            Assert.True((await answer.Content.ReadAsByteArrayAsync(Cancel)).Length > 1000);
        }
    }
}
