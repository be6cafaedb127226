using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>B8: whose a session is, decided by the claims on it and by nothing else.</summary>
[NoStore]
public sealed class SessionSpansTests
{
    private static readonly Gen<Claim[]> Claims = Gen.Select(
            Gen.OneOf(ClaimMethod.Identify, ClaimMethod.Webhook), Gen.OneOf(Trust.Claimed), Gen.Long[0, 5], Gen.Long[1, 3].Array[1, 3],
            (method, trust, time, identifiers) => (Method: method, Trust: trust, Time: time, Identifiers: identifiers.Distinct().ToArray()))
        .Array[0, 9]
        .Select(claims => claims.Select((claim, i) => new Claim(100 + i, claim.Method, claim.Method is ClaimMethod.Webhook ? Trust.Verified : claim.Trust, claim.Time, EventIdOf(i / 2), claim.Identifiers))
            .DistinctBy(claim => (claim.Method, claim.EventId)).ToArray());

    [Fact]
    public void Any_order_of_claims_gives_the_same_spans() =>
        Gen.Select(Claims, Gen.Int).Sample((claims, seed) =>
        {
            var shuffled = claims.ToArray();
            new Random(seed).Shuffle(shuffled);
            return SessionSpans.Of(shuffled).SequenceEqual(SessionSpans.Of(claims));
        });

    [Fact]
    public void Spans_follow_each_other_from_the_beginning_to_the_end_without_a_gap() =>
        Claims.Sample(claims =>
        {
            var spans = SessionSpans.Of(claims);
            Assert.Equal(claims.Length == 0, spans.Count == 0);
            if (spans.Count == 0) return;
            Assert.Equal(long.MinValue, spans[0].From);
            Assert.Equal(long.MaxValue, spans[^1].To);
            foreach (var (span, next) in spans.Zip(spans.Skip(1)))
            {
                Assert.Equal(span.To, next.From);
                Assert.NotEqual(span.Identifier, next.Identifier);
            }

            Assert.All(spans, span => Assert.True(span.From < span.To));
        });

    /// <summary>Read off the rule a moment at a time: the last that opens until then; before any, the first; of one time the later one.</summary>
    [Fact]
    public void At_every_moment_the_last_opening_until_then_holds_the_session() =>
        Claims.Sample(claims =>
        {
            var spans = SessionSpans.Of(claims);
            var inOrder = claims.OrderBy(claim => claim.UnixMilliseconds).ThenBy(claim => claim.Trust).ThenBy(claim => claim.EventId, StringComparer.Ordinal).ThenBy(claim => claim.Method).ToList();
            var openings = inOrder.Where((claim, i) => claim.Method is ClaimMethod.Identify || !inOrder.Take(i).SelectMany(before => before.Identifiers).Intersect(claim.Identifiers).Any()).ToList();
            for (var time = -1; claims.Length > 0 && time <= 6; time++)
            {
                var holder = openings.LastOrDefault(claim => claim.UnixMilliseconds <= time) ?? openings.Last(claim => claim.UnixMilliseconds == openings[0].UnixMilliseconds);
                var span = spans.Single(span => span.From <= time && time < span.To);
                Assert.Equal(holder.Identifiers[0], span.Identifier);
            }
        });

    /// <summary>The writer's way: one opening comes or goes, and only the spans between its neighbours are looked at.</summary>
    [Fact]
    public void One_opening_more_or_less_changes_the_spans_between_its_neighbours_as_all_openings_would() =>
        Gen.Select(Claims, Gen.Int).Sample((claims, seed) =>
        {
            var random = new Random(seed);
            var (openings, spans) = (new List<Opening>(), new List<Span>());
            Opening? LastUntil(long time) => openings.LastOrDefault(opening => opening.UnixMilliseconds <= time);

            // Each opens, whatever the rule says of webhooks: so the spans hold for any set of openings, and they come and go in any order.
            var left = claims.Select(claim => claim.Opening).Concat(claims.Select(claim => claim.Opening)).ToArray();
            random.Shuffle(left);
            foreach (var opening in left)
            {
                var time = opening.UnixMilliseconds;
                if (!openings.Remove(opening)) openings.Add(opening);
                openings.Sort((one, other) => one.Place.CompareTo(other.Place));
                var last = LastUntil(time);
                var next = openings.Find(later => later.UnixMilliseconds > time);
                var near = spans.Where(span => span.From <= time).TakeLast(2).Concat(spans.Where(span => span.From > time).Take(1));
                var change = SessionSpans.Change(LastUntil(time - 1), last?.UnixMilliseconds == time ? last : null, next is null ? null : LastUntil(next.UnixMilliseconds), near);
                Assert.InRange(change.Gone.Count, 0, 3);
                Assert.InRange(change.Come.Count, 0, 3);

                spans.RemoveAll(change.Gone.Contains);
                spans.AddRange(change.Come);
                spans.Sort((one, other) => one.From.CompareTo(other.From));
                Assert.Equal(SessionSpans.Of(openings), spans);
            }
        });

