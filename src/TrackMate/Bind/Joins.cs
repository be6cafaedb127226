namespace TrackMate.Bind;

/// <summary>"These two identifiers are one person", at the earliest time it was said with this trust.</summary>
/// <param name="Low">The smaller of the two identifiers' numbers in the store.</param>
/// <param name="High">The larger.</param>
public sealed record IdentifierPair(long Low, long High, Trust Trust, long UnixMilliseconds, string EventId)
{
    public long Other(long identifier) => identifier == Low ? High : Low;
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

/// <param name="PersonOf">For each identifier, the smallest number among those it is one person with.</param>
/// <param name="Stopped">Verified pairs that do not join, and why.</param>
public sealed record JoinedPersons(IReadOnlyDictionary<long, long> PersonOf, IReadOnlyDictionary<(long Low, long High), JoinStop> Stopped);

/// <summary>Pairs of identifiers in, persons out: <c>joins</c> of the view (B13). Pure, and the same for any order of arrival.</summary>
public static class Joins
{
    /// <summary>Of one identifier so many different pairs are candidates, the earliest ones.</summary>
    public const int MaxPairs = 100;

    /// <param name="kinds">The identifiers in question, with every pair of theirs in <paramref name="pairs"/>.</param>
    /// <param name="pairs">Each pair once for each trust, at its earliest.</param>
    /// <param name="maxEmails">Most e-mails that a person may have.</param>
    public static JoinedPersons Of(IReadOnlyDictionary<long, IdentifierKind> kinds, IEnumerable<IdentifierPair> pairs, int maxEmails)
    {
        var inOrder = pairs.ToArray();
        Array.Sort(inOrder, Compare);
        var persons = new Components(kinds);
        var stopped = new Dictionary<(long, long), JoinStop>();

        var taken = new Dictionary<long, int>();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Verified))
        {
            var candidate = Take(taken, pair.Low) & Take(taken, pair.High);
            if (!candidate) stopped[(pair.Low, pair.High)] = JoinStop.TooManyJoins;
            else if (persons.Conflict(pair, maxEmails) is { } conflict) stopped[(pair.Low, pair.High)] = conflict;
            else persons.Join(pair);
        }

        // What browsers claim holds only where each is the other's first, and no more than one e-mail and one externalId meet; so which is looked at first does not matter.
        var first = new Dictionary<long, IdentifierPair>();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Claimed))
        {
            first.TryAdd(pair.Low, pair);
            first.TryAdd(pair.High, pair);
        }

        var mutual = first.Values.Distinct().Where(pair => ReferenceEquals(first[pair.Low], pair) && ReferenceEquals(first[pair.High], pair) && persons.Conflict(pair, maxEmails: 1) is null).ToList();
        foreach (var pair in mutual) persons.Join(pair);
        return new(kinds.Keys.ToDictionary(identifier => identifier, persons.Of), stopped);
    }

    private static bool Take(Dictionary<long, int> taken, long identifier) => (taken[identifier] = taken.GetValueOrDefault(identifier) + 1) <= MaxPairs;

    private static int Compare(IdentifierPair left, IdentifierPair right)
    {
        var byTime = left.UnixMilliseconds.CompareTo(right.UnixMilliseconds);
        if (byTime != 0) return byTime;
        var byEvent = EventIds.Compare(left.EventId, right.EventId);
        return byEvent != 0 ? byEvent : (left.Low, left.High).CompareTo((right.Low, right.High));
    }

    /// <summary>Connected identifiers, each component with its counts.</summary>
    private sealed class Components(IReadOnlyDictionary<long, IdentifierKind> kinds)
    {
        private readonly Dictionary<long, long> parents = [];
        private readonly Dictionary<long, (int Emails, int Externals)> counts = [];

        /// <summary>The component of an identifier, by its smallest member.</summary>
        public long Of(long identifier)
        {
            while (parents.TryGetValue(identifier, out var parent)) identifier = parent;
            return identifier;
        }

        public JoinStop? Conflict(IdentifierPair pair, int maxEmails)
        {
            var (low, high) = (Of(pair.Low), Of(pair.High));
            if (low == high) return null;
            var (left, right) = (CountsOf(low), CountsOf(high));
            if (left.Externals + right.Externals > 1) return JoinStop.TwoExternalIds;
            return left.Emails + right.Emails > maxEmails ? JoinStop.TooManyEmails : null;
        }

        public void Join(IdentifierPair pair)
        {
            var (low, high) = (Of(pair.Low), Of(pair.High));
            if (low == high) return;
            var (left, right) = (CountsOf(low), CountsOf(high));
            parents[Math.Max(low, high)] = Math.Min(low, high);
            counts[Math.Min(low, high)] = (left.Emails + right.Emails, left.Externals + right.Externals);
        }

        private (int Emails, int Externals) CountsOf(long root) =>
            counts.TryGetValue(root, out var known) ? known : (kinds[root] is IdentifierKind.Email ? 1 : 0, kinds[root] is IdentifierKind.External ? 1 : 0);
    }
}
