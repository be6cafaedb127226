using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>Below a path of a host that serves other things: every link, form, redirect, file, stream and cookie stays below it.</summary>
[Collection(SecondBrowserCollection.Name)]
[NoStore]
public sealed class PathBaseTests(BrowserFixture browser)
{
    private const string Base = "/tools/trackmate";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>How it is told: by the setting or by the proxy, and whether the proxy takes the path off.</summary>
    [Theory]
    [InlineData(true, true, false)]
    [InlineData(true, false, false)]
    [InlineData(false, true, true)]
    [InlineData(false, false, true)]
    public async Task The_dashboard_works_below_a_path(bool isSet, bool strips, bool tells)
    {
        await using var server = await StartAsync(isSet ? Base : null);
        await using var proxy = await ReverseProxy.StartAsync(server, Base, strips, tells);
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        await backend.WebhookAsync("order_shipped", email: "sarah@example.com");
        await using var viewer = await Viewer.OpenAsync(browser, server);
        var page = viewer.Page;
        string At(string path) => proxy.Address.ToString().TrimEnd('/') + Base + path;

        // From the bare path by way of the login to the first company's people.
        await page.GotoAsync(At("/"));
        Assert.StartsWith(At("/login"), page.Url);
        await viewer.LogInAsync();
        await page.WaitForURLAsync(At($"/c/{ServerProcess.CompanyId}/people"));
        await Expect(page.Locator("h1")).ToBeVisibleAsync();
        await Expect(page.Locator(".pulse")).ToHaveClassAsync("pulse on");

        // Every link that stands on the pages leads to a page.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([page.Url]);
        while (open.TryDequeue(out var address))
        {
            if (!seen.Add(address) || seen.Count > 40) continue;
            var answer = await page.GotoAsync(address);
            Assert.True(answer!.Status == 200, $"{address} answers {answer.Status}.");
            foreach (var link in await page.EvaluateAsync<string[]>("[...document.querySelectorAll('a[href]')].map((a) => a.href.split('#')[0])"))
            {
                Assert.StartsWith(At("/"), link);
                open.Enqueue(link);
            }

            Assert.All(await page.EvaluateAsync<string[]>("[...document.querySelectorAll('form, link[rel=stylesheet], script[src]')].map((e) => e.action ?? e.href ?? e.src).map(String)"), used => Assert.StartsWith(At("/"), used));
        }

        Assert.True(seen.Count > 8, $"Only {seen.Count} pages were found.");

        // What is pasted into pages names the address that browsers reach.
        await page.GotoAsync(At($"/c/{ServerProcess.CompanyId}/get-started"));
        Assert.Contains($"'{At("")}'", await viewer.TextAsync("#snippet"));

        // A form that is sent comes back below the path, and the cookies are its own.
        await page.FillAsync("#keyname", "Shop back end");
        await page.ClickAsync("text=Create the key");
        await Expect(page.Locator("#made")).ToBeVisibleAsync();
        Assert.All(await page.Context.CookiesAsync(), cookie => Assert.True(cookie.Path.TrimEnd('/') == Base, $"The cookie {cookie.Name} has the path {cookie.Path}."));
        await page.ClickAsync("text=Log out");
        Assert.StartsWith(At("/login"), page.Url);

        Assert.Empty(proxy.Strays);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task The_page_to_try_the_API_works_below_a_path()
    {
        await using var server = await StartAsync(null);
        await using var proxy = await ReverseProxy.StartAsync(server, Base, strips: true, tells: true);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.Page.GotoAsync(new Uri(proxy.Address, Base + "/docs/").ToString());
        await Expect(viewer.Page.GetByText("Send a browser's events").First).ToBeVisibleAsync();
        Assert.Empty(proxy.Strays);
    }

    /// <summary>The SDK with its address, and the calls by themselves.</summary>
    [Fact]
    public async Task Pages_send_below_a_path()
    {
        await using var server = await StartAsync(null);
        await using var proxy = await ReverseProxy.StartAsync(server, Base, strips: true, tells: true);
        using var http = new HttpClient { BaseAddress = new(proxy.Address, Base + "/") };
        foreach (var (path, session) in new[] { ("api/events", "one"), ("t/events", "two") })
        {
            var body = new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = session, ["eventType"] = "page_view" };
            using var answer = await http.PostAsync(path, new StringContent(body.ToJsonString()), Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Single((await new ShopBackend(http, ServerProcess.ApiKey).GetAsync("api/sessions/" + session)).AssertOk().Body!["events"]!.AsArray());
        }

        Assert.NotEmpty(await http.GetByteArrayAsync("t/script.js", Cancel));
    }

    [Theory]
    [InlineData("/evil.com/..")]
    [InlineData("//evil.com")]
    [InlineData("/\\evil.com")]
    [InlineData("https://evil.com")]
    [InlineData("/a b")]
    [InlineData("/\"><script>")]
    [InlineData("/%2e%2e")]
    public async Task A_prefix_that_is_no_path_is_not_believed(string prefix)
    {
        await using var server = await StartAsync(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/login");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "198.51.100.7");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Prefix", prefix);
        using var answer = await server.Http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("\"/assets/", await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_stranger_cannot_name_a_prefix()
    {
        await using var server = await ServerProcess.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/login");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Prefix", "/elsewhere");
        using var answer = await server.Http.SendAsync(request, Cancel);
        Assert.DoesNotContain("elsewhere", await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Theory]
    [InlineData("trackmate")]
    [InlineData("/a//b")]
    [InlineData("/../a")]
    [InlineData("https://shop.com/trackmate")]
    public async Task A_setting_that_is_no_path_ends_the_start_with_a_sentence(string value)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["serve"], new Dictionary<string, string?> { ["TRACKMATE_PATH_BASE"] = value });
        Assert.Equal(2, exitCode);
        Assert.Contains($"TRACKMATE_PATH_BASE: '{value}' is not a path such as /trackmate.", errors);
    }

    private static Task<ServerProcess> StartAsync(string? pathBase) =>
        ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_TRUSTED_PROXIES"] = "127.0.0.1", ["TRACKMATE_PATH_BASE"] = pathBase });
}
