using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>
/// The persons that follow from pairs of identifiers and from merges. No span and no event knows of them. What a transaction says is noted as it comes and derived
/// once, for all of it together.
/// </summary>
internal sealed class PersonRows
{
    /// <summary>So many identifiers of one person, or more, are worth a look.</summary>
    public const int Many = 10;

    private readonly Database database;
    private readonly StandingActs acts;
    private readonly CandidatePairs candidates;
    private readonly PairClusters clusters;
    private readonly Dictionary<long, Touched> touched = [];

    public PersonRows(Database database)
    {
        this.database = database;
        acts = new(database);
        candidates = new(database);
        clusters = new(database, candidates);
        Pairs = new(database);
    }

    /// <summary>What was said of two identifiers at a time.</summary>
    public PairRows Pairs { get; }

    public Lazy<long> PersonOf(Company company, long identifier) =>
        database.Use("SELECT person FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Defer(row => row.Next() ? row.Long(0) : 0);

    /// <summary>Identifiers of a company of which something is to be derived anew.</summary>
    private sealed class Touched(Company company)
    {
        public Company Company { get; } = company;

        /// <summary>Whose verified pairs are others.</summary>
        public HashSet<long> Pairs { get; } = [];

        /// <summary>Verified pairs that were never said before, the lower number first.</summary>
        public HashSet<(long Low, long High)> NewPairs { get; } = [];

        /// <summary>Whose claims are others, or may be taken otherwise.</summary>
        public HashSet<long> Claims { get; } = [];

        /// <summary>Whose person may be another.</summary>
        public HashSet<long> Persons { get; } = [];

        /// <summary>Unix milliseconds of the newest message that touched any.</summary>
        public long ReceivedAt { get; set; }
    }

    /// <summary>Notes a verified pair that is news.</summary>
    /// <param name="isNew">It was never said before, at whatever time.</param>
    public void TouchPair(Company company, long one, long other, bool isNew, long receivedAt)
    {
        var noted = Noted(company);
        if (isNew) noted.NewPairs.Add((Math.Min(one, other), Math.Max(one, other)));
        else noted.Pairs.UnionWith([one, other]);
        noted.ReceivedAt = Math.Max(noted.ReceivedAt, receivedAt);
    }

    /// <summary>Notes identifiers with claimed pairs that are news.</summary>
    public void TouchClaims(Company company, IEnumerable<long> identifiers)
    {
        var noted = Noted(company);
        noted.Claims.UnionWith(identifiers);
        noted.Persons.UnionWith(identifiers);
    }

    /// <summary>Notes an identifier that a verified message names for the first time.</summary>
    public void TouchVerified(Company company, long identifier)
    {
        if (company.Settings.ClaimedJoins is ClaimedJoins.New) TouchClaims(company, [identifier]);
    }

    /// <summary>
    /// Notes an identifier of which it is known only now what it is the id of. In a large cluster an e-mail chooses its earliest externalId, so who is paired with this
    /// one may choose otherwise, and leave another.
    /// </summary>
    public void TouchKind(Company company, long identifier)
    {
        var pairs = candidates.Of(company, identifier, candidates.LeafOf(company, identifier), company.Settings.JoinLimits.Pairs).Value;
        Touch(company, [identifier]);
        Noted(company).Pairs.UnionWith(pairs.Select(pair => pair.Pair.Other(identifier).Number));
    }

    /// <summary>Notes identifiers of which anything may be another.</summary>
    public void Touch(Company company, IReadOnlyCollection<long> identifiers)
    {
        Noted(company).Pairs.UnionWith(identifiers);
        TouchClaims(company, identifiers);
    }

    private Touched Noted(Company company)
    {
        if (!touched.TryGetValue(company.Number, out var noted)) touched.Add(company.Number, noted = new(company));
        return noted;
    }

    /// <summary>Forgets what was noted, as after a transaction that did not happen.</summary>
    public void Clear() => touched.Clear();

    /// <summary>Derives what was noted.</summary>
    public void Derive()
    {
        foreach (var noted in touched.Values.OrderBy(noted => noted.Company.Number))
        {
            if (noted.Pairs.Count + noted.NewPairs.Count > 0) DerivePairs(noted);

            if (noted.Claims.Count > 0) noted.Persons.UnionWith(candidates.BesideClaims(noted.Company, noted.Claims));
            if (noted.Persons.Count > 0) DerivePersons(noted.Company, noted.Persons, noted.ReceivedAt);
        }

        touched.Clear();
    }

    private void DerivePairs(Touched noted)
    {
        var named = noted.NewPairs.SelectMany(pair => new[] { pair.Low, pair.High }).Concat(noted.Pairs).ToHashSet();
        var settled = candidates.Settle(noted.Company, named, crowded => Alarm(noted.Company, crowded, noted.Company.Settings.JoinLimits.Pairs + 1, noted.ReceivedAt));
        foreach (var (pair, isCandidate) in settled)
        {
            // One more of noreply@'s thousands was no candidate before, and is none: it changes nothing for anybody, so nothing is walked for it.
            if (!isCandidate && noted.NewPairs.Remove(pair)) continue;
            // One that is no candidate any more may have joined until now.
            noted.Persons.UnionWith([pair.Low, pair.High]);
            noted.Pairs.UnionWith([pair.Low, pair.High]);
        }

        foreach (var (low, high) in noted.NewPairs) noted.Pairs.UnionWith([low, high]);
        if (noted.Pairs.Count > 0) noted.Persons.UnionWith(clusters.Derive(noted.Company, noted.Pairs));
    }

    /// <summary>Derives anew what hangs on some identifiers.</summary>
    public void Rejoin(Company company, IReadOnlyCollection<long> identifiers)
    {
        Touch(company, identifiers);
        Derive();
    }

    /// <summary>The same.</summary>
    /// <returns>Those that are another person now.</returns>
    public List<long> RejoinEach(Company company, IReadOnlyCollection<long> identifiers)
    {
        var before = identifiers.Distinct().ToDictionary(identifier => identifier, identifier => PersonOf(company, identifier));
        foreach (var asked in before.Values) _ = asked.Value;
        Rejoin(company, identifiers);
        return [.. before.Where(known => PersonOf(company, known.Key).Value != known.Value.Value).Select(known => known.Key)];
    }

    private void DerivePersons(Company company, IEnumerable<long> identifiers, long receivedAt)
    {
        var near = Gather(company, identifiers);
        var joined = near.Join(company);
        foreach (var (identifier, person) in joined.PersonOf)
        {
            if (near.PersonsBefore[identifier] != person)
                database.Use("UPDATE identifier SET person = ? WHERE id = ? AND company = ?").With(person).With(identifier).With(company.Number).Run();
        }

        if (joined.PersonOf.Count < Many) return;
        foreach (var person in joined.PersonOf.Values.CountBy(person => person).Where(person => person.Value >= Many)) Alarm(company, person.Key, person.Value, receivedAt);
    }

    /// <summary>What joined a person's identifiers.</summary>
    public JoinedPersons JoinsOf(Company company, long identifier) => Gather(company, [identifier]).Join(company);

    /// <summary>Notes that more identifiers have piled up on one than people have.</summary>
    private void Alarm(Company company, long identifier, long identifiers, long receivedAt) =>
        database.Use("""
            INSERT INTO alarm (company, identifier, at_ms, identifiers) VALUES (?, ?, ?, ?) ON CONFLICT (company, identifier) DO UPDATE SET
              at_ms = CASE WHEN excluded.at_ms > alarm.at_ms THEN excluded.at_ms ELSE alarm.at_ms END,
              identifiers = CASE WHEN excluded.identifiers > alarm.identifiers THEN excluded.identifiers ELSE alarm.identifiers END
            """)
            .With(company.Number).With(identifier).With(receivedAt).With(identifiers).Run();

    /// <summary>Identifiers that are one person, were, or may be by a claim, and what joins them.</summary>
    private sealed record Near(Dictionary<long, IdentifierNode> Leaves, Dictionary<long, long> PersonsBefore, HashSet<IdentifierPair> Pairs, HashSet<Merge> Merges)
    {
        public JoinedPersons Join(Company company) => Joins.Of(Leaves.Values, Pairs, Merges, company.Settings.MaxEmailsPerPerson);
    }

    private Near Gather(Company company, IEnumerable<long> identifiers)
    {
        var near = new Near([], [], [], []);
        var (open, persons, withClaims) = (identifiers.ToHashSet(), new HashSet<long>(), new HashSet<long>());
        while (open.Count > 0)
        {
            // Of all of them each thing is asked before any is looked at.
            var asked = open.Select(identifier => (Number: identifier, Leaf: candidates.LeafOf(company, identifier), Person: PersonOf(company, identifier), Merges: acts.MergesOf(company, identifier))).ToList();
            var pairs = asked.ConvertAll(one => candidates.Of(company, one.Number, one.Leaf, company.Settings.JoinLimits.Pairs));
            var merges = asked.SelectMany(one => one.Merges.Value, (one, merge) => (one.Leaf, Merge: merge, Other: candidates.LeafOf(company, merge.Other))).ToList();
            foreach (var one in asked)
            {
                near.Leaves.Add(one.Number, one.Leaf.Value);
                near.PersonsBefore.Add(one.Number, one.Person.Value);
            }

            // Only what joins is followed: what is stopped leads nowhere.
            var joining = pairs.SelectMany(ofOne => ofOne.Value).Where(pair => pair.Stop is null).Select(pair => pair.Pair).ToList();
            near.Pairs.UnionWith(joining);
            foreach (var (leaf, (mergeId, _, at), other) in merges)
                near.Merges.Add(leaf.Value.Id.CompareTo(other.Value.Id) < 0 ? new(mergeId, leaf.Value, other.Value, at) : new(mergeId, other.Value, leaf.Value, at));
            var members = asked.Select(one => one.Person.Value).Where(persons.Add).ToList().ConvertAll(person => MembersOf(company, person));
            open = [.. joining.SelectMany(pair => new[] { pair.Low.Number, pair.High.Number }), .. merges.Select(merge => merge.Merge.Other), .. members.SelectMany(ofOne => ofOne.Value)];
            open.ExceptWith(near.Leaves.Keys);
            if (open.Count == 0) open = Claimed(company, near, withClaims);
        }

        return near;
    }

    /// <summary>Goes along the claims by which those may join others whose verified pairs leave room for one.</summary>
    /// <param name="asked">Those of whom that was asked before.</param>
    /// <returns>Who is at their other sides.</returns>
    private HashSet<long> Claimed(Company company, Near near, HashSet<long> asked)
    {
        var verified = Joins.Of(near.Leaves.Values, near.Pairs.Where(pair => pair.Trust is Trust.Verified), [], company.Settings.MaxEmailsPerPerson).PersonOf;
        var alone = near.Leaves.Values.GroupBy(leaf => verified[leaf.Number]).Where(person => person.Count(leaf => leaf.Kind is not IdentifierKind.Bare) == 1).SelectMany(person => person)
            .Where(leaf => leaf.Kind is not IdentifierKind.Bare && asked.Add(leaf.Number)).ToList();
        var claims = alone.ConvertAll(leaf => candidates.ClaimOf(company, leaf)).ConvertAll(claim => claim.Value).OfType<IdentifierPair>().ToList();
        near.Pairs.UnionWith(claims);
        return [.. claims.SelectMany(claim => new[] { claim.Low.Number, claim.High.Number }).Where(number => !near.Leaves.ContainsKey(number))];
    }

    /// <summary>Derives the pairs and persons of a company anew from its claims.</summary>
    public void Rebuild(Company company, SessionClaims claims)
    {
        database.Use("UPDATE identifier SET person = id, in_large_cluster = 0 WHERE company = ?").With(company.Number).Run();
        var named = Pairs.Rebuild(company, claims);
        named.UnionWith(Merged(company));
        foreach (var some in named.Chunk(1000)) Rejoin(company, some);
    }

    private List<long> Merged(Company company)
    {
        var merged = new List<long>();
        using var rows = database.Use($"SELECT identifier FROM act WHERE company = ? AND kind = {ActTable.Merge} AND undone_ms IS NULL AND identifier IS NOT NULL");
        rows.With(company.Number);
        while (rows.Next()) merged.Add(rows.Long(0));
        return merged;
    }

    private Lazy<List<long>> MembersOf(Company company, long person) =>
        database.Use("SELECT id FROM identifier WHERE company = ? AND person = ?").With(company.Number).With(person).DeferAll(row => row.Long(0));
}
