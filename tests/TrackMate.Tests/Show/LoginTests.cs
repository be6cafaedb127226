using System.Net;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

[Collection(BrowserCollection.Name)]
public sealed class LoginTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [NoStore]
    [Fact]
    public async Task Nothing_is_shown_before_the_login_and_the_asked_page_after_it()
    {
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.Page.GotoAsync(new Uri(running.Server.Address, People + "?q=sarah").ToString());
        Assert.Equal("Log in", await viewer.TextAsync("h1"));

        await viewer.LogInAsync("not the password");
        Assert.Equal("The name or the password is wrong.", await viewer.TextAsync("[role=alert]"));
        await viewer.LogInAsync();

        Assert.EndsWith(People + "?q=sarah", viewer.Page.Url);
        await viewer.Page.ClickAsync("text=Log out");
        Assert.EndsWith("/login", viewer.Page.Url);
        await viewer.Page.GotoAsync(new Uri(running.Server.Address, People).ToString());
        Assert.Equal("Log in", await viewer.TextAsync("h1"));
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Fact]
    public async Task After_five_failures_a_name_has_to_wait_and_others_do_not()
    {
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.Page.GotoAsync(new Uri(running.Server.Address, "/login").ToString());
        for (var i = 0; i < 5; i++)
        {
            await viewer.LogInAsync("wrong", "mallory");
            Assert.Equal("The name or the password is wrong.", await viewer.TextAsync("[role=alert]"));
        }

        await viewer.LogInAsync("wrong", "mallory");
        Assert.Matches(@"^Too many failed logins\. Try again in \d+ seconds?\.$", await viewer.TextAsync("[role=alert]"));
        await viewer.LogInAsync();
        await Expect(viewer.Page.Locator("nav >> text=People")).ToBeVisibleAsync();
    }

    [NoStore]
    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/\t/evil.example/")]
    public async Task The_login_never_leads_to_another_site(string returnUrl)
    {
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.Page.GotoAsync(new Uri(running.Server.Address, "/login?returnUrl=" + Uri.EscapeDataString(returnUrl)).ToString());

        await viewer.LogInAsync();

        Assert.StartsWith(running.Server.Address.ToString(), viewer.Page.Url);
        await Expect(viewer.Page.Locator("nav >> text=People")).ToBeVisibleAsync();
    }

    [NoStore]
    [Fact]
    public async Task A_form_without_its_token_changes_nothing_and_says_so()
    {
        var answer = await running.Http.PostAsync("/login", new FormUrlEncodedContent(new Dictionary<string, string> { ["_handler"] = "login", ["name"] = "admin", ["password"] = ServerProcess.AdminPassword }), Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("The form has expired", await answer.Content.ReadAsStringAsync(Cancel));
        Assert.DoesNotContain(answer.Headers, header => header.Key == "Set-Cookie" && header.Value.Any(cookie => cookie.StartsWith("trackmate=", StringComparison.Ordinal)));
    }

    [NoStore]
    [Fact]
    public async Task Pages_are_guarded_by_their_headers_and_the_cookie_by_its_own()
    {
        var login = await running.Http.GetAsync("/login", Cancel);
        Assert.DoesNotContain("unsafe", Assert.Single(login.Headers.GetValues("Content-Security-Policy")));
        Assert.Contains("no-store", login.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("nosniff", login.Headers.GetValues("X-Content-Type-Options").Single());

        using var person = new DashboardClient();
        using var answer = await person.SubmitAsync(running.Server, running.Server, "/login", ("_handler", "login"), ("name", "admin"), ("password", ServerProcess.AdminPassword));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("trackmate=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
    }

    [NoStore]
    [Fact]
    public async Task The_live_stream_is_not_for_strangers()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await running.Http.GetAsync($"/c/{ServerProcess.CompanyId}/live/events", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_restart_leaves_people_logged_in()
    {
        using var folder = new TemporaryFolder();
        IReadOnlyList<Microsoft.Playwright.BrowserContextCookiesResult> cookies;
        await using (var server = await ServerProcess.StartAsync(folder.Path))
        {
            await using var viewer = await Viewer.OpenAsync(browser, server);
            await viewer.GoAsync(People);
            cookies = await viewer.Page.Context.CookiesAsync();
            await server.StopAsync();
        }

        await using var again = await ServerProcess.StartAsync(folder.Path);
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = again.Address };
        http.DefaultRequestHeaders.Add("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Name}={cookie.Value}")));
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(People, Cancel)).StatusCode);
        if (!OperatingSystem.IsWindows() && !StoreUnderTest.IsPostgres) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(folder.Path, "keys")));
    }
}
