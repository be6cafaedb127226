using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>Who is one person, decided from pairs alone (B13), in whatever order they are given.</summary>
[NoStore]
public sealed class JoinsTests
{
    private static readonly Company Shop = new(1, "TM-SHOP99", "Shop", [.. Enumerable.Repeat((byte)7, 32)], new());

    private static IdentifierNode Email(int number) => new(number, Identifier.Email(Shop, $"{number}@example.com").Id, IdentifierKind.Email);

    private static IdentifierNode External(int number) => new(number, Identifier.External(Shop, number.ToString()).Id, IdentifierKind.External);

    private static IdentifierPair Pair(IdentifierNode one, IdentifierNode other, Trust trust, long at) =>
        one.Id.CompareTo(other.Id) < 0 ? new(one, other, trust, at, "e" + at) : new(other, one, trust, at, "e" + at);

    private static JoinedPersons Of(IReadOnlyList<IdentifierNode> leaves, IEnumerable<IdentifierPair> pairs, int maxEmails = 1000) => Joins.Of(leaves, pairs.Shuffle(), [], maxEmails);

    [Fact]
    public void Pairs_are_taken_in_the_order_of_time_and_one_that_is_stopped_joins_nothing()
    {
        var (x, y, a, b, c) = (External(1), External(2), Email(3), Email(4), Email(5));
        IdentifierPair[] pairs = [Pair(a, x, Trust.Verified, 10), Pair(a, y, Trust.Verified, 20), Pair(b, x, Trust.Verified, 30), Pair(b, y, Trust.Verified, 40), Pair(c, x, Trust.Verified, 50), Pair(c, y, Trust.Verified, 60)];
        var stopped = Joins.Stopped(pairs.Shuffle(), maxEmails: 2);
        Assert.Equal(JoinStop.TwoExternalIds, stopped[NumbersOf(pairs[1])]);
        Assert.Equal(JoinStop.TwoExternalIds, stopped[NumbersOf(pairs[3])]);
        Assert.Equal(JoinStop.TooManyEmails, stopped[NumbersOf(pairs[4])]);
        Assert.Equal(3, stopped.Count);
    }

    /// <summary>In a cluster that is too large to be taken in order, each decides from its own pairs alone.</summary>
    [Fact]
    public void An_email_chooses_its_earliest_externalId_and_that_takes_the_earliest_of_those()
    {
        var (x, y, a, b, c) = (External(1), External(2), Email(3), Email(4), Email(5));
        IdentifierPair[] pairs = [Pair(a, y, Trust.Verified, 5), Pair(a, x, Trust.Verified, 10), Pair(b, x, Trust.Verified, 30), Pair(c, x, Trust.Verified, 40), Pair(y, x, Trust.Verified, 50)];
        IdentifierPair? ChoiceOf(long number) => Joins.ChoiceOf(pairs.Where(pair => pair.Low.Number == number || pair.High.Number == number).Order());
        var stops = Joins.TakenBy(x.Number, pairs.Skip(1).Shuffle(), ChoiceOf, maxEmails: 1);
        Assert.Equal([JoinStop.TwoExternalIds, null, JoinStop.TooManyEmails, JoinStop.TwoExternalIds], pairs.Skip(1).Select(pair => stops[pair]));
    }

    private static (long, long) NumbersOf(IdentifierPair pair) => (pair.Low.Number, pair.High.Number);

    [Fact]
    public void A_claimed_pair_joins_only_where_each_is_the_others_first()
    {
        var (email, first, second) = (Email(1), External(2), External(3));
        var joined = Of([email, first, second], [Pair(email, first, Trust.Claimed, 10), Pair(email, second, Trust.Claimed, 20)]);
        Assert.Equal((1L, 1L, 3L), (joined.PersonOf[1], joined.PersonOf[2], joined.PersonOf[3]));

        // The second is nobody's, but it was claimed with another e-mail before.
        var earlier = Email(4);
        joined = Of([email, second, earlier], [Pair(email, second, Trust.Claimed, 20), Pair(earlier, second, Trust.Claimed, 5)]);
        Assert.Equal((1L, 3L, 3L), (joined.PersonOf[1], joined.PersonOf[3], joined.PersonOf[4]));
    }

    [Fact]
    public void A_verified_pair_contradicts_a_claimed_one_that_was_earlier()
    {
        var (email, claimed, verified) = (Email(1), External(2), External(3));
        var joined = Of([email, claimed, verified], [Pair(email, claimed, Trust.Claimed, 10), Pair(email, verified, Trust.Verified, 20)]);
        Assert.Equal((1L, 2L, 1L), (joined.PersonOf[1], joined.PersonOf[2], joined.PersonOf[3]));
    }

    [Fact]
    public void What_joins_two_identifiers_is_told_a_step_at_a_time()
    {
        var (a, x, b, c) = (Email(1), External(2), Email(3), Email(4));
        var merge = new Merge("merge_1", b, c, 30);
        var joined = Joins.Of([a, x, b, c], [Pair(a, x, Trust.Verified, 10), Pair(x, b, Trust.Verified, 20)], [merge], maxEmails: 10);
        Assert.Equal([10L, 20L, null], joined.Between(1, 4).Select(join => join.Pair?.UnixMilliseconds));
        Assert.Equal(merge, joined.Between(1, 4)[^1].Merge);
        Assert.Equal(joined.Between(1, 4).Reverse(), joined.Between(4, 1));
    }
}
