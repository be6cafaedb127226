using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Receive;
using TrackMate.Tests.Running;
using TrackMate.Tests.Store;

namespace TrackMate.Tests.Receive;

/// <summary>How many pairs of identifiers a stranger may claim to be one person.</summary>
public sealed class PairLimitTests
{
    private static readonly Company Shop = Messages.Company(1);
    private static readonly IPAddress Here = IPAddress.Parse("203.0.113.7");

    private static Identify Pair(int pair, string session, long at = 0, Trust trust = Trust.Claimed) => new()
    {
        Company = Shop,
        EventId = "i",
        Order = EventOrder.Of(at, Origin.Browser),
        ReceivedAt = at,
        SessionId = session,
        Trust = trust,
        Named = [Identifier.Email(Shop, $"p{pair}@shop.com"), Identifier.External(Shop, $"{pair}")],
    };

    [Fact]
    public void A_session_claims_so_many_pairs_in_an_hour_and_the_same_ones_as_often_as_it_likes()
    {
        var limit = new PairLimit(perAddress: null, perSession: 3);
        for (var round = 0; round < 10; round++)
        {
            for (var pair = 0; pair < 3; pair++) limit.Take(Here, Pair(pair, "s"));
        }

        var refused = Assert.Throws<RejectionException>(() => limit.Take(Here, Pair(3, "s", at: 60_000)));
        Assert.Equal((429, 3540), (refused.Status, refused.RetryAfterSeconds));
        limit.Take(Here, Pair(3, "other"));
        limit.Take(Here, Pair(3, "s", trust: Trust.Verified));
        limit.Take(Here, Pair(4, "s") with { Named = [Identifier.Email(Shop, "p4@shop.com")] });
        limit.Take(Here, Pair(3, "s", at: 3_600_000));
    }

    [Fact]
    public void An_address_claims_so_many_whatever_sessions_it_invents_and_a_network_is_one_address()
    {
        var limit = new PairLimit(perAddress: 5, perSession: 20);
        for (var i = 0; i < 5; i++) limit.Take(IPAddress.Parse($"2001:db8::{i}"), Pair(i, $"s{i}"));
        Assert.Throws<RejectionException>(() => limit.Take(IPAddress.Parse("2001:db8::99"), Pair(5, "s5")));
        limit.Take(IPAddress.Parse("2001:db8:0:1::1"), Pair(5, "s5"));
        limit.Take(Here, Pair(5, "s5"));
    }

    [Fact]
    public void A_million_invented_sessions_take_no_more_memory_than_some()
    {
        var limit = new PairLimit(perAddress: 5, perSession: 20);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 300_000; i++)
        {
            try
            {
                limit.Take(new IPAddress(i + 1L), Pair(i % 100, $"session_{i}"));
            }
            catch (RejectionException)
            {
                // Counted all the same.
            }
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 64 << 20);
        GC.KeepAlive(limit);
    }

    [Fact]
    public async Task The_sender_is_told_to_wait_and_the_company_can_still_send_what_was_rejected()
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_PAIRS_PER_SESSION"] = "2" });
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        Task<Answer> ClaimAsync(int pair) => shopper.SendAsync("/api/profile", JsonNode.Parse($$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","email":"p{{pair}}@shop.com","externalId":"{{pair}}","eventId":"pair_{{pair}}"}""")!);
        (await ClaimAsync(1)).AssertOk();
        (await ClaimAsync(2)).AssertOk();
        var refused = (await ClaimAsync(3)).AssertRefused(429);
        Assert.Equal("urn:trackmate:problem:too_many_pairs", refused["type"]);
        Assert.InRange(refused.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 3000, 3600);
        (await shopper.IdentifyAsync("p3@shop.com")).AssertOk();

        var receipt = (await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/events/pair_3")).AssertOk().Body!["receipts"]![0]!;
        Assert.Equal(("rejected", "429"), (receipt["status"]!.ToString(), receipt["statusCode"]!.ToString()));
        Assert.Contains("p3@shop.com", receipt["body"]!.ToString());
    }
}
