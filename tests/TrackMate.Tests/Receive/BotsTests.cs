using System.Runtime.CompilerServices;
using TrackMate.Receive;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>B16: who is a program, by the fixtures of isbot and what has been seen since.</summary>
[NoStore]
public sealed class BotsTests
{
    /// <summary>isbot leaves these alone as rare, among what are no browsers either.</summary>
    private static readonly string[] RareBots =
    [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36 GTmetrix",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    ];

    [Fact]
    public void Every_crawler_of_the_fixtures_is_a_bot()
    {
        var crawlers = Fixture("crawlers.txt");
        Assert.Equal(626, crawlers.Count);
        Assert.DoesNotContain(crawlers, header => UserAgent.Parse(header) is not { Bot: true });
    }

    [Fact]
    public void No_browser_of_the_fixtures_is_a_bot()
    {
        var browsers = Fixture("browsers.txt");
        Assert.Equal(555, browsers.Count);
        Assert.Equal(RareBots.Order(), browsers.Where(header => UserAgent.Parse(header) is { Bot: true }).Order());
    }

    [Theory]
    [InlineData("Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36 (compatible; GoogleOther)")]
    [InlineData("Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)")]
    [InlineData("Mediapartners-Google")]
    [InlineData("Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36")]
    [InlineData("Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1")]
    [InlineData("Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/26.1.0")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141 Safari/537.36 Prerender (+https://github.com/prerender/prerender)")]
    [InlineData("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)")]
    [InlineData("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Claude-User/1.0; +Claude-User@anthropic.com)")]
    [InlineData("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)")]
    [InlineData("meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)")]
    [InlineData("Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)")]
    [InlineData("WhatsApp/2.23.20.0")]
    [InlineData("SkypeUriPreview")]
    [InlineData("Google-Read-Aloud")]
    [InlineData("Site24x7")]
    [InlineData("ELB-HealthChecker/2.0")]
    [InlineData("kube-probe/1.34")]
    [InlineData("Amazon-Route53-Health-Check-Service (ref a; report http://amzn.to/1vsZADi)")]
    [InlineData("PostmanRuntime/7.49.0")]
    [InlineData("Go-http-client/2.0")]
    [InlineData("node")]
    [InlineData("undici")]
    [InlineData("axios/1.12.2")]
    [InlineData("libwww-perl/6.67")]
    public void A_program_is_a_bot(string header) => Assert.True(UserAgent.Parse(header)!.Bot);

    [Theory]
    [InlineData("Mozilla/5.0 (Linux; Android 12; CUBOT KINGKONG 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36")]
    [InlineData("Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36")]
    [InlineData("Mozilla/5.0 (Linux; Android 7.0; CUBOT NOTE Plus Build/CUBOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 400.0.0.30.70 (iPhone14,5; iOS 18_6; en_GB; en; scale=3.00; 1170x2532; 780000000)")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/385.0.812 Mobile/15E148 Safari/604.1")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/530.0.0.50.70;]")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0")]
    [InlineData("Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15")]
    [InlineData("Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) 94.0.4606.31/7.0 TV Safari/537.36")]
    public void A_persons_browser_is_not(string header) => Assert.False(UserAgent.Parse(header)!.Bot);

    /// <summary>Strangers write this header. What looks around itself runs on an engine that could go back, so it may repeat nothing.</summary>
    [Fact]
    public void Every_pattern_takes_time_in_proportion_to_the_header()
    {
        var around = Bots.Read().Where(Bots.LooksAround).ToList();
        Assert.InRange(around.Count, 1, 20);
        Assert.All(around, pattern => Assert.DoesNotMatch(@"[*+{]|\?(?![:!=<])\?", pattern.Replace("bots?", "bots", StringComparison.Ordinal)));
    }

    private static List<string> Fixture(string name, [CallerFilePath] string thisFile = "") =>
        [.. File.ReadLines(Path.Combine(Path.GetDirectoryName(thisFile)!, "Bots", name)).Where(line => !line.StartsWith('#'))];
}
