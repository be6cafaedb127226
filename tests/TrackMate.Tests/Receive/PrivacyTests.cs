using System.Text;
using TrackMate.Receive;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>B16: what is kept of a browser, and that nothing else is, in any file.</summary>
public sealed class PrivacyTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Address = "198.51.100.213";
    private const string Chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.55 Safari/537.36 Secret-Build/forty-seven";

    [EmbeddedOnly]
    [Fact]
    public async Task No_address_and_no_user_agent_is_in_any_file()
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_TRUSTED_PROXIES"] = "127.0.0.1" });
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId) { UserAgent = Chrome, ForwardedFor = Address };
        await shopper.TrackAsync("page_view", new { mark = "findable" });
        await shopper.IdentifyAsync("a@example.com");
        (await shopper.IdentifyAsync("nobody")).AssertRefused(422);
        var profileId = (await new ShopBackend(server.Http, ServerProcess.ApiKey).ProfileOfAsync("a@example.com"))!["id"]!.ToString();
        var agent = (await new ShopBackend(server.Http, ServerProcess.ApiKey).TimelineAsync(profileId))[0]["agent"]!;
        Assert.Equal("""{"browser":"Chrome","system":"Windows","device":"desktop","bot":false}""", agent.ToJsonString());

        Assert.Equal(0, await server.StopAsync());
        var files = Directory.GetFiles(server.DataFolder, "*", SearchOption.AllDirectories).Select(file => Encoding.Latin1.GetString(File.ReadAllBytes(file))).ToList();
        Assert.Contains(files, file => file.Contains("findable", StringComparison.Ordinal));
        foreach (var secret in new[] { "Mozilla", "141.0.7390", "Secret-Build", "forty-seven", Address, "198.51.100", ServerProcess.ApiKey, ServerProcess.AdminPassword })
        {
            Assert.DoesNotContain(files, file => file.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, server.Output);
        }
    }

    [Fact]
    public async Task A_bot_is_kept_marked_and_counted()
    {
        var bot = new Shopper(running.Http, ServerProcess.CompanyId) { UserAgent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" };
        await bot.TrackAsync("page_view");
        var profileId = (await bot.IdentifyAsync(RunningServer.Unique() + "@example.com"))["profileId"]!;
        var timeline = await running.Backend.TimelineAsync(profileId);
        Assert.True((bool)timeline[0]["agent"]!["bot"]!);
        Assert.Equal(2, (int)(await running.Backend.ProfileAsync(profileId))["totals"]!["events"]!);
    }

    [Fact]
    public async Task A_missing_user_agent_is_no_bot()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("page_view");
        var profileId = (await shopper.IdentifyAsync(RunningServer.Unique() + "@example.com"))["profileId"]!;
        Assert.Null((await running.Backend.TimelineAsync(profileId))[0]["agent"]);
        Assert.Null(UserAgent.Parse(null));
        Assert.Null(UserAgent.Parse(" "));
    }

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome Windows desktop")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "Edge Windows desktop")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36 OPR/113.0.0.0", "Opera Windows desktop")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox Windows desktop")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", "Safari macOS desktop")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", "Safari iOS phone")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1", "Chrome iOS phone")]
    [InlineData("Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", "Safari iOS tablet")]
    [InlineData("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36", "Chrome Android phone")]
    [InlineData("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36", "Samsung Internet Android tablet")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome Linux desktop")]
    [InlineData("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome ChromeOS desktop")]
    [InlineData("Mozilla/5.0 (Linux; Android 12; CUBOT KINGKONG 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36", "Chrome Android phone")]
    [InlineData("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Other Other desktop bot")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36", "Chrome Linux desktop bot")]
    [InlineData("curl/8.14.1", "Other Other desktop bot")]
    [InlineData("python-requests/2.32.5", "Other Other desktop bot")]
    [InlineData("facebookexternalhit/1.1", "Other Other desktop bot")]
    [InlineData("Mozilla/5.0 (Something) Nobody/1.2 Has/3.4 Seen", "Other Other desktop")]
    public void A_user_agent_is_read_as_people_would(string header, string expected)
    {
        var agent = UserAgent.Parse(header)!;
        Assert.Equal(expected, $"{agent.Browser} {agent.System} {agent.Device}{(agent.Bot ? " bot" : "")}");
    }
}
