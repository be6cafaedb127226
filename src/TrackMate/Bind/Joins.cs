namespace TrackMate.Bind;

/// <summary>An identifier as joins see it.</summary>
/// <param name="Number">The store's number, which only tells identifiers apart: it is given in the order of arrival, which must not show in what follows.</param>
/// <param name="Id">Its own id, by which ties are broken.</param>
public sealed record IdentifierNode(long Number, ProfileId Id, IdentifierKind Kind);

/// <summary>"These two identifiers are one person", at the earliest time it was said with this trust.</summary>
/// <param name="Low">The one with the smaller id.</param>
/// <param name="High">The one with the greater id.</param>
/// <param name="EventId">That of the message that said it.</param>
public sealed record IdentifierPair(IdentifierNode Low, IdentifierNode High, Trust Trust, long UnixMilliseconds, string EventId) : IComparable<IdentifierPair>
{
    /// <summary>The one of the two that is not this.</summary>
    public IdentifierNode Other(long number) => number == Low.Number ? High : Low;

    /// <summary>By (time, eventId); of one message by ids.</summary>
    public int CompareTo(IdentifierPair? other)
    {
        if (other is null) return 1;
        var byPlace = new MessagePlace(UnixMilliseconds, EventId).CompareTo(new(other.UnixMilliseconds, other.EventId));
        return byPlace != 0 ? byPlace : (Low.Id, High.Id).CompareTo((other.Low.Id, other.High.Id));
    }
}

/// <summary>
/// Why a pair that was said does not join, or a session's claim does not stand (B13). It may change with a late message. The numbers are stored. The first three are
/// those of verified pairs; <see cref="Contradicted"/> is what a claimed pair is called that was not taken; what the others stop is not looked at.
/// </summary>
public enum JoinStop
{
    /// <summary>The person would have two externalIds.</summary>
    TwoExternalIds = 0,

    /// <summary>The person would have more e-mails than the company allows.</summary>
    TooManyEmails = 1,

    /// <summary>One of the two is in more pairs than are believed: an address that everybody uses joins nobody.</summary>
    TooManyJoins = 2,

    /// <summary>An operator has taken this pair back, or keeps one of the two from joining at all (B12).</summary>
    Revoked = 3,

    /// <summary>An operator has frozen one of the two, and the pair was first said since.</summary>
    Frozen = 4,

    /// <summary>Only a browser says it, and something verified, or something that was claimed earlier, says otherwise.</summary>
    Contradicted = 5,

    /// <summary>Of a session's claim: more sessions have claimed the identifier on that day than are believed.</summary>
    TooManySessions = 6,

    /// <summary>Only a browser says it, and the company does not let such a claim join these two (<see cref="Bind.ClaimedJoins"/>).</summary>
    ClaimedJoins = 7,
}

/// <summary>"These two are one person", as an operator says it: without condition, until it is taken back (B12).</summary>
public sealed record Merge(string MergeId, IdentifierNode Left, IdentifierNode Right, long UnixMilliseconds);

/// <summary>What joins two identifiers: a pair that was said or a merge, one of the two. Those of a person make a tree: what would join whom others have joined is left out.</summary>
public sealed record Join(IdentifierNode Left, IdentifierNode Right, IdentifierPair? Pair, Merge? Merge);

/// <summary>What <see cref="Joins.Of"/> made of the pairs.</summary>
/// <param name="PersonOf">For the number of each identifier, the smallest number among those it is one person with.</param>
/// <param name="Joins">What joined them, in the order in which it was taken.</param>
public sealed record JoinedPersons(IReadOnlyDictionary<long, long> PersonOf, IReadOnlyList<Join> Joins)
{
    /// <summary>The joins between two identifiers of one person, from the one to the other; none if they are the same, or are not one person.</summary>
    public IReadOnlyList<Join> Between(long from, long to)
    {
        var reached = new Dictionary<long, (long From, Join By)>();
        var open = new Queue<long>([from]);
        while (open.TryDequeue(out var at) && at != to)
        {
            foreach (var join in Joins)
            {
                var next = join.Left.Number == at ? join.Right.Number : join.Right.Number == at ? join.Left.Number : from;
                if (next != from && reached.TryAdd(next, (at, join))) open.Enqueue(next);
            }
        }

        var path = new List<Join>();
        for (var at = to; at != from && reached.TryGetValue(at, out var step); at = step.From) path.Insert(0, step.By);
        return path;
    }
}

