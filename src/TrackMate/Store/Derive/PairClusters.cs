using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>
/// Decides which verified pairs join (B13). Identifiers that hang together by candidate pairs, whether these join or not, are a cluster. A small one is folded whole,
/// in the order of time; in a large one each identifier is decided from its own pairs alone. So what a message costs is bounded (docs/decisions/0010).
/// </summary>
internal sealed class PairClusters(Database database, CandidatePairs candidates)
{
    /// <summary>Identifiers of a cluster whose pairs are asked for at once: more would read far past the bound of a small one, fewer would be more journeys.</summary>
    private const int AtOnce = 8;

    private sealed record Node(IdentifierNode Leaf, bool InLarge, List<StoredPair> Pairs);

    /// <summary>Decides anew for identifiers whose pairs are others now.</summary>
    /// <returns>The identifiers of pairs that join now and did not, or the other way round.</returns>
    public HashSet<long> Derive(Company company, IReadOnlySet<long> touched)
    {
        var changed = new HashSet<long>();
        foreach (var (isLarge, nodes) in new Walk(this, candidates, company, touched).Go())
        {
            if (isLarge) Large(company, nodes.FindAll(node => !node.InLarge || touched.Contains(node.Leaf.Number)), changed);
            else Small(company, nodes, changed);
        }

        return changed;
    }

    private void Small(Company company, List<Node> nodes, HashSet<long> changed)
    {
        var pairs = nodes.SelectMany(node => node.Pairs).DistinctBy(pair => (pair.Pair.Low.Number, pair.Pair.High.Number)).ToList();
        var stopped = Joins.Stopped(pairs.Select(pair => pair.Pair), company.Settings.MaxEmailsPerPerson);
        foreach (var pair in pairs) Set(company, pair, stopped.TryGetValue((pair.Pair.Low.Number, pair.Pair.High.Number), out var stop) ? stop : null, changed);
        foreach (var node in nodes.Where(node => node.InLarge)) SetInLarge(company, node, isIn: false);
    }

    private void Large(Company company, List<Node> nodes, HashSet<long> changed)
    {
        var limits = company.Settings.JoinLimits;
        var choices = new Dictionary<long, Lazy<IdentifierPair?>>();
        foreach (var node in nodes.Where(node => node.Leaf.Kind is not IdentifierKind.External)) choices[node.Leaf.Number] = new(Joins.ChoiceOf(node.Pairs.Select(pair => pair.Pair).Take(limits.Choices)));

        // The externalIds that took one of them, that one of them chooses now, and those among them.
        var externals = nodes.Where(node => node.Leaf.Kind is IdentifierKind.External).ToDictionary(node => node.Leaf.Number, node => node.Pairs);
        var others = nodes.Where(node => node.Leaf.Kind is not IdentifierKind.External)
            .SelectMany(node => node.Pairs.Where(pair => pair.Stop is null || pair.Pair == choices[node.Leaf.Number].Value).Select(pair => pair.Pair.Other(node.Leaf.Number)))
            .Where(other => other.Kind is IdentifierKind.External && !externals.ContainsKey(other.Number)).DistinctBy(other => other.Number)
            .Select(other => (other.Number, Pairs: candidates.Of(company, other.Number, new(other), limits.Pairs))).ToList();
        foreach (var (number, pairs) in others) externals[number] = pairs.Value;

        foreach (var partner in externals.SelectMany(external => external.Value, (external, pair) => pair.Pair.Other(external.Key)).Where(partner => partner.Kind is not IdentifierKind.External).DistinctBy(partner => partner.Number))
        {
            if (choices.ContainsKey(partner.Number)) continue;
            var own = candidates.Of(company, partner.Number, new(partner), limits.Choices);
            choices[partner.Number] = new(() => Joins.ChoiceOf(own.Value.Select(pair => pair.Pair)), LazyThreadSafetyMode.None);
        }

        foreach (var (number, pairs) in externals)
        {
            var stops = Joins.TakenBy(number, pairs.Select(pair => pair.Pair), other => choices[other].Value, company.Settings.MaxEmailsPerPerson);
            foreach (var pair in pairs) Set(company, pair, stops[pair.Pair], changed);
        }

        foreach (var node in nodes.Where(node => node.Leaf.Kind is not IdentifierKind.External))
        {
            foreach (var pair in node.Pairs.Where(pair => !externals.ContainsKey(pair.Pair.Other(node.Leaf.Number).Number))) Set(company, pair, Joins.NotChosen(pair.Pair, node.Leaf, choices[node.Leaf.Number].Value), changed);
        }

        foreach (var node in nodes.Where(node => !node.InLarge)) SetInLarge(company, node, isIn: true);
    }

