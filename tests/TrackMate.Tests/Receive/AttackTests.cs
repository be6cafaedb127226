using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>
/// What somebody can do who has read the public company_id off a page and nothing else: not read, not find out whether a person is known, not change what was
/// verified, not move another's events. Each test is a script of such a person (B15).
/// </summary>
public sealed class AttackTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static readonly string[] ReadCalls =
    [
        "/api/profiles", "/api/profiles?email=EMAIL", "/api/profiles/ID", "/api/profiles/ID/timeline", "/api/sessions/SESSION", "/api/events/EVENT",
    ];

    private sealed record Victim(string Email, string ProfileId, string SessionId, string EventId);

    /// <summary>A customer with a history: a session, an identify, a payment, and a name that her token vouches for where there is a key.</summary>
    private static async Task<Victim> VictimAsync(Shop shop, Signer? signer = null)
    {
        var shopper = shop.NewShopper();
        var email = RunningServer.Unique("victim") + "@example.com";
        var eventId = RunningServer.Unique();
        (await shopper.TrackAsync("page_view", eventId: eventId)).AssertOk();
        var id = (await IdentifyAsync(shop, shopper, email, signer?.Sign(Signer.Claims(shop.CompanyId, email)), "Sarah Johnson")).AssertOk()["profileId"]!;
        (await shop.Backend.WebhookAsync("payment_processed", new { amount = 79.99, currency = "USD", orderId = eventId }, email: email)).AssertOk();
        return new(email, id, shopper.SessionId, eventId);
    }

    private static Task<Answer> IdentifyAsync(Shop shop, Shopper shopper, string? email, string? token, string? name = null, string? eventId = null, string? at = null, string? externalId = null) =>
        shopper.SendAsync("/api/profile", new JsonObject
        {
            ["company_id"] = shop.CompanyId,
            ["sessionId"] = shopper.SessionId,
            ["email"] = email,
            ["externalId"] = externalId,
            ["name"] = name,
            ["eventId"] = eventId,
            ["timestamp"] = at,
            ["token"] = token,
        });

    private async Task<(Shop Shop, Signer Signer)> ShopWithKeyAsync(TokenMode mode, Signer? signer = null)
    {
        var shop = await running.NewShopAsync();
        signer = (signer ?? Signer.WithSecret()).AddTo(shop, running.Server);
        await shop.ChangeAsync(settings => settings with { TokenMode = mode });
        return (shop, signer);
    }

    private static async Task<string> TimelineOfAsync(Shop shop, Victim victim) =>
        string.Join('\n', (await shop.Backend.TimelineAsync(victim.ProfileId)).Select(shown => shown.ToJsonString()));

    [Fact]
    public async Task Nothing_can_be_read_without_a_key()
    {
        var shop = await running.NewShopAsync();
        var victim = await VictimAsync(shop);
        foreach (var call in ReadCalls.Select(call => call.Replace("EMAIL", victim.Email).Replace("ID", victim.ProfileId).Replace("SESSION", victim.SessionId).Replace("EVENT", victim.EventId)))
        {
            foreach (var key in new[] { null, shop.CompanyId, "", "Bearer x" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, call + (call.Contains('?') ? "&" : "?") + "company_id=" + shop.CompanyId);
                if (key is not null) request.Headers.TryAddWithoutValidation("X-TrackMate-API-Key", key);
                var answer = await Answer.OfAsync(await running.Http.SendAsync(request));
                answer.AssertRefused(401);
                Assert.DoesNotContain("Sarah", answer.Text);
                Assert.DoesNotContain(victim.Email, answer.Text);
            }
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await Answer.OfAsync(await running.Http.PostAsync("/api/webhooks/events", JsonContent.Create(new { company_id = shop.CompanyId, identifier = new { email = victim.Email }, eventType = "a" })))).Status);
    }

    /// <summary>Status, headers and length of the answer are one and the same, by whatever the person is known and whatever the company makes of tokens.</summary>
    [Theory]
    [InlineData(TokenMode.Off, false)]
    [InlineData(TokenMode.Observe, false)]
    [InlineData(TokenMode.Enforce, false)]
    [InlineData(TokenMode.Enforce, true)]
    public async Task Whether_an_email_is_known_cannot_be_found_out(TokenMode mode, bool forged)
    {
        var (shop, signer) = await ShopWithKeyAsync(mode);
        var identified = await VictimAsync(shop, signer);
        var paid = RunningServer.Unique("victim") + "@example.com";
        (await shop.Backend.WebhookAsync("payment_processed", email: paid)).AssertOk();
        var unknown = RunningServer.Unique("victim") + "@example.com";

        var stranger = Signer.WithSecret();
        var answers = new List<string>();
        foreach (var email in new[] { identified.Email, paid, unknown, unknown })
        {
            var answer = await IdentifyAsync(shop, shop.NewShopper(), email, forged ? stranger.Sign(Signer.Claims(shop.CompanyId, email)) : null, "Eve");
            Assert.Equal(mode is TokenMode.Enforce ? 401 : 200, (int)answer.Status);
            answers.Add(Observable(answer));
        }

        Assert.Single(answers.Distinct());
        Assert.DoesNotContain("victim", answers[0]);
    }

    [Fact]
    public async Task A_claim_does_not_change_what_a_token_vouched_for()
    {
        var (shop, signer) = await ShopWithKeyAsync(TokenMode.Off);
        var victim = await VictimAsync(shop, signer);
        var before = await shop.Backend.ProfileAsync(victim.ProfileId);

        foreach (var at in new[] { null, "2000-01-01T00:00:00Z", TimeProvider.System.GetUtcNow().AddHours(23).ToString("O") })
            (await IdentifyAsync(shop, shop.NewShopper(), victim.Email, token: null, "Eve", at: at)).AssertOk();

        var after = await shop.Backend.ProfileAsync(victim.ProfileId);
        Assert.Equal("Sarah Johnson", after["name"]!.ToString());
        Assert.Equal(before["traits"]!.ToJsonString(), after["traits"]!.ToJsonString());
        Assert.Equal(before["totals"]!["revenue"]!.ToJsonString(), after["totals"]!["revenue"]!.ToJsonString());
    }

    /// <summary>An event goes with its session, and a session id has 128 random bits. Whoever does not know it reaches only a session of his own.</summary>
    [Fact]
    public async Task Events_of_a_session_that_one_does_not_know_cannot_be_moved()
    {
        var shop = await running.NewShopAsync();
        var victim = await VictimAsync(shop);
        var before = await TimelineOfAsync(shop, victim);
        var eve = RunningServer.Unique("eve") + "@example.com";
        foreach (var guess in new[] { victim.SessionId[..^1], victim.SessionId + " ", victim.SessionId.ToUpperInvariant(), victim.EventId, victim.ProfileId, "*", "%", "session_%" })
            await IdentifyAsync(shop, shop.NewShopper(guess), eve, token: null);

        Assert.Equal(before, await TimelineOfAsync(shop, victim));
        Assert.DoesNotContain(await shop.Backend.TimelineAsync((await shop.Backend.ProfileOfAsync(eve))!["id"]!.ToString()), shown => shown["eventId"]!.ToString() == victim.EventId);
    }

    /// <summary>Where tokens are enforced, knowing the session does not help either.</summary>
    [Fact]
    public async Task Where_tokens_are_enforced_a_known_session_cannot_be_taken_over()
    {
        var (shop, signer) = await ShopWithKeyAsync(TokenMode.Enforce);
        var victim = await VictimAsync(shop, signer);
        var before = await TimelineOfAsync(shop, victim);
        var eve = RunningServer.Unique("eve") + "@example.com";

        (await IdentifyAsync(shop, shop.NewShopper(victim.SessionId), eve, token: null)).AssertRefused(401, "token");
        (await IdentifyAsync(shop, shop.NewShopper(victim.SessionId), eve, token: null, at: "2000-01-01T00:00:00Z")).AssertRefused(401, "token");

        Assert.Equal(before, await TimelineOfAsync(shop, victim));
        Assert.Null(await shop.Backend.ProfileOfAsync(eve));
    }

    [Fact]
    public async Task A_message_that_is_played_again_changes_nothing()
    {
        var (shop, signer) = await ShopWithKeyAsync(TokenMode.Enforce);
        var shopper = shop.NewShopper();
        var email = RunningServer.Unique("victim") + "@example.com";
        var eventId = RunningServer.Unique();
        var token = signer.Sign(Signer.Claims(shop.CompanyId, email));
        var id = (await IdentifyAsync(shop, shopper, email, token, "Sarah Johnson", eventId)).AssertOk()["profileId"]!;
        var before = (await shop.Backend.ProfileAsync(id)).ToJsonString() + string.Join('\n', (await shop.Backend.TimelineAsync(id)).Select(shown => shown.ToJsonString()));

        (await IdentifyAsync(shop, shopper, email, token, "Sarah Johnson", eventId)).AssertOk();
        (await IdentifyAsync(shop, shop.NewShopper(), email, token, "Eve", eventId)).AssertOk();
        (await IdentifyAsync(shop, shopper, email, token: null, "Eve", eventId)).AssertRefused(401, "token");

        Assert.Equal(before, (await shop.Backend.ProfileAsync(id)).ToJsonString() + string.Join('\n', (await shop.Backend.TimelineAsync(id)).Select(shown => shown.ToJsonString())));
    }

    /// <summary>A token that was stolen is good for its one session, where it names it, and for its one person.</summary>
    [Fact]
    public async Task A_stolen_token_is_good_for_nothing_else()
    {
        var (shop, signer) = await ShopWithKeyAsync(TokenMode.Enforce);
        var (other, _) = await ShopWithKeyAsync(TokenMode.Enforce, signer);
        var shopper = shop.NewShopper();
        var email = RunningServer.Unique("victim") + "@example.com";
        var claims = Signer.Claims(shop.CompanyId, email);
        claims["sid"] = shopper.SessionId;
        var token = signer.Sign(claims);

        (await IdentifyAsync(shop, shopper, email, token)).AssertOk();
        (await IdentifyAsync(shop, shop.NewShopper(), email, token)).AssertRefused(401, "token");
        (await IdentifyAsync(shop, shopper, "eve@example.com", token)).AssertRefused(401, "token");
        (await IdentifyAsync(shop, shopper, email, token, externalId: "1")).AssertRefused(401, "token");
        (await IdentifyAsync(other, other.NewShopper(shopper.SessionId), email, token)).AssertRefused(401, "token");
    }

    /// <summary>All ways to make a token without the key end in the very same answer: it does not say which one was closest.</summary>
    [Theory]
    [InlineData(TokenAlgorithm.HS256)]
    [InlineData(TokenAlgorithm.EdDSA)]
    public async Task A_forged_token_is_refused_whatever_is_wrong_with_it(TokenAlgorithm algorithm)
    {
        var (shop, signer) = await ShopWithKeyAsync(TokenMode.Enforce, algorithm is TokenAlgorithm.HS256 ? Signer.WithSecret() : Signer.WithEd25519());
        var other = (await ShopWithKeyAsync(TokenMode.Enforce)).Shop;
        var victim = await VictimAsync(shop, signer);
        var before = await TimelineOfAsync(shop, victim);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        JsonObject Claims(string name, JsonNode? value)
        {
            var claims = Signer.Claims(shop.CompanyId, victim.Email);
            claims[name] = value;
            return claims;
        }

        var good = Signer.Claims(shop.CompanyId, victim.Email);
        var parts = signer.Sign(good).Split('.');
        string[] forged =
        [
            Signer.WithSecret().Sign(good),
            Signer.WithEd25519().Sign(good),
            Signer.WithSecret().Sign(good, new() { ["alg"] = "none" }),
            $"{Signer.Encode("{\"alg\":\"none\",\"typ\":\"JWT\"}"u8)}.{parts[1]}.",
            $"{Signer.Encode("{\"alg\":\"none\",\"typ\":\"JWT\"}"u8)}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{Signer.Encode(System.Text.Encoding.UTF8.GetBytes(Claims("sub", "eve@example.com").ToJsonString()))}.{parts[2]}",
            Signer.Confused(signer.Verifying.Length == 32 ? signer.Verifying : [1]).Sign(good),
            Signer.Confused(System.Text.Encoding.UTF8.GetBytes(Signer.Encode(signer.Verifying))).Sign(good),
            Signer.Confused(System.Text.Encoding.UTF8.GetBytes(shop.CompanyId)).Sign(good),
            Signer.WithSecret("").Sign(good),
            signer.Sign(Claims("exp", now - 61)),
            signer.Sign(Claims("exp", now + 7200)),
            signer.Sign(Claims("exp", null)),
            signer.Sign(Claims("nbf", now + 3600)),
            signer.Sign(Claims("aud", other.CompanyId)),
            signer.Sign(Claims("sub", "eve@example.com")),
            signer.Sign(Claims("sid", "session_1729260000_another")),
            signer.Sign(good.ToJsonString().Replace("\"sub\"", "\"sub\":\"eve@example.com\",\"sub\""), $$"""{"alg":"{{algorithm}}"}"""),
            signer.Sign(good, new() { ["alg"] = algorithm.ToString(), ["crit"] = new JsonArray("exp") }),
            signer.Sign(good, new() { ["alg"] = algorithm.ToString(), ["kid"] = "another" }),
            "garbage", "a.b.c", "", new string('x', 30_000),
        ];

        var answers = new List<string>();
        foreach (var token in forged)
        {
            var answer = await IdentifyAsync(shop, shop.NewShopper(victim.SessionId), victim.Email, token, "Eve");
            Assert.Equal("urn:trackmate:problem:token_invalid", answer.AssertRefused(401, "token")["type"]);
            answers.Add(Observable(answer));
        }

        foreach (var raw in new[] { "1", "true", "{}", "[]" })
        {
            var answer = await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"s","email":"{{victim.Email}}","token":{{raw}}}""");
            answers.Add(Observable(answer));
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(before, await TimelineOfAsync(shop, victim));
        Assert.Equal("Sarah Johnson", (await shop.Backend.ProfileAsync(victim.ProfileId))["name"]!.ToString());
        (await IdentifyAsync(shop, shop.NewShopper(), victim.Email, signer.Sign(good))).AssertOk();
    }

    /// <summary>All that somebody outside sees of an answer; of the id only that it is one, since it is a keyed hash of what he sent himself.</summary>
    private static string Observable(Answer answer) => string.Join('\n',
        [
            (int)answer.Status,
            .. answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {string.Join(", ", header.Value)}"),
            answer.Text.Length,
            System.Text.RegularExpressions.Regex.Replace(answer.Text, "[0-9a-f]{24}", "<id>", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)),
        ]);
}