/// <summary>How much of what was said is looked at, so that no message costs more than that, whatever was said before it (docs/decisions/0010).</summary>
/// <param name="Pairs">Verified pairs of one identifier that are candidates: the earliest so many.</param>
/// <param name="Cluster">Pairs that may hang together and be taken in the order of time. Where there are more, each identifier chooses for itself.</param>
/// <param name="Choices">Pairs among which it chooses: its earliest so many.</param>
/// <param name="Claims">Claims of one identifier that are candidates with <see cref="ClaimedJoins.New"/>: the earliest so many.</param>
public sealed record JoinLimits(int Pairs = Joins.MaxPairs, int Cluster = 100, int Choices = 10, int Claims = 10);

/// <summary>How far what only browsers claim may join identifiers (B13).</summary>
public enum ClaimedJoins
{
    /// <summary>Where nothing verified contradicts it.</summary>
    All,

    /// <summary>The same, but not where verified messages have ever named both sides.</summary>
    New,

    /// <summary>Nowhere.</summary>
    None,
}

/// <summary>Pairs of identifiers in, persons out: <c>joins</c> of the view (B13). Pure, and the same for any order of arrival.</summary>
public static class Joins
{
    /// <summary>Of one identifier so many different pairs are candidates, the earliest ones.</summary>
    public const int MaxPairs = 100;

    /// <summary>Which verified pairs of a cluster do not join, taken in the order of time: those that would give a person two externalIds or too many e-mails.</summary>
    /// <param name="pairs">All candidates that hang together.</param>
    public static IReadOnlyDictionary<(long Low, long High), JoinStop> Stopped(IEnumerable<IdentifierPair> pairs, int maxEmails)
    {
        var persons = new Components();
        var stopped = new Dictionary<(long, long), JoinStop>();
        foreach (var pair in pairs.Order())
        {
            if (persons.Conflict(pair, maxEmails) is { } conflict) stopped[(pair.Low.Number, pair.High.Number)] = conflict;
            else persons.Join(pair.Low, pair.High, pair, null);
        }

        return stopped;
    }

    /// <summary>Of an e-mail or a bare id in a cluster that is too large to be taken in order: the pair by which it may join, its earliest one with an externalId.</summary>
    /// <param name="pairs">Its earliest candidates, in order.</param>
    public static IdentifierPair? ChoiceOf(IEnumerable<IdentifierPair> pairs) => pairs.FirstOrDefault(pair => pair.Low.Kind is IdentifierKind.External || pair.High.Kind is IdentifierKind.External);

    /// <summary>Of an externalId in such a cluster: whom it takes of those that chose it, the earliest first.</summary>
    /// <param name="external">The store's number of it.</param>
    /// <param name="pairs">Its candidates.</param>
    /// <param name="choiceOf">What an e-mail or a bare id chose.</param>
    /// <returns>Of each pair why it does not join; null where it does.</returns>
    public static IReadOnlyDictionary<IdentifierPair, JoinStop?> TakenBy(long external, IEnumerable<IdentifierPair> pairs, Func<long, IdentifierPair?> choiceOf, int maxEmails)
    {
        var stops = new Dictionary<IdentifierPair, JoinStop?>();
        var emails = 0;
        foreach (var pair in pairs.Order())
        {
            var other = pair.Other(external);
            if (other.Kind is IdentifierKind.External) stops[pair] = JoinStop.TwoExternalIds;
            else if (choiceOf(other.Number) is var choice && choice != pair) stops[pair] = NotChosen(pair, other, choice);
            else if (other.Kind is IdentifierKind.Email && emails == maxEmails) stops[pair] = JoinStop.TooManyEmails;
            else
            {
                stops[pair] = null;
                if (other.Kind is IdentifierKind.Email) emails++;
            }
        }

        return stops;
    }

