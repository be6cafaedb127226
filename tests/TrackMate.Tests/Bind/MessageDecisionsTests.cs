using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>What a message says about persons, before anything is loaded: B2, B3, B4 and B8 as functions.</summary>
[NoStore]
public sealed class MessageDecisionsTests
{
    private static readonly Company Shop = new(1, "TM-SHOP99", "Shop", new byte[32], new());

    private static readonly Identifier Email = Identifier.Email(Shop, "sarah@example.com");
    private static readonly Identifier External = Identifier.External(Shop, "42");

    [Fact]
    public void A_webhook_with_three_identifiers_belongs_to_the_first_and_gives_its_session_to_the_email()
    {
        var decision = WebhookDecision.Of(Webhook([Identifier.Bare(External.Id), Email, External], "session_1729260000_abc123"), session: 7, identifiers: [2, 1, 2], Shop.Settings);

        Assert.Equal((null, 2L), (decision.Session, decision.Identifier));
        Assert.Equal([1, 2, 2], decision.Claim!.Identifiers);
        Assert.Equal(IdentifierKind.Email, decision.Claim.FirstNamedAs);
        Assert.Equal([(0, 1), (1, 2)], decision.Pairs);
    }

    [Fact]
    public void A_userId_and_the_externalId_whose_id_it_is_are_no_pair()
    {
        var decision = WebhookDecision.Of(Webhook([Identifier.Bare(External.Id), External], null), session: null, identifiers: [2, 2], Shop.Settings);

        Assert.Empty(decision.Pairs);
        Assert.Equal([2], decision.Claim!.Identifiers);
    }

    [Fact]
    public void A_webhook_that_names_only_a_session_belongs_to_it_and_claims_nothing()
    {
        var decision = WebhookDecision.Of(Webhook([], "session_1729260000_abc123"), session: 7, identifiers: [], Shop.Settings);

        Assert.Equal((7L, null), (decision.Session, decision.Identifier));
        Assert.Null(decision.Claim);
    }

    [Fact]
    public void A_webhook_that_names_one_person_and_no_session_claims_nothing() =>
        Assert.Null(WebhookDecision.Of(Webhook([Email], null), session: null, identifiers: [1], Shop.Settings).Claim);

    [Fact]
    public void A_bot_is_no_visit()
    {
        var tracked = Webhook([], "session_1729260000_abc123") with { Agent = new("Bot", "", "", Bot: true) };

        Assert.Equal(new(IsBot: true, Day: null), EventDecision.Of(tracked));
        Assert.Equal(new(IsBot: false, Day: 20_379), EventDecision.Of(tracked with { Agent = null }));
    }

    [Fact]
    public void The_registration_is_the_earliest_identify_unless_one_was_sent()
    {
        FirstIdentify[] identifies = [new(1, 7, new(20, "a"), 21, 1, Trust.Claimed), new(2, 8, new(10, "b"), 30, 2, Trust.Claimed), new(3, 9, new(10, "c"), 10, 3, Trust.Claimed)];

        Assert.Equal(2, Registrations.Of(Shop.Settings, [false, false], identifies)!.Identifier);
        Assert.Null(Registrations.Of(Shop.Settings, [false, true], identifies));
        Assert.Null(Registrations.Of(Shop.Settings with { UserRegistered = false }, [], identifies));
        Assert.Null(Registrations.Of(Shop.Settings, [], []));
    }

    /// <summary>Claims of one session on up to three identifiers, some at one time.</summary>
    private static readonly Gen<Claim[]> Claims =
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Long[0, 6], Gen.Long[1, 3].Array[1, 3]).Array[1, 8].Select(claims => claims.Select((claim, i) => new Claim(
            i + 1, claim.Item1 ? ClaimMethod.Webhook : ClaimMethod.Identify, claim.Item1 || claim.Item2 ? Trust.Verified : Trust.Claimed, claim.Item3, $"e{i * 5 % 8}", [.. claim.Item4.Distinct()])).ToArray());

    [Fact]
    public void Openings_that_are_added_one_by_one_are_those_of_all_claims() => Claims.Sample(claims =>
    {
        var (known, openings) = (new List<Claim>(), new HashSet<ClaimPlace>());
        foreach (var claim in claims)
        {
            // As the store asks: of each identifier the earliest of each kind.
            var named = claim.Identifiers.SelectMany(identifier => known.Where(other => other.Identifiers.Contains(identifier)).GroupBy(other => (identifier, other.Trust)).Select(kind => kind.Min(other => other.Place))).ToList();
            var decision = SessionSpans.Add(claim, named);
            if (decision.Opens) openings.Add(claim.Place);
            openings.ExceptWith(decision.Closed);
            known.Add(claim);
        }

        Assert.Equal(SessionSpans.Openings(claims).Select(opening => opening.Place).ToHashSet(), openings);
    });

    private static TrackedEvent Webhook(IReadOnlyList<Identifier> named, string? sessionId) => new()
    {
        Company = Shop,
        EventId = "evt_5",
        Order = EventOrder.Of(1_760_782_320_000, Origin.Server),
        ReceivedAt = 1_760_782_320_120,
        SessionId = sessionId,
        Named = named,
        Type = "order_shipped",
        Data = "{}"u8.ToArray(),
    };
}
