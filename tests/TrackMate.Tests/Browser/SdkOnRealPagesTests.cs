using System.Text.Json.Nodes;
using TrackMate.Show;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Browser;

/// <summary>The SDK on pages as they are: wrapped, patched, blocked by extensions, and left in a hurry.</summary>
[Collection(SecondBrowserCollection.Name)]
public sealed class SdkOnRealPagesTests(BrowserFixture browser, TrackedSite site) : SdkPages(browser, site), IClassFixture<TrackedSite>
{
    /// <summary>What Prototype.js 1.6 and MooTools 1.2 do to the browser, in short.</summary>
    private const string OldLibraries = """
        Array.prototype.toJSON = function () { return '[]'; };
        String.prototype.toJSON = Number.prototype.toJSON = Date.prototype.toJSON = function () { return '"' + this + '"'; };
        Array.from = function (item) { return [item]; };
        Object.keys = function (object) { var keys = []; for (var key in object) keys.push(key); return keys; };
        Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
        Object.prototype.extend = function () {};
        Function.prototype.bind = function () { throw new Error('another bind'); };
        Request = function () {};
        """;

    [Theory(Timeout = Bound)]
    [InlineData("Array.prototype.toJSON = function () { return '[]' }")]
    [InlineData("Object.prototype.toJSON = function () { return '{}' }")]
    [InlineData("JSON.stringify = function () { return '{}' }")]
    [InlineData("JSON = { encode: function () { return '{}' } }")]
    [InlineData("delete Date.prototype.toJSON")]
    [InlineData("Promise = function () { throw new Error('mine') }")]
    [InlineData("Map = Set = function () { return {} }")]
    [InlineData(OldLibraries)]
    public async Task Builtins_that_the_page_has_changed_change_nothing(string change)
    {
        // The test's own way into the page uses some of these, so the page says when it has put them back.
        var page = await Window.NewPageAsync();
        var complaints = Complaints.Of(page);
        var restored = new TaskCompletionSource();
        page.Console += (_, message) =>
        {
            if (message.Text == "restored") restored.TrySetResult();
        };
        await page.GotoAsync(Site.Pages.Publish($$"""
            <script>
              const kept = { JSON, Promise, Map, Set, Request, toJSON: Date.prototype.toJSON, stringify: JSON.stringify, from: Array.from, keys: Object.keys, reduce: Array.prototype.reduce, bind: Function.prototype.bind };
              {{change}};
            </script>
            {{Tracked("flushInterval: 0")}}
            <script>
              TrackMate.track('add_to_cart', { at: new Date(0), list: [1, { price: 79.99 }] });
              TrackMate.identify({ email: 'old@example.com', tags: ['a', 'b'] }).then(function (answer) { window.profileId = answer.profileId; });
              setTimeout(function back() {
                if (window.profileId === undefined) return setTimeout(back, 20);
                for (const type of [Array, Object, String, Number]) delete type.prototype.toJSON;
                delete Object.prototype.extend;
                ({ JSON, Promise, Map, Set, Request } = kept);
                Date.prototype.toJSON = kept.toJSON; JSON.stringify = kept.stringify; Array.from = kept.from; Object.keys = kept.keys; Array.prototype.reduce = kept.reduce; Function.prototype.bind = kept.bind;
                console.info('restored');
              }, 20);
            </script>
            """));
        await restored.Task;

        var stored = (await EventOfAsync(await SessionOfAsync(page), "add_to_cart"))!;
        Assert.Equal("""{"at":"1970-01-01T00:00:00.000Z","list":[1,{"price":79.99}]}""", stored["eventData"]!.ToJsonString());
        var profile = (await Backend.ProfileOfAsync("old@example.com"))!;
        Assert.Equal(await page.EvaluateAsync<string>("profileId"), $"{profile["id"]}");
        Assert.Equal("""["a","b"]""", profile["traits"]!["tags"]!.ToJsonString());
        Assert.Equal(0, await KeptAsync(page));
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("throw new TypeError('init.headers is undefined')")]
    [InlineData("return undefined")]
    [InlineData("return 42")]
    [InlineData("fetched.apply(this, arguments)")]
    [InlineData("return fetched.apply(this, arguments).then(function () {})")]
    public async Task A_fetch_that_its_wrapper_has_broken_is_done_without(string wrapper)
    {
        var (page, complaints) = await OpenAsync($$"""
            <script>const fetched = window.fetch; window.fetch = function (url, init) { {{wrapper}}; };</script>
            {{Tracked()}}
            """);
        var profileId = await page.EvaluateAsync<string>("TrackMate.track('wrapped'), TrackMate.identify({ email: 'wrapped@example.com' }).then(({ profileId }) => profileId)");
        Assert.NotNull(await EventOfAsync(await SessionOfAsync(page), "wrapped"));
        Assert.Equal(0, await Eventually.BecomesAsync(() => KeptAsync(page), kept => kept == 0));
        Assert.Equal($"{(await Backend.ProfileOfAsync("wrapped@example.com"))!["id"]}", profileId);
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("Intl.DateTimeFormat = () => { throw RangeError('no zone') }", "timezone")]
    [InlineData("Object.defineProperty(Navigator.prototype, 'language', { get() { throw Error('mine') } })", "language")]
    [InlineData("Object.defineProperty(Screen.prototype, 'width', { get() { throw Error('mine') } })", "screen")]
    [InlineData("Object.defineProperty(Document.prototype, 'referrer', { get() { throw Error('mine') } })", "")]
    [InlineData("document.body.append(Object.assign(document.createElement('form'), { name: 'title' }))", "")]
    [InlineData("Object.defineProperty(navigator, 'locks', { get() { throw Error('mine') } })", "")]
    [InlineData("Object.freeze(history)", "")]
    public async Task A_part_of_the_context_that_throws_is_left_out_and_the_event_arrives(string change, string missing)
    {
        await using var api = await ScriptedApi.StartAsync();
        var (page, complaints) = await OpenAsync($"<body><script>{change}</script>{Tracked("flushInterval: 0", api.Address)}");
        await page.EvaluateAsync("TrackMate.trackPageView()");
        var request = (await Eventually.BecomesAsync(() => Task.FromResult(api.Requests), found => found.Count > 0))[0];

        Assert.Equal(["page_view"], TypesOf(request.Events));
        foreach (var part in new[] { "timezone", "language", "screen", "page", "sdk" }) Assert.Equal(part != missing, request.Body!["context"]![part] is not null);
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task An_endless_address_is_cut_and_the_page_view_arrives()
    {
        var (page, complaints) = await OpenAsync(Tracked());
        await page.EvaluateAsync("location.hash = 'x'.repeat(40000), TrackMate.trackPageView()");
        var stored = Assert.Single(await EventsOfAsync(await SessionOfAsync(page), 1));
        Assert.Equal(2048, $"{stored["eventData"]!["address"]}".Length);
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("document", "visibilitychange", "another page")]
    [InlineData("window", "pagehide", "another page")]
    [InlineData("window", "beforeunload", "another page")]
    [InlineData("document", "visibilitychange", "closed tab")]
    [InlineData("window", "pagehide", "closed tab")]
    public async Task What_the_pages_own_listeners_track_while_it_goes_arrives(string target, string leaving, string end)
    {
        var (page, complaints) = await OpenAsync($$"""
            <script src="{{Site.ServerUrl}}/trackmate.js"></script>
            <script>
              {{target}}.addEventListener('{{leaving}}', () => TrackMate.track('before_ours'), { once: true });
              {{Init(NoFlush)}};
              {{target}}.addEventListener('{{leaving}}', () => { TrackMate.track('after_ours'); TrackMate.track('and_more', { text: 'x'.repeat(20000) }); }, { once: true });
              TrackMate.track('earlier');
            </script>
            """);
        var session = await SessionOfAsync(page);
        if (end == "closed tab") await page.CloseAsync(new() { RunBeforeUnload = true });
        else await page.GotoAsync(Site.Pages.Publish("<p>Elsewhere, without TrackMate.</p>"));

        Assert.Equal(["after_ours", "and_more", "before_ours", "earlier"], TypesOf(await EventsOfAsync(session, 4)).Order());
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task A_page_that_comes_back_out_of_the_browsers_cache_goes_on()
    {
        var (page, complaints) = await OpenAsync(Tracked(NoFlush));
        var session = await SessionOfAsync(page);
        var first = page.Url;
        await page.EvaluateAsync("addEventListener('pagehide', () => TrackMate.track('left')), true");
        await page.GotoAsync(Site.Pages.Publish("<p>Elsewhere, without TrackMate.</p>"));
        Assert.Equal(["left"], TypesOf(await EventsOfAsync(session, 1)));
        await page.GoBackAsync();
        Assert.Equal(first, page.Url);
        await page.WaitForFunctionAsync("window.TrackMate && TrackMate.version");
        await page.EvaluateAsync("TrackMate.track('back'), dispatchEvent(new Event('online')), true");
        Assert.Equal(["left", "back"], TypesOf(await EventsOfAsync(session, 2)));
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("events", "profile")]
    [InlineData("profile", "events")]
    public async Task An_ad_blocker_that_stops_one_call_does_not_stop_the_other(string stopped, string passing)
    {
        await Window.RouteAsync($"**/api/{stopped}", route => route.AbortAsync("blockedbyclient"));
        // Who waits for what is stopped waits in vain.
        var (page, _) = await OpenAsync(Tracked(stopped == "profile" ? "flushInterval: 0, identifyTimeout: 1" : "flushInterval: 0"));
        var profileId = await page.EvaluateAsync<string?>("TrackMate.track('blocked'), TrackMate.identify({ email: 'blocker@example.com' }).then(({ profileId }) => profileId)");
        if (passing == "profile") Assert.Equal($"{(await Backend.ProfileOfAsync("blocker@example.com"))!["id"]}", profileId);
        else Assert.NotNull(await EventOfAsync(await SessionOfAsync(page), "blocked"));
        Assert.Equal(1, await Eventually.BecomesAsync(() => KeptAsync(page), kept => kept == 1));
    }

    [Fact(Timeout = Bound)]
    public async Task A_page_whose_script_is_blocked_waits_five_seconds_for_an_identify_and_no_longer()
    {
        await Window.RouteAsync("**/trackmate.js", route => route.AbortAsync("blockedbyclient"));
        var (page, _) = await OpenAsync(Snippet.For(ServerProcess.CompanyId, Site.ServerUrl));
        Assert.Null(await page.EvaluateAsync<string?>("TrackMate.identify({ email: 'blocked@example.com' }).then(({ profileId }) => profileId)"));
    }

    [Fact(Timeout = Bound)]
    public async Task Half_an_emoji_in_a_key_is_fixed_and_nothing_is_refused()
    {
        var (page, complaints) = await OpenAsync(Tracked());
        await page.EvaluateAsync("""
            TrackMate.track('keys', { '\ud83d': 1, '\ufffd': 2, 'a\0b': { '\udc00': 3 } });
            told = TrackMate.identify({ email: 'keys@example.com', '\ud83d': 'gold', get boom() { throw new Error('mine'); } });
            """);
        Assert.NotNull(await page.EvaluateAsync<string?>("told.then(({ profileId }) => profileId)"));
        var stored = (await EventOfAsync(await SessionOfAsync(page), "keys"))!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"\ufffd":1,"\ufffd_":2,"a\ufffdb":{"\ufffd":3}}"""), stored["eventData"]));
        Assert.Empty(complaints);
    }

    [Theory(Timeout = Bound)]
    [InlineData("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("baggage", "sentry-environment=production")]
    [InlineData("X-Datadog-Trace-Id", "7")]
    public async Task Headers_that_monitoring_adds_to_every_request_stop_nothing(string name, string value)
    {
        var (page, complaints) = await OpenAsync($$"""
            <script>
              const fetched = window.fetch;
              window.fetch = (url, init) => fetched(url, { ...init, headers: { ...init?.headers, '{{name}}': '{{value}}' } });
            </script>
            {{Tracked()}}
            """);
        var profileId = await page.EvaluateAsync<string?>("TrackMate.track('traced'), TrackMate.identify({ email: 'traced@example.com' }).then(({ profileId }) => profileId)");
        Assert.Equal($"{(await Backend.ProfileOfAsync("traced@example.com"))!["id"]}", profileId);
        Assert.NotNull(await EventOfAsync(await SessionOfAsync(page), "traced"));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task A_neutral_path_and_the_larger_build_work_as_the_usual_ones()
    {
        var (page, complaints) = await OpenAsync($"""<script src="{Site.ServerUrl}/t/script.extra.js"></script><script>{Init("path: '/t', cookieDomain: '127.0.0.1'")}</script>""");
        var profileId = await page.EvaluateAsync<string?>("TrackMate.track('neutral'), TrackMate.identify({ email: 'neutral@example.com' }).then(({ profileId }) => profileId)");
        Assert.Equal($"{(await Backend.ProfileOfAsync("neutral@example.com"))!["id"]}", profileId);
        Assert.NotNull(await EventOfAsync(await SessionOfAsync(page), "neutral"));
        Assert.Contains(await Window.CookiesAsync(), cookie => cookie.Name == $"trackmate_{ServerProcess.CompanyId}_session" && !cookie.Value.Contains('@'));
        Assert.Empty(complaints);
    }

    [Fact(Timeout = Bound)]
    public async Task The_script_is_at_most_5_KB_as_it_travels()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/trackmate.js");
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using var response = await Site.Server.Http.SendAsync(request);
        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.InRange((await response.Content.ReadAsByteArrayAsync()).Length, 1, 5 * 1024);
    }
}
