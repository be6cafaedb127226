using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>The read calls: pages that stay right while events arrive, filters, and what is answered to a question that has no answer.</summary>
public sealed class ReadingTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static readonly Company Company = new(1, "TM-A", "A", [.. Enumerable.Range(0, 32).Select(i => (byte)i)], new());

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("-99999999999999999999999")]
    [InlineData("abc")]
    [InlineData("1.5")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("1&limit=2")]
    public async Task A_limit_below_one_or_no_number_is_refused(string limit)
    {
        var (profileId, sessionId) = await SomeoneAsync();
        foreach (var path in new[] { "/api/profiles", $"/api/profiles/{profileId}/timeline", $"/api/sessions/{sessionId}" })
            (await running.Backend.GetAsync($"{path}?limit={limit}")).AssertRefused(400, "limit");
    }

    /// <summary>A thousand events may be 32 MB; a page is not.</summary>
    [Fact]
    public async Task A_page_of_large_events_ends_early_and_the_next_one_goes_on()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        var text = new string('x', 30_000);
        for (var batch = 0; batch < 6; batch++)
        {
            var events = Enumerable.Range(0, 30).Select(i => (JsonNode)new JsonObject { ["eventType"] = "page_view", ["eventId"] = $"{batch}-{i}", ["eventData"] = new JsonObject { ["text"] = text } });
            (await shopper.SendAsync("/api/events", new JsonObject { ["company_id"] = shop.CompanyId, ["sessionId"] = shopper.SessionId, ["events"] = new JsonArray([.. events]) })).AssertOk();
        }

        var id = (await shopper.IdentifyAsync("large@example.com")).AssertOk()["profileId"]!;
        foreach (var path in new[] { $"/api/profiles/{id}/timeline", $"/api/sessions/{shopper.SessionId}" })
        {
            var seen = new List<string>();
            string? cursor = null;
            do
            {
                var page = await shop.Backend.GetAsync($"{path}?limit=1000" + (cursor is null ? "" : "&cursor=" + cursor));
                Assert.True(page.Text.Length < 5 << 20, $"A page of {path} has {page.Text.Length} characters.");
                seen.AddRange(page.Body!["events"]!.AsArray().Select(shown => shown!["eventId"]!.ToString()));
                cursor = page.Body["nextCursor"]?.ToString();
            }
            while (cursor is not null);

            Assert.Equal(181, seen.Count);
            Assert.Equal(181, seen.Distinct().Count());
        }
    }

    [Fact]
    public async Task A_limit_is_fifty_unless_said_and_a_thousand_at_most()
    {
        var shopper = running.NewShopper();
        for (var i = 0; i < 3; i++) await shopper.TrackManyAsync([.. Enumerable.Range(0, 400).Select(n => new JsonObject { ["eventType"] = $"{i} {n}" })]);
        var profileId = (await shopper.IdentifyAsync(NewEmail()))["profileId"]!;
        async Task<int> CountAsync(string query) => (await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline{query}")).AssertOk().Body!["events"]!.AsArray().Count;
        Assert.Equal(50, await CountAsync(""));
        Assert.Equal(50, await CountAsync("?limit="));
        Assert.Equal(1, await CountAsync("?limit=1"));
        Assert.Equal(1000, await CountAsync("?limit=1000"));
        Assert.Equal(1000, await CountAsync("?limit=5000"));
        Assert.Equal(1000, await CountAsync("?limit=99999999999999999999999"));
        Assert.Equal(1000, (await running.Backend.GetAsync($"/api/sessions/{shopper.SessionId}?limit=5000")).Body!["events"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("source=browser", "source")]
    [InlineData("source=Client", "source")]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=01.02.2025", "from")]
    [InlineData("from=01/02/2025", "from")]
    [InlineData("from=2025/02/01", "from")]
    [InlineData("from=12:00", "from")]
    [InlineData("to=1", "to")]
    [InlineData("to=2025", "to")]
    [InlineData("to=2025-10", "to")]
    [InlineData("to=October%2018", "to")]
    [InlineData("to=18%20Oct%202025", "to")]
    [InlineData("to=Sat,%2018%20Oct%202025%2010:00:00%20GMT", "to")]
    [InlineData("from=now", "from")]
    [InlineData("from=-1d", "from")]
    [InlineData("from=10:00Z", "from")]
    [InlineData("from=2025-02-30", "from")]
    [InlineData("from=2025-10-18T10", "from")]
    [InlineData("from=%202025-10-18", "from")]
    [InlineData("from=2025-10-18&from=2025-10-19", "from")]
    [InlineData("from=null", "from")]
    [InlineData("to=12345678", "to")]
    [InlineData("to=2025-10-18T10:00:00%2B25:00", "to")]
    public async Task A_filter_that_means_nothing_is_refused(string query, string field)
    {
        var (profileId, _) = await SomeoneAsync();
        (await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline?{query}")).AssertRefused(400, field);
    }

    [Theory]
    [InlineData("671234567890abcdef123456")]
    [InlineData("671234567890abcdef12345")]
    [InlineData("sarah@example.com")]
    [InlineData("-71234567890abcdef123456")]
    public async Task What_is_not_there_is_a_404(string id)
    {
        (await running.Backend.GetAsync($"/api/profiles/{id}")).AssertRefused(404);
        (await running.Backend.GetAsync($"/api/profiles/{id}/timeline")).AssertRefused(404);
        (await running.Backend.GetAsync($"/api/sessions/{id}")).AssertRefused(404);
    }

    [Theory]
    [InlineData("webhook_1760781600_0123456789abcdef")]
    [InlineData("webhook_99999999999999999999_0123456789abcdef")]
    [InlineData("webhook_-1_0123456789abcdef")]
    [InlineData("webhook__")]
    public async Task A_made_up_server_session_is_a_404(string sessionId) => (await running.Backend.SessionAsync(sessionId)).AssertRefused(404);

    [Fact]
    public async Task Nobody_of_that_name_is_an_empty_list()
    {
        foreach (var query in new[] { "email=nobody@example.com", "email=nobody", "email=", "externalId=", "externalId=nobody", "externalId=%20", "q=nobody%25_%5C" })
            Assert.Equal("""{"profiles":[],"nextCursor":null}""", (await running.Backend.GetAsync($"/api/profiles?{query}")).AssertOk().Text);
    }

    [Fact]
    public async Task A_damaged_or_foreign_cursor_is_refused()
    {
        var (shop, other) = (await running.NewShopAsync(), await running.NewShopAsync());
        var profileIds = new List<string>();
        foreach (var each in new[] { shop, other })
        {
            await each.NewShopper("s").TrackManyAsync([.. Enumerable.Range(0, 5).Select(i => new JsonObject { ["eventType"] = $"{i}" })]);
            await each.NewShopper("t").IdentifyAsync("b@example.com");
            profileIds.Add((await each.NewShopper("s").IdentifyAsync("a@example.com"))["profileId"]!);
        }

        string[] paths = [$"/api/profiles/{profileIds[0]}/timeline?limit=2", "/api/sessions/s?limit=2", "/api/profiles?limit=1"];
        string[] foreign = [$"/api/profiles/{profileIds[1]}/timeline?limit=2", "/api/sessions/s?limit=2", "/api/profiles?limit=1"];
        foreach (var (path, theirs) in paths.Zip(foreign))
        {
            var cursor = (await shop.Backend.GetAsync(path)).AssertOk()["nextCursor"]!;
            (await shop.Backend.GetAsync($"{path}&cursor={cursor}")).AssertOk();
            var bad = new List<string> { "a", "AAAA", "=", "%20", new('A', 500), cursor[..^1], cursor[1..], cursor + "A", cursor + cursor, cursor + "=", "%20" + cursor, (await other.Backend.GetAsync(theirs)).AssertOk()["nextCursor"]! };
            for (var i = 0; i < cursor.Length; i++) bad.Add(cursor[..i] + (cursor[i] == 'A' ? 'B' : (char)(cursor[i] ^ 1) is var flipped && char.IsAsciiLetterOrDigit(flipped) ? flipped : 'A') + cursor[(i + 1)..]);
            foreach (var damaged in bad) (await shop.Backend.GetAsync($"{path}&cursor={damaged}")).AssertRefused(400, "cursor");
            (await shop.Backend.GetAsync($"{path}&cursor=%00")).AssertRefused(400);
        }

        // A list's cursor is no timeline's, though both are ours.
        var list = (await shop.Backend.GetAsync(paths[2]))["nextCursor"]!;
        (await shop.Backend.GetAsync($"{paths[0]}&cursor={list}")).AssertRefused(400, "cursor");
        var timeline = (await shop.Backend.GetAsync(paths[0]))["nextCursor"]!;
        (await shop.Backend.GetAsync($"{paths[2]}&cursor={timeline}")).AssertRefused(400, "cursor");
    }

    [Fact]
    public void Cursors_come_back_as_they_were_written()
    {
        foreach (var eventId in new[] { "", "a", "évènement 😀", new string('x', 200) })
        {
            var cursor = new EventCursor(new(long.MaxValue - 5), eventId);
            Assert.Equal(cursor, Cursors.ReadEvent(Company, Cursors.Write(Company, cursor)));
        }

        Assert.Equal(-7, Cursors.ReadNumber(Company, Cursors.Write(Company, -7)));
        Assert.Null(Cursors.ReadEvent(Company, null));
        Assert.Throws<RejectionException>(() => Cursors.ReadNumber(Company with { Secret = new byte[32] }, Cursors.Write(Company, 7)));
    }

    /// <summary>Pages of any size make the same list, newest first, whatever ties there are.</summary>
    [Fact]
    public async Task Pages_of_every_size_make_the_same_timeline()
    {
        var (profileId, _) = await HistoryAsync();
        var whole = (await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline?limit=1000")).AssertOk().Body!;
        Assert.Null(whole["nextCursor"]);
        var expected = IdsOf(whole["events"]!);
        Assert.Equal(65, expected.Count);
        var order = whole["events"]!.AsArray().Select(found => (DateTimeOffset.Parse(found!["timestamp"]!.ToString()), found["source"]!.ToString() == "client" ? 0 : 1, System.Text.Encoding.UTF8.GetBytes(found["eventId"]!.ToString()))).ToList();
        for (var i = 1; i < order.Count; i++)
        {
            var (newer, older) = (order[i - 1], order[i]);
            Assert.True((newer.Item1, newer.Item2).CompareTo((older.Item1, older.Item2)) is var byTime && (byTime > 0 || (byTime == 0 && newer.Item3.AsSpan().SequenceCompareTo(older.Item3) > 0)));
        }

        foreach (var limit in new[] { 1, 2, 7, 64, 65, 66 }) Assert.Equal(expected, await PagesAsync($"/api/profiles/{profileId}/timeline", limit));
    }

    [Fact]
    public async Task Pages_stay_right_while_events_arrive()
    {
        var (profileId, shopper) = await HistoryAsync();
        var expected = IdsOf((await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline?limit=1000")).Body!["events"]!);
        var arrived = 0;
        var seen = await PagesAsync($"/api/profiles/{profileId}/timeline", 4, async () => await shopper.TrackAsync("new", at: $"2025-11-01T00:00:{arrived++ % 60:00}Z"));
        Assert.Equal(expected, seen);
        Assert.True(arrived > 5);
    }

    [Fact]
    public async Task Pages_of_a_session_make_the_same_list_oldest_first()
    {
        var (profileId, shopper) = await HistoryAsync();
        var whole = (await running.Backend.GetAsync($"/api/sessions/{shopper.SessionId}?limit=1000")).Body!;
        Assert.Equal(["_id", "company_id", "sessionId", "userId", "events", "nextCursor"], whole.AsObject().Select(member => member.Key));
        Assert.Matches("^[0-9a-f]{24}$", whole["_id"]!.ToString());
        Assert.Equal(ServerProcess.CompanyId, whole["company_id"]!.ToString());
        var expected = IdsOf(whole["events"]!);
        Assert.Equal(26, expected.Count);
        Assert.Equal("view 0", whole["events"]![0]!["eventType"]!.ToString());
        foreach (var limit in new[] { 1, 3, 25, 26 }) Assert.Equal(expected, await PagesAsync($"/api/sessions/{shopper.SessionId}", limit));

        var serverSession = (await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline?source=server&limit=1")).Body!["events"]![0]!["sessionId"]!.ToString();
        var server = (await running.Backend.GetAsync($"/api/sessions/{serverSession}?limit=1000")).Body!;
        Assert.Equal((serverSession, profileId), (server["sessionId"]!.ToString(), server["userId"]!.ToString()));
        foreach (var limit in new[] { 1, 3, 26 }) Assert.Equal(IdsOf(server["events"]!), await PagesAsync($"/api/sessions/{serverSession}", limit));
    }

    [Fact]
    public async Task Filters_narrow_a_timeline_and_pages_of_it()
    {
        var (profileId, _) = await HistoryAsync();
        var all = (await running.Backend.GetAsync($"/api/profiles/{profileId}/timeline?limit=1000")).Body!["events"]!.AsArray().Select(found => found!).ToList();
        (string Query, Func<JsonNode, bool> Holds)[] filters =
        [
            ("source=client", found => found["source"]!.ToString() == "client"),
            ("source=server", found => found["source"]!.ToString() == "server"),
            ("eventType=view%203", found => found["eventType"]!.ToString() == "view 3"),
            ("eventType=user_registered", found => found["eventType"]!.ToString() == "user_registered"),
            ("eventType=nothing", _ => false),
            ("from=2025-10-18T10:05:00Z", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:05:00Z") >= 0),
            ("to=2025-10-18T10:05:00Z", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:05:00Z") < 0),
            ("from=2025-10-18T12:05:00%2B02:00&to=2025-10-18T10:10:00Z&source=server", found => found["source"]!.ToString() == "server" && string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:05:00Z") >= 0 && string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:10:00Z") < 0),
            ("from=2025-10-18T10:10:00Z&to=2025-10-18T10:05:00Z", _ => false),
            ("from=2025-10-18", _ => true),
            ("from=1760782200", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:10:00Z") >= 0),
            ("from=1760782200000&to=2025-10-18T10:12Z", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:10:00Z") >= 0 && string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:12:00Z") < 0),
            ("from=2025-10-18T10:10", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:10:00Z") >= 0),
            ("from=2025-10-18T12:10%2B0200", found => string.CompareOrdinal(found["timestamp"]!.ToString(), "2025-10-18T10:10:00Z") >= 0),
        ];
        foreach (var (query, holds) in filters)
        {
            var expected = all.Where(holds).Select(found => found["eventId"]!.ToString()).ToList();
            Assert.Equal(expected, await PagesAsync($"/api/profiles/{profileId}/timeline?{query}", 1000));
            Assert.Equal(expected, await PagesAsync($"/api/profiles/{profileId}/timeline?{query}", 2));
        }
    }

    [Fact]
    public async Task A_timeline_is_narrowed_to_a_session_and_to_words()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("s one");
        var id = (await shopper.IdentifyAsync("words@example.com", at: "2025-10-18T10:00:00Z"))["profileId"]!;
        await shopper.TrackAsync("page_view", new { title = "Crème Brûlée torch", nested = new { colour = "Deep Blue", sizes = new[] { 41, 42.75 } } }, "2025-10-18T10:01:00Z", "torch");
        using var escaped = new StringContent($$$"""{"company_id":"{{{shop.CompanyId}}}","sessionId":"s one","eventType":"search","eventId":"escaped","timestamp":"2025-10-18T10:02:00Z","eventData":{"q":"\u0062lue sh\u006fes"}}""");
        (await running.Http.PostAsync("/api/events", escaped)).EnsureSuccessStatusCode();
        var other = shop.NewShopper("s two");
        await other.IdentifyAsync("words@example.com", at: "2025-10-19T10:00:00Z");
        await other.TrackAsync("page_view", new { title = "Blue jacket" }, "2025-10-19T10:01:00Z", "jacket");
        var webhook = await shop.Backend.WebhookAsync("order_shipped", new { trackingNumber = "1Z-999" }, email: "words@example.com", at: "2025-10-20T10:00:00Z", eventId: "shipped");
        await shop.Backend.WebhookAsync("order_shipped", new { trackingNumber = "1Z-111" }, email: "words@example.com", at: "2025-10-21T10:00:00Z", eventId: "later");
        var stranger = await shop.Backend.WebhookAsync("order_shipped", email: "stranger@example.com", at: "2025-10-20T10:00:00Z");

        async Task<IReadOnlyList<string>> Found(string query) => await PagesAsync($"/api/profiles/{id}/timeline?{query}", 2, backend: shop.Backend);
        Assert.Equal(["escaped", "torch", "reg_" + id], await Found("sessionId=s%20one"));
        Assert.Equal(["jacket"], await Found("sessionId=s%20two"));
        Assert.Equal(["shipped"], await Found("sessionId=" + webhook["sessionId"]));
        Assert.Empty(await Found("sessionId=" + stranger["sessionId"]));
        Assert.Empty(await Found("sessionId=s%20one&source=server"));
        Assert.Empty(await Found("sessionId=unknown"));
        Assert.Equal(["torch"], await Found("q=creme%20BRULEE"));
        Assert.Equal(["jacket", "escaped", "torch"], await Found("q=blue"));
        Assert.Equal(["escaped"], await Found("q=shoes%20blue"));
        Assert.Equal(["torch"], await Found("q=42.75"));
        Assert.Equal(["shipped"], await Found("q=1z-999"));
        Assert.Equal(["later", "shipped"], await Found("q=order_shipped"));
        Assert.Equal(["reg_" + id], await Found("q=user_registered"));
        Assert.Empty(await Found("q=title"));
        Assert.Equal(["torch"], await Found("q=blue&sessionId=s%20one&eventType=page_view&to=2025-10-18T10:02:00Z"));
    }

    [Fact]
    public async Task Context_comes_back_where_it_was_sent()
    {
        var shopper = running.NewShopper();
        await shopper.SendAsync("/api/events", $$$"""
            {"company_id":"{{{ServerProcess.CompanyId}}}","sessionId":"{{{shopper.SessionId}}}","context":{"page":"shared"},"events":[
            {"eventType":"a","timestamp":"2025-10-18T10:00:00Z"},{"eventType":"b","timestamp":"2025-10-18T10:01:00Z","context":{"page":"own"}}]}
            """);
        await shopper.TrackAsync("c", at: "2025-10-18T10:02:00Z");
        var timeline = await running.Backend.TimelineAsync((await shopper.IdentifyAsync(NewEmail(), at: "2025-10-18T10:03:00Z"))["profileId"]!);
        Assert.Equal(["""{"page":"shared"}""", """{"page":"own"}""", null, null], timeline.Select(found => found["context"]?.ToJsonString()));
    }

    [Fact]
    public async Task Profiles_are_listed_newest_first_in_pages_while_others_arrive()
    {
        var shop = await running.NewShopAsync();
        for (var i = 0; i < 7; i++) await shop.NewShopper().IdentifyAsync($"person{i}@example.com", $"Person {i}");
        var expected = Enumerable.Range(0, 7).Select(i => $"person{6 - i}@example.com").ToList();
        foreach (var limit in new[] { 1, 2, 3, 7, 8 })
        {
            var (seen, cursor) = (new List<string>(), "");
            do
            {
                var page = (await shop.Backend.GetAsync($"/api/profiles?limit={limit}&q=person{cursor}")).AssertOk();
                seen.AddRange(page.Body!["profiles"]!.AsArray().Select(profile => profile!["email"]!.ToString()));
                cursor = page["nextCursor"] is { } next ? "&cursor=" + next : null;
                await shop.Backend.WebhookAsync("a", email: $"person{RunningServer.Unique()}@example.com");
            }
            while (cursor is not null);

            Assert.Equal(expected, seen.Where(email => email.Length < 24));
            Assert.Equal(seen.Count, seen.Distinct().Count());
        }
    }

    [Fact]
    public async Task Profiles_are_found_by_a_part_of_name_email_or_externalId()
    {
        var shop = await running.NewShopAsync();
        var ann = (await shop.NewShopper().IdentifyAsync("ann@shop.example", "Änn O'Neil 100%_sure"))["profileId"]!;
        var bob = (await shop.Backend.WebhookAsync("a", externalId: "CUSTOMER-77"))["profileId"]!;
        async Task<string[]> SearchAsync(string query) =>
            [.. (await shop.Backend.GetAsync($"/api/profiles?{query}")).AssertOk().Body!["profiles"]!.AsArray().Select(profile => profile!["id"]!.ToString())];
        foreach (var query in new[] { "q=ann%40", "q=SHOP.ex", "q=o%27neil", "q=%C3%84NN", "q=100%25_", "email=%20ANN%40shop.example" }) Assert.Equal([ann], await SearchAsync(query));
        foreach (var query in new[] { "q=customer", "q=-77", "externalId=CUSTOMER-77" }) Assert.Equal([bob], await SearchAsync(query));
        foreach (var query in new[] { "q=_nn", "q=%25%25", "externalId=customer-77", "q=%5C" }) Assert.Empty(await SearchAsync(query));
        Assert.Equal([bob, ann], await SearchAsync("q="));
    }

    [Fact]
    public async Task A_profile_has_the_members_of_the_contract()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        await shopper.SendAsync("/api/profile", $$$"""
            {"company_id":"{{{ServerProcess.CompanyId}}}","sessionId":"{{{shopper.SessionId}}}","email":"{{{email}}}","name":"Sarah","traits":{"plan":"pro","seats":5,"tags":["a"],"name":"not this"},"timestamp":"2025-10-18T10:00:00Z"}
            """);
        await shopper.SendAsync("/api/profile", $$$"""
            {"company_id":"{{{ServerProcess.CompanyId}}}","sessionId":"{{{shopper.SessionId}}}","email":"{{{email}}}","traits":{"plan":"late","seats":null,"since":2024},"timestamp":"2025-10-18T09:00:00Z"}
            """);
        var profile = (await running.Backend.ProfileOfAsync(email))!;
        Assert.Equal(["id", "company_id", "email", "name", "traits", "createdAt", "firstSeen", "lastActive", "totals", "identifiers", "traitTrust", "verified"], profile.AsObject().Select(member => member.Key));
        Assert.Equal("""{"name":"Sarah","plan":"pro","seats":5,"since":2024,"tags":["a"]}""", profile["traits"]!.ToJsonString());
        Assert.Equal("Sarah", profile["name"]!.ToString());
        Assert.Equal($$"""[{"kind":"email","value":"{{email}}","id":"{{profile["id"]}}"}]""", profile["identifiers"]!.ToJsonString());
        Assert.Equal("2025-10-18T09:00:00Z", profile["createdAt"]!.ToString());
        Assert.Equal(profile.ToJsonString(), (await running.Backend.ProfileAsync(profile["id"]!.ToString())).ToJsonString());

        var tracked = (await running.Backend.TimelineAsync(profile["id"]!.ToString()))[0];
        Assert.Equal(["eventId", "eventType", "eventData", "timestamp", "receivedAt", "source", "sessionId", "userId", "binding"], tracked.AsObject().Select(member => member.Key));
    }

    /// <summary>A person with a history of ties: two sessions, webhooks, equal times, ids that UTF-16 and UTF-8 order differently.</summary>
    private async Task<(string ProfileId, Shopper Shopper)> HistoryAsync()
    {
        var (one, two, email, mark) = (running.NewShopper(), running.NewShopper(), NewEmail(), RunningServer.Unique());
        string[] starts = ["a", "\uffee", "😀", "Z", "é"];
        for (var i = 0; i < 26; i++)
        {
            var at = $"2025-10-18T10:{i / 2:00}:00Z";
            await (i % 2 == 0 ? one : two).TrackAsync($"view {i}", at: at, eventId: $"{starts[i % 5]} {i} {mark}");
            if (i is 10) await one.TrackAsync("view again", at: at, eventId: $"{starts[(i + 1) % 5]} more {mark}");
            await running.Backend.WebhookAsync($"job {i}", email: i % 3 == 0 ? email : null, sessionId: i % 3 == 0 ? null : one.SessionId, at: at, eventId: $"{starts[i % 4]} {i} {mark}");
        }

        for (var i = 0; i < 11; i++) await one.TrackAsync("at once", at: "2025-10-18T10:07:00Z", eventId: $"{starts[i % 5]} tie {i} {mark}");
        await two.IdentifyAsync(email, at: "2025-10-18T10:06:00Z");
        return ((await one.IdentifyAsync(email, at: "2025-10-18T10:05:00Z"))["profileId"]!, one);
    }

    private async Task<(string ProfileId, string SessionId)> SomeoneAsync()
    {
        var shopper = running.NewShopper();
        return ((await shopper.IdentifyAsync(NewEmail()))["profileId"]!, shopper.SessionId);
    }

    private async Task<List<string>> PagesAsync(string path, int limit, Func<Task>? between = null, ShopBackend? backend = null)
    {
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await (backend ?? running.Backend).GetAsync($"{path}{(path.Contains('?') ? '&' : '?')}limit={limit}{(cursor is null ? "" : "&cursor=" + cursor)}")).AssertOk();
            var ids = IdsOf(page.Body!["events"]!);
            Assert.True(ids.Count <= limit);
            seen.AddRange(ids);
            cursor = page["nextCursor"];
            if (between is not null) await between();
        }
        while (cursor is not null);

        return seen;
    }

    private static List<string> IdsOf(JsonNode events) => [.. events.AsArray().Select(found => found!["eventId"]!.ToString())];

    private static string NewEmail() => RunningServer.Unique() + "@example.com";

    /// <summary>In an address a + is a blank: who forgets that is told, instead of finding nobody.</summary>
    [Fact]
    public async Task An_unescaped_plus_is_explained()
    {
        var (backend, name) = (running.Backend, RunningServer.Unique());
        await backend.WebhookAsync("a", email: $"{name}+shop@example.com");
        var answer = (await backend.GetAsync($"/api/profiles?email={name}+shop@example.com")).AssertOk();
        Assert.Empty(answer.Body!["profiles"]!.AsArray());
        Assert.Contains("%2B", answer["hint"]);
        Assert.Contains("%2B", (await backend.GetAsync($"/api/profiles?externalId={name}+1")).AssertOk()["hint"]);

        var found = (await backend.GetAsync($"/api/profiles?email={name}%2Bshop@example.com")).AssertOk();
        Assert.Single(found.Body!["profiles"]!.AsArray());
        Assert.DoesNotContain("hint", found.Text);
        Assert.DoesNotContain("hint", (await backend.GetAsync($"/api/profiles?email={name}@example.com")).AssertOk().Text);

        var profileId = found.Body["profiles"]![0]!["id"]!.ToString();
        Assert.Contains("%2B", (await backend.GetAsync($"/api/profiles/{profileId}/timeline?from=2025-10-18T10:00:00+02:00")).AssertRefused(400, "from")["detail"]);
    }

    /// <summary>Times in a body are read as those of messages are.</summary>
    [Theory]
    [InlineData("\"01.02.2025\"", false)]
    [InlineData("\"12:00\"", false)]
    [InlineData("true", false)]
    [InlineData("1", false)]
    [InlineData("1760781600", true)]
    [InlineData("\"2025-10-18T10:00Z\"", true)]
    [InlineData("\"2025-10-18\"", true)]
    public async Task Times_of_an_unbinding_are_read_as_those_of_messages(string from, bool isTime)
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("a");
        var answer = await running.Backend.PostAsync($"/api/sessions/{shopper.SessionId}/unbind", $$"""{"from":{{from}},"dryRun":true}""");
        if (isTime) answer.AssertOk();
        else answer.AssertRefused(422, "from");
    }
}
