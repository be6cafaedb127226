using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>B13: of the sessions that claim an identifier from a browser alone, the first so many of a day are believed.</summary>
[NoStore]
public sealed class SessionsOfDayTests
{
    private static readonly Gen<(int Session, long Time, string EventId, bool IsRevoked)[]> Claims =
        Gen.Select(Gen.Long[0, 5], Gen.Char['a', 'c'], Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true)))).Array[0, 12]
            .Select(claims => claims.Select((claim, i) => (i + 1, claim.Item1, $"{claim.Item2}{i:00}", claim.Item3)).ToArray());

    [Fact]
    public void Entered_and_left_in_any_order_the_first_of_the_day_are_believed() =>
        Gen.Select(Claims, Gen.Int[1, 4], Gen.Int).Sample((claims, most, seed) =>
        {
            var day = new Day();
            var shuffled = claims.ToArray();
            new Random(seed).Shuffle(shuffled);
            foreach (var (session, time, eventId, _) in shuffled) day.Enter(new(session, new(time, eventId), FirstClaimStatus.TooLate), most);
            foreach (var claim in shuffled.Where(claim => claim.IsRevoked)) day.Revoke(claim.Session);

            Assert.Equal(Naive(claims, most), day.Believed);
        });

    [Fact]
    public void A_changed_limit_is_reached_a_session_at_a_time() =>
        Gen.Select(Claims, Gen.Int[1, 6], Gen.Int[1, 6]).Sample((claims, before, after) =>
        {
            var day = new Day();
            foreach (var (session, time, eventId, _) in claims) day.Enter(new(session, new(time, eventId), FirstClaimStatus.TooLate), before);
            var steps = 0;
            while (day.Store(SessionsOfDay.Correct(day.State(), after)) && steps++ <= claims.Length)
            {
            }

            Assert.Equal(Naive([.. claims.Select(claim => claim with { IsRevoked = false })], after), day.Believed);
        });

    [Fact]
    public void Of_one_time_the_eventId_decides_as_bytes()
    {
        // U+FF5E is before U+1F600 in UTF-8, and after it in UTF-16.
        Assert.True(new MessagePlace(1, "\uFF5E") < new MessagePlace(1, "\U0001F600"));
        Assert.True(new MessagePlace(1, "b") < new MessagePlace(2, "a"));
    }

    [Fact]
    public void A_verified_trait_wins_over_a_later_claimed_one()
    {
        Assert.True(new TraitPlace(Trust.Verified, new(1, "a")) > new TraitPlace(Trust.Claimed, new(2, "a")));
        Assert.True(new TraitPlace(Trust.Claimed, new(1, "b")) > new TraitPlace(Trust.Claimed, new(1, "a")));
    }

    private static HashSet<long> Naive((int Session, long Time, string EventId, bool IsRevoked)[] claims, int most) =>
        [.. claims.Where(claim => !claim.IsRevoked).OrderBy(claim => claim.Time).ThenBy(claim => claim.EventId, StringComparer.Ordinal).Take(most).Select(claim => (long)claim.Session)];

    /// <summary>A day as a table holds it.</summary>
    private sealed class Day
    {
        private readonly Dictionary<long, FirstClaim> claims = [];
        private long believed;

        public HashSet<long> Believed
        {
            get
            {
                Assert.Equal(believed, With(FirstClaimStatus.Believed).Count());
                return [.. With(FirstClaimStatus.Believed).Select(claim => claim.Session)];
            }
        }

        public void Enter(FirstClaim claim, int most)
        {
            claims.Add(claim.Session, claim);
            Store(SessionsOfDay.Enter(claim, State(), most));
        }

        public void Revoke(long session)
        {
            var claim = claims[session];
            claims[session] = claim with { Status = FirstClaimStatus.Revoked };
            Store(SessionsOfDay.Leave(claim, State()));
        }

        public ClaimDay State() => new(new(believed), new(With(FirstClaimStatus.Believed).MaxBy(claim => claim.Place)), new(With(FirstClaimStatus.TooLate).MinBy(claim => claim.Place)));

        public bool Store(ClaimDayDecision decision)
        {
            foreach (var (session, status) in decision.Changed) claims[session] = claims[session] with { Status = status };
            believed += decision.More;
            return decision.Changed.Count > 0;
        }

        private IEnumerable<FirstClaim> With(FirstClaimStatus status) => claims.Values.Where(claim => claim.Status == status);
    }
}
