namespace TrackMate.Bind;

/// <summary>An identifier as joins see it.</summary>
/// <param name="Number">The store's number.</param>
/// <param name="Id">Its own id, by which ties are broken: numbers are given in the order of arrival, which must not show.</param>
public sealed record Leaf(long Number, ProfileId Id, IdentifierKind Kind);

/// <summary>"These two identifiers are one person", at the earliest time it was said with this trust.</summary>
/// <param name="Low">The one with the smaller id.</param>
public sealed record IdentifierPair(Leaf Low, Leaf High, Trust Trust, long UnixMilliseconds, string EventId) : IComparable<IdentifierPair>
{
    public Leaf Other(long number) => number == Low.Number ? High : Low;

    /// <summary>By (time, eventId); of one message by ids.</summary>
    public int CompareTo(IdentifierPair? other)
    {
        if (other is null) return 1;
        var byTime = UnixMilliseconds.CompareTo(other.UnixMilliseconds);
        if (byTime != 0) return byTime;
        var byEvent = EventIds.Compare(EventId, other.EventId);
        return byEvent != 0 ? byEvent : (Low.Id, High.Id).CompareTo((other.Low.Id, other.High.Id));
    }
}

/// <summary>Why a pair that was said does not join (B13). It may change with a late message.</summary>
public enum JoinStop
{
    /// <summary>The person would have two externalIds.</summary>
    TwoExternalIds,

    /// <summary>The person would have more e-mails than the company allows.</summary>
    TooManyEmails,

    /// <summary>One of the two is in more pairs than are believed: an address that everybody uses joins nobody.</summary>
    TooManyJoins,
}

/// <param name="PersonOf">For the number of each identifier, the smallest number among those it is one person with.</param>
/// <param name="Stopped">Verified pairs that do not join, by their numbers, and why.</param>
public sealed record JoinedPersons(IReadOnlyDictionary<long, long> PersonOf, IReadOnlyDictionary<(long Low, long High), JoinStop> Stopped);

/// <summary>Pairs of identifiers in, persons out: <c>joins</c> of the view (B13). Pure, and the same for any order of arrival.</summary>
public static class Joins
{
    /// <summary>Of one identifier so many different pairs are candidates, the earliest ones.</summary>
    public const int MaxPairs = 100;

    /// <param name="leaves">The identifiers in question.</param>
    /// <param name="pairs">Their pairs, each once for each trust, at its earliest.</param>
    /// <param name="maxEmails">Most e-mails that a person may have.</param>
    public static JoinedPersons Of(IReadOnlyCollection<Leaf> leaves, IEnumerable<IdentifierPair> pairs, int maxEmails)
    {
        var inOrder = pairs.Order().ToList();
        var persons = new Components();
        var stopped = new Dictionary<(long, long), JoinStop>();

        var taken = new Dictionary<long, int>();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Verified))
        {
            // Each counts for both, whether or not the other side still believes it.
            var candidate = Take(taken, pair.Low.Number) & Take(taken, pair.High.Number);
            if (!candidate) stopped[(pair.Low.Number, pair.High.Number)] = JoinStop.TooManyJoins;
            else if (persons.Conflict(pair, maxEmails) is { } conflict) stopped[(pair.Low.Number, pair.High.Number)] = conflict;
            else persons.Join(pair);
        }

        // What browsers claim holds only where each is the other's first, and no more than one e-mail and one externalId meet: so no two of them depend on each other.
        var first = new Dictionary<long, IdentifierPair>();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Claimed))
        {
            first.TryAdd(pair.Low.Number, pair);
            first.TryAdd(pair.High.Number, pair);
        }

        var mutual = first.Values.Distinct().Where(pair => first[pair.Low.Number] == pair && first[pair.High.Number] == pair && persons.Conflict(pair, maxEmails: 1) is null).ToList();
        foreach (var pair in mutual) persons.Join(pair);
        return new(leaves.ToDictionary(leaf => leaf.Number, leaf => persons.Of(leaf.Number)), stopped);
    }

    private static bool Take(Dictionary<long, int> taken, long identifier) => (taken[identifier] = taken.GetValueOrDefault(identifier) + 1) <= MaxPairs;

    /// <summary>Connected identifiers, each component by its smallest number, with its counts.</summary>
    private sealed class Components
    {
        private readonly Dictionary<long, long> parents = [];
        private readonly Dictionary<long, (int Emails, int Externals)> counts = [];

        public long Of(long identifier)
        {
            while (parents.TryGetValue(identifier, out var parent)) identifier = parent;
            return identifier;
        }

        public JoinStop? Conflict(IdentifierPair pair, int maxEmails)
        {
            if (Of(pair.Low.Number) == Of(pair.High.Number)) return null;
            var (low, high) = (CountsOf(pair.Low), CountsOf(pair.High));
            if (low.Externals + high.Externals > 1) return JoinStop.TwoExternalIds;
            return low.Emails + high.Emails > maxEmails ? JoinStop.TooManyEmails : null;
        }

        public void Join(IdentifierPair pair)
        {
            var (low, high) = (CountsOf(pair.Low), CountsOf(pair.High));
            var (left, right) = (Of(pair.Low.Number), Of(pair.High.Number));
            if (left == right) return;
            parents[Math.Max(left, right)] = Math.Min(left, right);
            counts[Math.Min(left, right)] = (low.Emails + high.Emails, low.Externals + high.Externals);
        }

        private (int Emails, int Externals) CountsOf(Leaf leaf) =>
            counts.TryGetValue(Of(leaf.Number), out var known) ? known : (leaf.Kind is IdentifierKind.Email ? 1 : 0, leaf.Kind is IdentifierKind.External ? 1 : 0);
    }
}