    /// <summary>Why a pair does not join that an e-mail or a bare id in such a cluster did not choose.</summary>
    public static JoinStop NotChosen(IdentifierPair pair, IdentifierNode leaf, IdentifierPair? choice) =>
        choice is not null && pair.Other(leaf.Number).Kind is IdentifierKind.External ? JoinStop.TwoExternalIds : JoinStop.TooManyJoins;

    /// <param name="leaves">The identifiers in question.</param>
    /// <param name="pairs">Their pairs that no operator keeps apart, each once for each trust, at its earliest.</param>
    /// <param name="merges">Their merges that stand.</param>
    /// <param name="maxEmails">Most e-mails that a person may have.</param>
    public static JoinedPersons Of(IReadOnlyCollection<IdentifierNode> leaves, IEnumerable<IdentifierPair> pairs, IEnumerable<Merge> merges, int maxEmails)
    {
        var inOrder = pairs.Order().ToList();
        var persons = new Components();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Verified && persons.Conflict(pair, maxEmails) is null)) persons.Join(pair.Low, pair.High, pair, null);

        // What browsers claim holds only where each is the other's first, and no more than one e-mail and one externalId meet: so no two of them depend on each other.
        var first = new Dictionary<long, IdentifierPair>();
        foreach (var pair in inOrder.Where(pair => pair.Trust is Trust.Claimed))
        {
            first.TryAdd(pair.Low.Number, pair);
            first.TryAdd(pair.High.Number, pair);
        }

        var mutual = first.Values.Distinct().Where(pair => first[pair.Low.Number] == pair && first[pair.High.Number] == pair && persons.Conflict(pair, maxEmails: 1) is null).Order().ToList();
        foreach (var pair in mutual) persons.Join(pair.Low, pair.High, pair, null);
        foreach (var merge in merges.OrderBy(merge => merge.UnixMilliseconds).ThenBy(merge => merge.MergeId, StringComparer.Ordinal)) persons.Join(merge.Left, merge.Right, null, merge);
        return new(leaves.ToDictionary(leaf => leaf.Number, leaf => persons.Of(leaf.Number)), persons.Joins);
    }

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

        /// <summary>What keeps this pair from making one person; null if nothing does, or they are one already.</summary>
        public JoinStop? Conflict(IdentifierPair pair, int maxEmails)
        {
            if (Of(pair.Low.Number) == Of(pair.High.Number)) return null;
            var (low, high) = (CountsOf(pair.Low), CountsOf(pair.High));
            if (low.Externals + high.Externals > 1) return JoinStop.TwoExternalIds;
            return low.Emails + high.Emails > maxEmails ? JoinStop.TooManyEmails : null;
        }

        public List<Join> Joins { get; } = [];

        /// <summary>Makes one person of two, unless they are one already.</summary>
        public void Join(IdentifierNode one, IdentifierNode other, IdentifierPair? pair, Merge? merge)
        {
            var (low, high) = (CountsOf(one), CountsOf(other));
            var (left, right) = (Of(one.Number), Of(other.Number));
            if (left == right) return;
            parents[Math.Max(left, right)] = Math.Min(left, right);
            counts[Math.Min(left, right)] = (low.Emails + high.Emails, low.Externals + high.Externals);
            Joins.Add(new(one, other, pair, merge));
        }

        private (int Emails, int Externals) CountsOf(IdentifierNode leaf) =>
            counts.TryGetValue(Of(leaf.Number), out var known) ? known : (leaf.Kind is IdentifierKind.Email ? 1 : 0, leaf.Kind is IdentifierKind.External ? 1 : 0);
    }
}
