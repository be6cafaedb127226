using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using TrackMate.Show;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Browser;

/// <summary>The served /trackmate.js in a real browser, on pages of another origin. Unless a test says so, the server accepts all of it and the console stays empty.</summary>
[Collection(SecondBrowserCollection.Name)]
public sealed partial class SdkInBrowserTests(BrowserFixture browser, TrackedSite site) : SdkPages(browser, site), IClassFixture<TrackedSite>
{
    [Fact(Timeout = Bound)]
    public async Task What_a_page_calls_before_the_script_has_loaded_is_replayed_in_order()
    {
        var loaded = new TaskCompletionSource();
        await Window.RouteAsync("**/trackmate.js", async route =>
        {
            await loaded.Task;
            await route.ContinueAsync();
        });
        var (page, complaints) = await OpenAsync($$"""
            {{Snippet.For(ServerProcess.CompanyId, Site.ServerUrl).Replace("5000", "600000").Replace($"'{Site.ServerUrl}')", $"'{Site.ServerUrl}', {{ identifyTimeout: 0 }})")}}
            <script>
              TrackMate.track('first', { n: 1 });
              told = TrackMate.identify({ email: 'early@example.com', name: 'Early Bird' });
              TrackMate.track('second', { n: 2 });
            </script>
            """);
        Assert.True(await page.EvaluateAsync<bool>("TrackMate.version === undefined && TrackMate.calls.length === 5"));
        var called = await page.EvaluateAsync<double>("Date.now()");
        loaded.SetResult();

        var profileId = await page.EvaluateAsync<string>("told.then(({ profileId }) => profileId)");
        var events = await EventsOfAsync(await SessionOfAsync(page), 4);
        Assert.Equal(["page_view", "first", "second"], TypesOf(events).Where(type => type != "user_registered"));
        Assert.Equal(profileId, $"{(await Backend.ProfileOfAsync("early@example.com"))!["id"]}");
        Assert.All(events, each => Assert.True(TimeOf(each) <= DateTimeOffset.FromUnixTimeMilliseconds((long)called), "The time of a call is the time of the event."));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task Nothing_is_in_the_browser_before_init_nor_by_it_and_never_a_cookie()
    {
        var (page, complaints) = await OpenAsync($"""<script src="{Site.ServerUrl}/trackmate.js"></script>""");
        const string keys = "Object.keys(localStorage).concat(Object.keys(sessionStorage))";
        Assert.Empty(await page.EvaluateAsync<string[]>(keys));
        await page.EvaluateAsync(Init());
        Assert.Empty(await page.EvaluateAsync<string[]>(keys));

        await page.EvaluateAsync("TrackMate.track('stored')");
        Assert.All(await page.EvaluateAsync<string[]>(keys), key => Assert.StartsWith("trackmate:TM-SHOP99:", key));
        Assert.NotEmpty(await page.EvaluateAsync<string[]>(keys));
        await EventsOfAsync(await SessionOfAsync(page), 1);
        Assert.Empty(await Window.CookiesAsync());
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("another page")]
    [InlineData("closed tab")]
    public async Task What_was_tracked_last_arrives_though_the_page_goes(string end)
    {
        var (page, complaints) = await OpenAsync(Tracked(NoFlush));
        await page.EvaluateAsync("TrackMate.track('last_word')");
        var session = await SessionOfAsync(page);
        if (end == "closed tab") await page.CloseAsync(new() { RunBeforeUnload = true });
        else await page.GotoAsync(Site.Pages.Publish("<p>Elsewhere, without TrackMate.</p>"));

        Assert.Equal(["last_word"], TypesOf(await EventsOfAsync(session, 1)));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task A_strict_policy_needs_the_nonce_and_the_address_and_nothing_else()
    {
        var snippet = Snippet.For(ServerProcess.CompanyId, Site.ServerUrl).Replace("<script", "<script nonce=\"r4nd0m\"");
        var (page, complaints) = await OpenAsync(
            snippet, $"default-src 'none'; script-src 'nonce-r4nd0m'; connect-src {Site.ServerUrl}; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'");
        await page.EvaluateAsync("TrackMate.identify({ email: 'strict@example.com' })");
        Assert.Equal(["page_view", "user_registered"], TypesOf(await EventsOfAsync(await SessionOfAsync(page), 2)));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task With_the_storage_blocked_a_page_is_tracked_all_the_same()
    {
        var inner = Site.Pages.Publish(Tracked());
        var (page, complaints) = await OpenAsync($"""<iframe sandbox="allow-scripts" src="{inner}"></iframe>""");
        var frame = page.Frames.Single(each => each.Url == inner);
        Assert.Equal("SecurityError", await frame.EvaluateAsync<string>("() => { try { return typeof localStorage; } catch (error) { return error.name; } }"));

        var profileId = await frame.EvaluateAsync<string>("TrackMate.track('one'), TrackMate.identify({ email: 'boxed@example.com' }).then(({ profileId }) => (TrackMate.track('two'), profileId))");
        var session = await frame.EvaluateAsync<string>("TrackMate.getSessionId()");
        Assert.Equal(["one", "two", "user_registered"], TypesOf(await EventsOfAsync(session, 3)).Order());
        Assert.Equal(profileId, $"{(await Backend.ProfileOfAsync("boxed@example.com"))!["id"]}");
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task A_visitor_who_asks_not_to_be_tracked_is_not_where_the_site_respects_it()
    {
        await Window.AddInitScriptAsync("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })");
        var sent = new List<string>();
        Window.Request += (_, request) =>
        {
            if (request.Url.Contains("/api/")) sent.Add(request.Url);
        };
        var (page, complaints) = await OpenAsync(Tracked("respectDoNotTrack: true, flushInterval: 0"));
        Assert.Equal(
            "null null",
            await page.EvaluateAsync<string>("(TrackMate.trackPageView(), TrackMate.track('no'), TrackMate.identify({ email: 'no@example.com' }).then(({ profileId }) => `${profileId} ${TrackMate.getSessionId()}`))"));
        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length"));

        // Where the site does not, the same visitor is; and by then all that the first page could have sent would have been.
        await page.GotoAsync(Site.Pages.Publish(Tracked()));
        await page.EvaluateAsync("TrackMate.track('yes')");
        Assert.Equal(["yes"], TypesOf(await EventsOfAsync(await SessionOfAsync(page), 1)));
        // The browser tells of the request on another way than the server of the event: it may come later.
        Assert.Single(await Eventually.BecomesAsync(() => Task.FromResult(sent.ToArray()), urls => urls.Length > 0));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task What_happens_offline_arrives_once_when_the_network_is_back()
    {
        var (page, _) = await OpenAsync(Tracked());
        var session = await SessionOfAsync(page);
        await Window.SetOfflineAsync(true);
        var failed = new TaskCompletionSource();
        page.RequestFailed += (_, _) => failed.TrySetResult();
        await page.EvaluateAsync("told = TrackMate.identify({ email: 'offline@example.com' }), TrackMate.track('in_the_tunnel')");
        await failed.Task;
        Assert.Equal(2, await KeptAsync(page));

        await Window.SetOfflineAsync(false);
        await page.EvaluateAsync("told");
        Assert.Equal(["in_the_tunnel", "user_registered"], TypesOf(await EventsOfAsync(session, 2)).Order());
        Assert.Equal(0, await Eventually.BecomesAsync(() => KeptAsync(page), kept => kept == 0));
    }

    [Theory(Timeout = Bound)]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_server_that_asks_to_wait_is_not_called_before(int status)
    {
        const int seconds = 2;
        await using var api = await ScriptedApi.StartAsync();
        api.RefuseNext(status, seconds);
        var (page, _) = await OpenAsync(Tracked("flushInterval: 0", api.Address));
        await page.EvaluateAsync("TrackMate.track('patient')");
        await Eventually.BecomesAsync(() => Task.FromResult(api.Requests), requests => requests.Count > 0);

        // Neither what comes in the meantime, nor somebody who waits for the answer, nor the network's return makes it hurry.
        await page.EvaluateAsync("TrackMate.track('next'), told = TrackMate.identify({ email: 'patient@example.com' }), dispatchEvent(new Event('online')), true");
        await page.EvaluateAsync("told");
        var requests = api.Requests;
        var waited = TimeProvider.System.GetElapsedTime(requests[0].At, requests[1].At);
        Assert.True(waited >= TimeSpan.FromSeconds(seconds), $"It came back after {waited}.");
        Assert.Equal(["patient", "patient", "next"], requests.SelectMany(request => request.Events).Select(each => $"{each["eventType"]}"));
        Assert.Equal($"{requests[0].Events.First()["eventId"]}", $"{requests[1].Events.First()["eventId"]}");
        Assert.Equal($"{requests[0].Events.First()["timestamp"]}", $"{requests[1].Events.First()["timestamp"]}");
    }

    [Fact(Timeout = Bound)]
    public async Task Many_tabs_at_once_are_one_session_and_everything_arrives_once()
    {
        const int tabs = 5, events = 20;
        var opened = new List<(IPage Page, IReadOnlyCollection<string> Complaints)>();
        for (var tab = 0; tab < tabs; tab++) opened.Add(await OpenAsync(Tracked("flushInterval: 50")));
        var session = await SessionOfAsync(opened[0].Page);
        // Tabs see one another's storage when the browser gets round to it.
        foreach (var (page, _) in opened) await page.WaitForFunctionAsync($"localStorage['trackmate:{ServerProcess.CompanyId}:session']");

        await Task.WhenAll(opened.Select((tab, number) => tab.Page.EvaluateAsync(
            $"(async () => {{ for (let n = 0; n < {events}; n++) {{ TrackMate.track('tick', {{ tab: {number}, n }}); await new Promise((then) => setTimeout(then, 10)); }} }})()")));
        var arrived = await EventsOfAsync(session, tabs * events);
        Assert.Equal(tabs * events, arrived.Count);
        foreach (var tab in arrived.GroupBy(each => (int)each["eventData"]!["tab"]!))
            Assert.Equal(Enumerable.Range(0, events), tab.Select(each => (int)each["eventData"]!["n"]!));
        foreach (var (page, complaints) in opened)
        {
            Assert.Equal(session, await SessionOfAsync(page));
            Assert.Equal(0, await Eventually.BecomesAsync(() => KeptAsync(page), kept => kept == 0));
            Assert.Empty(complaints);
        }
    }

    [Fact(Timeout = Bound)]
    public async Task Tabs_that_open_together_on_a_first_visit_agree_on_one_session()
    {
        const int tabs = 4;
        var pages = new List<IPage>();
        for (var tab = 0; tab < tabs; tab++) pages.Add((await OpenAsync(Tracked(NoFlush))).Page);
        await Task.WhenAll(pages.Select(page => page.EvaluateAsync("TrackMate.track('opened'), TrackMate.track('read')")));

        const string sessions = """
            Object.keys(localStorage).filter((key) => key.includes(':message:')).map((key) => JSON.parse(localStorage[key]).sessionId).concat(TrackMate.getSessionId())
            """;
        var seen = await Eventually.BecomesAsync(
            async () => await Task.WhenAll(pages.Select(page => page.EvaluateAsync<string[]>(sessions))),
            answers => answers.SelectMany(answer => answer).Distinct().Count() == 1 && answers.All(answer => answer.Length == 2 * tabs + 1));
        var session = Assert.Single(seen.SelectMany(answer => answer).Distinct());

        await pages[0].EvaluateAsync("dispatchEvent(new Event('online'))");
        Assert.Equal(2 * tabs, (await EventsOfAsync(session, 2 * tabs)).Count);
    }

    [Fact(Timeout = Bound)]
    public async Task One_refused_event_stops_none_of_the_others()
    {
        RejectedExpected = 2;
        var (page, complaints) = await OpenAsync(Tracked(NoFlush));
        await page.EvaluateAsync("""
            TrackMate.track('before');
            TrackMate.track('x'.repeat(201));
            TrackMate.track('between');
            let deep = {};
            for (let n = 0; n < 30; n++) deep = { deep };
            TrackMate.track('deep', deep);
            TrackMate.track('after');
            TrackMate.identify({ email: 'unstopped@example.com' });
            """);
        Assert.Equal(["before", "between", "after"], TypesOf(await EventsOfAsync(await SessionOfAsync(page), 4)).Where(type => type != "user_registered"));
        Assert.Equal(0, await Eventually.BecomesAsync(() => KeptAsync(page), kept => kept == 0));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task What_it_sends_is_what_the_contract_says()
    {
        await using var api = await ScriptedApi.StartAsync();
        var (page, _) = await OpenAsync(Tracked("flushInterval: 100", api.Address));
        var from = await page.EvaluateAsync<double>("Date.now()");
        await page.EvaluateAsync("""
            TrackMate.track('one', { half: '\ud83d', nul: 'a\0b', big: 12n });
            TrackMate.track('two');
            TrackMate.track('three');
            TrackMate.identify({ email: 'contract@example.com', externalId: 42, name: 'Con Tract', plan: 'gold' });
            """);
        var to = await page.EvaluateAsync<double>("Date.now()");
        await Eventually.BecomesAsync(() => Task.FromResult(api.Requests), found => found.Count >= 2);
        var requests = api.Requests;

        // Simple requests, which need no preflight and carry nothing of the visitor's.
        Assert.All(requests, request => Assert.Equal("POST", request.Method));
        Assert.All(requests, request => Assert.StartsWith("text/plain", request.Headers["Content-Type"]));
        Assert.All(requests, request => Assert.False(request.Headers.ContainsKey("Cookie")));
        Assert.Equal(["/api/events", "/api/profile"], requests.Select(request => request.Path));

        var (batch, identify) = (requests[0].Body!.AsObject(), requests[1].Body!.AsObject());
        Assert.Equal(["company_id", "context", "events", "sentAt", "sessionId"], batch.Select(member => member.Key).Order());
        Assert.All(requests[0].Events, each => Assert.Equal(["eventData", "eventId", "eventType", "timestamp"], each.AsObject().Select(member => member.Key).Order()));
        Assert.Equal(["company_id", "email", "eventId", "externalId", "name", "sentAt", "sessionId", "timestamp", "traits"], identify.Select(member => member.Key).Order());
        Assert.Equal("\"42\"", identify["externalId"]!.ToJsonString());
        Assert.Equal("""{"plan":"gold"}""", identify["traits"]!.ToJsonString());
        Assert.Matches(SessionId(), $"{batch["sessionId"]}");
        Assert.Equal($"{batch["sessionId"]}", $"{identify["sessionId"]}");

        JsonNode[] messages = [.. requests[0].Events, identify];
        var ids = messages.Select(message => $"{message["eventId"]}").ToList();
        Assert.All(ids, id => Assert.Matches(Uuid7(), id));
        Assert.Equal(ids.Order(StringComparer.Ordinal).Distinct(), ids);
        Assert.All(messages, message => Assert.Matches(Time(), $"{message["timestamp"]}"));
        Assert.All(messages, message => Assert.InRange(TimeOf(message).ToUnixTimeMilliseconds(), (long)from, (long)to));
        Assert.All(requests, request => Assert.True(DateTimeOffset.Parse($"{request.Body!["sentAt"]}").ToUnixTimeMilliseconds() >= (long)from));
    }

    [Fact(Timeout = Bound)]
    public async Task A_wrong_clock_is_put_right()
    {
        await Window.AddInitScriptAsync("""
            const TrueDate = Date;
            Date = class extends TrueDate {
              constructor(...time) { super(...(time.length ? time : [Date.now()])); }
              static now() { return TrueDate.now() - 3 * 3600000; }
            };
            """);
        var (page, _) = await OpenAsync(Tracked());
        await page.EvaluateAsync("TrackMate.track('slow_clock')");
        var stored = Assert.Single(await EventsOfAsync(await SessionOfAsync(page), 1));
        Assert.InRange(TimeProvider.System.GetUtcNow() - TimeOf(stored), TimeSpan.FromMinutes(-30), TimeSpan.FromMinutes(30));
    }

    [Fact(Timeout = Bound)]
    public async Task A_wrong_company_is_told_once_in_the_console_and_nothing_is_thrown()
    {
        var (page, complaints) = await OpenAsync(Tracked("flushInterval: 0", company: "TM-NOBODY"));
        for (var time = 0; time < 3; time++)
        {
            Assert.Null(await page.EvaluateAsync<string?>("TrackMate.track('lost'), TrackMate.identify({ email: 'lost@example.com' }).then(({ profileId }) => profileId)"));
            Assert.Equal(0, await Eventually.BecomesAsync(() => KeptAsync(page, "TM-NOBODY"), kept => kept == 0));
        }

        var warning = Assert.Single(complaints, complaint => !complaint.StartsWith("error: Failed to load resource", StringComparison.Ordinal));
        Assert.StartsWith("warning: TrackMate: server answered 401", warning);
    }

    private static DateTimeOffset TimeOf(JsonNode found) => DateTimeOffset.Parse($"{found["timestamp"]}");

    [GeneratedRegex("^session_[0-9]{10}_[0-9a-f]{32}$")]
    private static partial Regex SessionId();

    [GeneratedRegex("^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
    private static partial Regex Uuid7();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Time();
}
