using System.Text.Json.Nodes;
using Microsoft.Playwright;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Browser;

/// <summary>Pages of a company's website with the served SDK on them, in one window of a real browser. Unless a test says so, the server accepts all of it.</summary>
public abstract class SdkPages(BrowserFixture browser, TrackedSite site) : IAsyncLifetime
{
    /// <summary>In milliseconds: what a page promises is awaited, and a broken one never keeps it.</summary>
    protected const int Bound = 60_000;
    protected const string NoFlush = "flushInterval: 600000";

    private IBrowserContext? window;
    private int rejectedBefore;

    /// <summary>How many messages the test makes that the server must reject.</summary>
    protected int RejectedExpected { get; set; }

    protected TrackedSite Site => site;

    protected IBrowserContext Window => window!;

    protected ShopBackend Backend => new(site.Server.Http, ServerProcess.ApiKey);

    public async ValueTask InitializeAsync()
    {
        rejectedBefore = site.ReadRejected().Count;
        window = await browser.NewWindowAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Window.DisposeAsync();
        var rejected = site.ReadRejected().Skip(rejectedBefore).ToList();
        Assert.True(rejected.Count == RejectedExpected, $"The server rejected {rejected.Count} messages, not {RejectedExpected}: {string.Join("; ", rejected)}");
    }

    /// <summary>A page that has TrackMate ready, without having tracked anything.</summary>
    protected string Tracked(string options = "", string? api = null, string company = ServerProcess.CompanyId) =>
        $"""<script src="{site.ServerUrl}/trackmate.js"></script><script>{Init(options, api, company)}</script>""";

    /// <remarks>On a slow machine an identify may take longer than a page would wait.</remarks>
    protected string Init(string options = "", string? api = null, string company = ServerProcess.CompanyId) => $"TrackMate.init('{company}', '{api ?? site.ServerUrl}', {{ identifyTimeout: 0, {options} }})";

    protected async Task<(IPage Page, IReadOnlyCollection<string> Complaints)> OpenAsync(string html, string? policy = null)
    {
        var page = await Window.NewPageAsync();
        var complaints = Complaints.Of(page);
        await page.GotoAsync(site.Pages.Publish(html, policy), new() { WaitUntil = html.Contains("async") ? WaitUntilState.DOMContentLoaded : WaitUntilState.Load });
        return (page, complaints);
    }

    protected static async Task<string> SessionOfAsync(IPage page)
    {
        await page.WaitForFunctionAsync("TrackMate.version");
        return await page.EvaluateAsync<string>("TrackMate.getSessionId()");
    }

    /// <summary>A session's events as soon as there are so many, oldest first.</summary>
    protected async Task<IReadOnlyList<JsonNode>> EventsOfAsync(string session, int count) => await Eventually.BecomesAsync(
        async () => (await Backend.GetAsync($"/api/sessions/{session}?limit=1000")).Body?["events"]?.AsArray().Select(each => each!).ToList() ?? [],
        events => events.Count >= count);

    /// <summary>The event of this type in a session, as soon as it is there; null if it never comes.</summary>
    protected async Task<JsonNode?> EventOfAsync(string session, string type) =>
        (await Eventually.BecomesAsync(() => EventsOfAsync(session, 0), events => TypesOf(events).Contains(type))).FirstOrDefault(each => $"{each["eventType"]}" == type);

    protected static Task<int> KeptAsync(IPage page, string company = ServerProcess.CompanyId) =>
        page.EvaluateAsync<int>($"Object.keys(localStorage).filter((key) => key.startsWith('trackmate:{company}:message:')).length");

    protected static IEnumerable<string> TypesOf(IEnumerable<JsonNode> events) => events.Select(each => $"{each["eventType"]}");
}