    private void Set(Company company, StoredPair pair, JoinStop? stop, HashSet<long> changed)
    {
        if (pair.Stop == stop) return;
        var (low, high) = (pair.Pair.Low.Number, pair.Pair.High.Number);
        database.Use($"UPDATE pair SET stop = ? WHERE company = ? AND low = ? AND high = ? AND trust = {PairTable.Verified} AND session = 0").With((long?)stop).With(company.Number).With(low).With(high).Run();
        if (pair.Stop is null || stop is null) changed.UnionWith([low, high]);
    }

    private void SetInLarge(Company company, Node node, bool isIn) =>
        database.Use("UPDATE identifier SET in_large_cluster = ? WHERE id = ? AND company = ?").With(isIn ? 1 : 0).With(node.Leaf.Number).With(company.Number).Run();

    private Lazy<(IdentifierNode Leaf, bool InLarge)> NodeOf(Company company, long identifier) =>
        database.Use("SELECT leaf, kind, in_large_cluster FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Defer(row =>
        {
            row.Next();
            return (new IdentifierNode(identifier, ProfileId.FromBytes(row.Bytes(0)), (IdentifierKind)row.Long(1)), row.Long(2) == 1);
        });

    /// <summary>Goes along candidate pairs until a cluster is whole, or known to be large; of a large one it goes on to those who were in a small one until now.</summary>
    private sealed class Walk(PairClusters clusters, CandidatePairs candidates, Company company, IReadOnlySet<long> touched)
    {
        private readonly HashSet<long> open = [.. touched];
        private readonly Dictionary<long, Node> nodes = [];
        private readonly Dictionary<long, bool> inLarge = [];
        private readonly Dictionary<long, long> parents = [];
        private readonly Dictionary<long, int> pairs = [];
        private readonly HashSet<(long, long)> counted = [];

        public List<(bool IsLarge, List<Node> Nodes)> Go()
        {
            while (true)
            {
                var next = open.GroupBy(RootOf).SelectMany(cluster => IsLarge(cluster.Key) ? cluster.Where(IsFollowedInLarge) : cluster.Take(AtOnce)).ToList();
                if (next.Count == 0) break;
                Load(next);
            }

            return [.. nodes.Values.GroupBy(node => RootOf(node.Leaf.Number)).Select(cluster => (IsLarge(cluster.Key), cluster.ToList()))];
        }

        private void Load(List<long> next)
        {
            var asked = next.ConvertAll(identifier => (Number: identifier, Node: clusters.NodeOf(company, identifier)));
            var pairsOf = asked.ConvertAll(one => candidates.Of(company, one.Number, new(() => one.Node.Value.Leaf, LazyThreadSafetyMode.None), company.Settings.JoinLimits.Pairs));
            for (var i = 0; i < asked.Count; i++)
            {
                var node = new Node(asked[i].Node.Value.Leaf, asked[i].Node.Value.InLarge, pairsOf[i].Value);
                nodes.Add(asked[i].Number, node);
                open.Remove(asked[i].Number);
                foreach (var pair in node.Pairs)
                {
                    var other = pair.Pair.Other(asked[i].Number).Number;
                    inLarge[other] = pair.OtherInLarge;
                    if (!nodes.ContainsKey(other)) open.Add(other);
                    Count(pair.Pair.Low.Number, pair.Pair.High.Number);
                }
            }
        }

        private void Count(long low, long high)
        {
            if (!counted.Add((low, high))) return;
            var (left, right) = (RootOf(low), RootOf(high));
            if (left != right)
            {
                parents[right] = left;
                pairs[left] = pairs.GetValueOrDefault(left) + pairs.GetValueOrDefault(right);
            }

            pairs[left] = pairs.GetValueOrDefault(left) + 1;
        }

        /// <summary>Of a large one whose members are noted to be in one, only those who are touched are decided anew.</summary>
        private bool IsFollowedInLarge(long identifier) => touched.Contains(identifier) || !inLarge[identifier];

        private bool IsLarge(long root) => pairs.GetValueOrDefault(root) > company.Settings.JoinLimits.Cluster;

        private long RootOf(long identifier)
        {
            while (parents.TryGetValue(identifier, out var parent)) identifier = parent;
            return identifier;
        }
    }
}
