using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Keys, scopes, companies and origins: who may send and read, and what a page may see of the answer.</summary>
public sealed class WhoMaySendTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static readonly string[] ReadCalls = ["/api/profiles", "/api/profiles/671234567890abcdef123456", "/api/profiles/671234567890abcdef123456/timeline", "/api/sessions/a"];

    [Theory]
    [InlineData("")]
    [InlineData("tm_live_00000000000000000000000000000000000000")]
    [InlineData("tm_test_0123456789abcdefghijklmnopqrstuV")]
    [InlineData("x")]
    public async Task Without_a_known_key_nothing_is_taken_or_shown(string key)
    {
        var stranger = new ShopBackend(running.Http, key);
        var email = RunningServer.Unique() + "@example.com";
        var sent = await stranger.WebhookAsync("order_shipped", email: email);
        Assert.Contains("API key", sent.AssertRefused(401)["detail"]);
        Assert.Null(await running.Backend.ProfileOfAsync(email));
        foreach (var path in ReadCalls)
        {
            var read = (await stranger.GetAsync(path)).AssertRefused(401);
            if (key.Length > 1) Assert.DoesNotContain(key, read.Text + read.Response.Headers);
        }
    }

    [Fact]
    public async Task No_header_at_all_is_no_key()
    {
        using var response = await running.Http.GetAsync("/api/profiles");
        Assert.Contains("X-TrackMate-API-Key", (await Answer.OfAsync(response)).AssertRefused(401)["detail"]);
    }

    [Fact]
    public async Task The_secret_of_a_key_is_in_no_answer()
    {
        var shop = await running.NewShopAsync();
        var readOnly = await shop.AddKeyAsync(Scopes.Read);
        var refused = await new ShopBackend(running.Http, readOnly).WebhookAsync("a", email: "a@example.com");
        refused.AssertRefused(403);
        Assert.DoesNotContain(readOnly[12..], refused.Text);
    }

    [Fact]
    public async Task A_key_does_only_what_its_scopes_allow()
    {
        var shop = await running.NewShopAsync();
        var email = RunningServer.Unique() + "@example.com";
        var reader = new ShopBackend(running.Http, await shop.AddKeyAsync(Scopes.Read));
        Assert.Contains("write", (await reader.WebhookAsync("a", email: email)).AssertRefused(403)["detail"]);
        Assert.Null(await shop.Backend.ProfileOfAsync(email));

        var writer = new ShopBackend(running.Http, await shop.AddKeyAsync(Scopes.Write));
        (await writer.WebhookAsync("a", email: email)).AssertOk();
        foreach (var path in ReadCalls) Assert.Contains("read", (await writer.GetAsync(path)).AssertRefused(403)["detail"]);
        (await reader.GetAsync($"/api/profiles?email={email}")).AssertOk();
    }

    [Fact]
    public async Task A_revoked_key_is_no_key()
    {
        var shop = await running.NewShopAsync();
        var key = await shop.AddKeyAsync(Scopes.All);
        await shop.RevokeAsync(key);
        (await new ShopBackend(running.Http, key).WebhookAsync("a", email: "a@example.com")).AssertRefused(401);
        Assert.Null(await shop.Backend.ProfileOfAsync("a@example.com"));
    }

    [Fact]
    public async Task A_key_sends_for_its_own_company_only()
    {
        var (shop, other) = (await running.NewShopAsync(), await running.NewShopAsync());
        var email = RunningServer.Unique() + "@example.com";
        JsonObject Webhook(string companyId) => new() { ["company_id"] = companyId, ["identifier"] = new JsonObject { ["email"] = email }, ["eventType"] = "a" };

        (await shop.Backend.PostAsync("/api/webhooks/events", Webhook(other.CompanyId))).AssertRefused(403, "company_id");
        (await shop.Backend.PostAsync("/api/webhooks/events", new JsonObject { ["company_id"] = other.CompanyId, ["events"] = new JsonArray(Webhook(shop.CompanyId)) })).AssertRefused(403, "company_id");
        Assert.Null(await shop.Backend.ProfileOfAsync(email));
        Assert.Null(await other.Backend.ProfileOfAsync(email));
        (await shop.Backend.PostAsync("/api/webhooks/events", Webhook(shop.CompanyId))).AssertOk();
        Assert.Null(await other.Backend.ProfileOfAsync(email));
    }

    /// <summary>The same e-mail, session and eventId in two companies are two persons, two sessions and two events, and neither is found from the other.</summary>
    [Fact]
    public async Task Nothing_crosses_companies()
    {
        var (shop, other) = (await running.NewShopAsync(), await running.NewShopAsync());
        var (session, email, eventId) = (RunningServer.Unique("session_"), RunningServer.Unique() + "@example.com", RunningServer.Unique());
        var ids = new List<string>();
        foreach (var each in new[] { shop, other })
        {
            Assert.Equal(1, (int)(await each.NewShopper(session).TrackAsync("page_view", eventId: eventId)).Body!["accepted"]!);
            ids.Add((await each.NewShopper(session).IdentifyAsync(email))["profileId"]!);
            Assert.False((bool)(await each.Backend.WebhookAsync("paid", email: email, eventId: eventId)).Body!["duplicate"]!);
        }

        Assert.NotEqual(ids[0], ids[1]);
        (await shop.Backend.GetAsync($"/api/profiles/{ids[1]}")).AssertRefused(404);
        (await shop.Backend.GetAsync($"/api/profiles/{ids[1]}/timeline")).AssertRefused(404);
        Assert.Equal(3, (await shop.Backend.TimelineAsync(ids[0])).Count);

        // The other company's id names nobody here.
        var answer = await shop.Backend.WebhookAsync("a", userId: ids[1]);
        Assert.Contains("unknown_userid", answer.AssertOk().Text);
        Assert.Equal(3, (await other.Backend.TimelineAsync(ids[1])).Count);
    }

    [Fact]
    public async Task A_company_that_lists_origins_takes_only_their_pages()
    {
        var shop = await running.NewShopAsync(new() { AllowedOrigins = ["https://shop.com"] });
        Shopper On(string? origin) => new(running.Http, shop.CompanyId) { Origin = origin };

        foreach (var origin in new[] { "https://evil.com", "http://shop.com", "https://shop.com.evil.com", "https://shop.com:8443", "null" })
        {
            var shopper = On(origin);
            Assert.Contains(origin, (await shopper.TrackAsync("page_view")).AssertRefused(403)["detail"]);
            (await shopper.IdentifyAsync("a@example.com")).AssertRefused(403);
            (await shopper.TrackManyAsync([new JsonObject { ["eventType"] = "a" }])).AssertRefused(403);
            (await shop.Backend.SessionAsync(shopper.SessionId)).AssertRefused(404);
        }

        (await On("https://shop.com").TrackAsync("page_view")).AssertOk();
        (await On("HTTPS://Shop.com").TrackAsync("page_view")).AssertOk();
        (await On(null).TrackAsync("page_view")).AssertOk();
    }

    [Fact]
    public async Task A_preflight_lets_any_page_post_JSON_without_credentials()
    {
        foreach (var path in new[] { "/api/events", "/api/profile" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, path);
            request.Headers.Add("Origin", "https://shop.com");
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "content-type");
            using var response = await running.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
            AssertReadableByPages(response);
            Assert.Contains("POST", response.Headers.GetValues("Access-Control-Allow-Methods").Single());
            Assert.Contains("content-type", response.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_page_can_read_every_answer_refusals_too()
    {
        var shop = await running.NewShopAsync(new() { AllowedOrigins = ["https://shop.com"] });
        var shopper = new Shopper(running.Http, shop.CompanyId) { Origin = "https://shop.com" };
        AssertReadableByPages((await shopper.TrackAsync("a")).AssertOk().Response);
        AssertReadableByPages((await shopper.IdentifyAsync("a@example.com")).AssertOk().Response);
        AssertReadableByPages((await shopper.IdentifyAsync("a")).AssertRefused(422).Response);
        AssertReadableByPages((await shopper.SendAsync("/api/events", "{")).AssertRefused(400).Response);
        AssertReadableByPages((await shopper.SendAsync("/api/events", new string(' ', 1024 * 1024 + 1))).AssertRefused(413).Response);
        AssertReadableByPages((await new Shopper(running.Http, "TM-NOBODY").TrackAsync("a")).AssertRefused(401).Response);
        AssertReadableByPages((await new Shopper(running.Http, shop.CompanyId) { Origin = "https://evil.com" }.TrackAsync("a")).AssertRefused(403).Response);
    }

    /// <summary>Back ends have no origin: their answers are no page's to read.</summary>
    [Fact]
    public async Task A_page_can_read_no_answer_to_a_key()
    {
        Assert.False((await running.Backend.GetAsync("/api/profiles")).Response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False((await running.Backend.WebhookAsync("a", email: "a@example.com")).Response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    /// <summary>A browser learns nothing about whom it names: one shape of answer, the same id before and after.</summary>
    [Fact]
    public async Task An_identify_does_not_tell_whether_the_person_was_known()
    {
        var email = RunningServer.Unique() + "@example.com";
        var unknown = (await running.NewShopper().IdentifyAsync(email)).AssertOk();
        await running.Backend.WebhookAsync("paid", email: email);
        var known = (await running.NewShopper().IdentifyAsync(email, eventId: RunningServer.Unique())).AssertOk();
        Assert.Equal(unknown.Text, known.Text);
        Assert.Equal(["profileId"], unknown.Body!.AsObject().Select(member => member.Key));
        Assert.Matches("^[0-9a-f]{24}$", unknown["profileId"]);
    }

    /// <summary>What was refused is kept for the company's developer, with the sentence that was answered.</summary>
    [Fact]
    public async Task What_was_refused_is_kept_for_the_company()
    {
        var shop = await running.NewShopAsync(new() { AllowedOrigins = ["https://shop.com"] });
        var shopper = shop.NewShopper();
        List<(string? EventId, int Status, string Detail)> expected = [];
        void Expect(Answer answer, string? eventId = null) => expected.Add((eventId, (int)answer.Status, answer["detail"]!));

        Expect(await shopper.TrackAsync("a", eventId: "event 1", at: "1999-01-01T00:00:00Z"), "event 1");
        Expect(await shopper.IdentifyAsync("nobody", eventId: "event 2"), "event 2");
        Expect(await shop.Backend.WebhookAsync("a", email: "nobody", eventId: "event 3"), "event 3");
        Expect(await new Shopper(running.Http, shop.CompanyId) { Origin = "https://evil.com" }.TrackAsync("a"));
        Expect(await shop.Backend.PostAsync("/api/webhooks/events", "{"));
        Expect(await shop.Backend.PostAsync("/api/webhooks/events", new ByteArrayContent([0xff])));
        Expect(await shop.Backend.PostAsync("/api/webhooks/events", new string(' ', 1024 * 1024 + 1)));
        Expect(await shopper.SendAsync("/api/events", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"a","eventType":"a","eventData":{"n":1e999},"eventId":"event 4"}"""), "event 4");
        var batch = await shopper.TrackManyAsync([new JsonObject { ["eventType"] = "a" }, new JsonObject { ["eventId"] = "event 5" }]);
        expected.Add(("event 5", 422, batch.Body!["rejected"]![0]!["detail"]!.ToString()));

        Assert.Equal(expected, RejectedOf(shop).Select(row => (row.EventId, row.Status, row.Detail)));
        Assert.Contains("1999-01-01", RejectedOf(shop)[0].Body);
        Assert.All(expected, refused => Assert.True(refused.Status is >= 400 and < 500));
    }

    [Fact]
    public async Task Refused_events_that_are_kept_are_bounded()
    {
        var shop = await running.NewShopAsync(new() { RejectedKept = 1000 });
        for (var i = 0; i < 3; i++)
            await shop.NewShopper().TrackManyAsync([.. Enumerable.Range(0, 400).Select(n => new JsonObject { ["eventId"] = $"event {i} {n}", ["eventData"] = new JsonObject { ["x"] = new string('x', 1000) } })]);
        await shop.Backend.WebhookAsync("a", email: "nobody", eventId: "large", eventData: new { x = new string('x', 20_000) });

        var kept = RejectedOf(shop);
        // A thousand of the browsers', and beside them what the key had refused.
        Assert.Equal(1001, kept.Count);
        Assert.Equal("large", kept[^1].EventId);
        Assert.True(kept[^1].Body.Length > 20_000);
    }

    private static void AssertReadableByPages(HttpResponseMessage response)
    {
        Assert.Equal("*", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    private List<(string? EventId, int Status, string Detail, string Body)> RejectedOf(Shop shop)
    {
        return [.. StoreUnderTest.Read(
                running.Server.DataFolder,
                "SELECT event_id, CAST(status AS text), detail, body FROM rejected WHERE company = (SELECT id FROM company WHERE company_id = ?) ORDER BY id",
                4,
                shop.CompanyId)
            .Select(row => (row[0], int.Parse(row[1]!, System.Globalization.CultureInfo.InvariantCulture), row[2]!, row[3]!))];
    }
}