    /// <summary>A claim that comes late opens or does not by those before it, and takes an opening from webhooks that named somebody first until then: one for each identifier at most.</summary>
    [Fact]
    public void A_claim_more_takes_an_opening_only_from_the_first_webhook_that_names_each_of_its_identifiers() =>
        Gen.Select(Claims, Gen.Int).Sample((claims, seed) =>
        {
            new Random(seed).Shuffle(claims);
            for (var i = 0; i < claims.Length; i++)
            {
                var (before, come) = (claims[..i], claims[i]);
                var first = come.Identifiers.Select(identifier => before.Where(claim => claim.Identifiers.Contains(identifier)).MinBy(claim => claim.Place)).OfType<Claim>().ToList();
                var gone = first.Where(claim => claim.Method is ClaimMethod.Webhook && claim.Place > come.Place).Select(claim => claim.Opening);
                IEnumerable<Opening> added = come.Method is ClaimMethod.Identify || first.TrueForAll(claim => claim.Place > come.Place) ? [come.Opening] : [];
                Assert.Equal(SessionSpans.Openings(claims[..(i + 1)]), SessionSpans.Openings(before).Except(gone).Concat(added).OrderBy(opening => opening.Place));
            }
        });

    [Fact]
    public void A_change_beside_what_operators_keep_free_makes_what_all_claims_and_all_of_that_would() =>
        Gen.Select(Claims, Claims, Gen.Select(Gen.Long[-1, 6], Gen.Long[-1, 6]).Array[0, 3]).Sample((before, after, free) =>
        {
            Unbinding[] unbindings = [.. free.Where(part => part.Item1 < part.Item2).Select(part => new Unbinding(part.Item1, part.Item2))];
            var change = SpanChange.Between([.. SessionSpans.Of(before)], [.. SessionSpans.Of(after)]).Beside(unbindings);
            Assert.Equal(SessionSpans.Of(after, unbindings).OrderBy(span => span.From), SessionSpans.Of(before, unbindings).Except(change.Gone).Concat(change.Come).OrderBy(span => span.From));
        });

    [Fact]
    public void A_webhook_that_names_someone_already_known_in_the_session_hands_nothing_back()
    {
        Claim[] claims =
        [
            new(1, ClaimMethod.Identify, Trust.Claimed, 10, "a", [1]),
            new(2, ClaimMethod.Identify, Trust.Claimed, 20, "b", [2]),
            new(3, ClaimMethod.Webhook, Trust.Verified, 30, "c", [1]),
        ];
        Assert.Equal([new(long.MinValue, 20, 1, 1), new(20, long.MaxValue, 2, 2)], SessionSpans.Of(claims));
    }

    [Fact]
    public void Of_one_time_the_verified_claim_holds_the_session_then_the_higher_eventId()
    {
        Claim[] claims =
        [
            new(1, ClaimMethod.Identify, Trust.Claimed, 10, "b", [1]),
            new(2, ClaimMethod.Identify, Trust.Claimed, 10, "c", [2]),
            new(3, ClaimMethod.Webhook, Trust.Verified, 10, "a", [3]),
        ];
        Assert.Equal([new(long.MinValue, long.MaxValue, 3, 3)], SessionSpans.Of(claims));
        Assert.Equal([new(long.MinValue, long.MaxValue, 2, 2)], SessionSpans.Of(claims[..2]));
    }

    /// <summary>A browser's eventIds and a server's are their own: two claims may have one.</summary>
    [Fact]
    public void Of_one_time_and_eventId_what_the_server_says_holds_the_session()
    {
        Claim[] claims =
        [
            new(1, ClaimMethod.Webhook, Trust.Verified, 10, "a", [1]),
            new(2, ClaimMethod.Identify, Trust.Verified, 10, "a", [2]),
        ];
        Assert.Equal([new(long.MinValue, long.MaxValue, 1, 1)], SessionSpans.Of(claims));
        Assert.Equal(SessionSpans.Of(claims), SessionSpans.Of([claims[1], claims[0]]));
    }

    private static string EventIdOf(int number) => ((char)('a' + (number * 5 % 9))).ToString();
}
