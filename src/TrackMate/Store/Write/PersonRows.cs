using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>The persons that follow from pairs of identifiers and from merges. No span and no event knows of them.</summary>
internal sealed class PersonRows(Database database)
{
    /// <summary>So many identifiers of one person, or more, are worth a look.</summary>
    public const int Many = 10;

    private readonly StandingActs acts = new(database);

    /// <summary>What was said of two identifiers at a time.</summary>
    public PairRows Pairs { get; } = new(database);

    public Lazy<long> PersonOf(Company company, long identifier) =>
        database.Use("SELECT person FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Ask(row => row.Next() ? row.Long(0) : 0);

    /// <summary>Decides anew who is one person, among the given identifiers and all that hangs together with them by pairs, by merges, or by persons so far.</summary>
    /// <returns>Who is whose person now, and which pairs were stopped.</returns>
    public JoinedPersons Rejoin(Company company, IEnumerable<long> identifiers, long receivedAt = 0)
    {
        var near = Gather(company, identifiers);
        var joined = near.Join(company);
        foreach (var (identifier, person) in joined.PersonOf)
        {
            if (near.PersonsBefore[identifier] != person)
                database.Use("UPDATE identifier SET person = ? WHERE id = ? AND company = ?").With(person).With(identifier).With(company.Number).Run();
        }

        foreach (var pair in near.Pairs.Where(pair => pair.Trust is Trust.Verified))
            Pairs.Stop(company, pair.Low, pair.High, joined.Stopped.TryGetValue((pair.Low.Number, pair.High.Number), out var stop) ? stop : null);
        if (joined.PersonOf.Count >= Many)
        {
            foreach (var person in joined.PersonOf.Values.CountBy(person => person).Where(person => person.Value >= Many)) Alarm(company, person.Key, person.Value, receivedAt);
        }

        return joined;
    }

    /// <summary>Decides anew for each of many identifiers, most of which hang together with nothing else.</summary>
    /// <returns>Those that are another person now.</returns>
    public List<long> RejoinEach(Company company, IEnumerable<long> identifiers)
    {
        var before = new Dictionary<long, long>();
        foreach (var identifier in identifiers)
        {
            if (PersonOf(company, identifier).Value is var person && (person != identifier || Pairs.HangsTogether(company, identifier))) before[identifier] = person;
        }

        var open = before.Keys.ToHashSet();
        while (open.Count > 0) open.ExceptWith(Rejoin(company, [open.First()]).PersonOf.Keys);
        return [.. before.Where(known => PersonOf(company, known.Key).Value != known.Value).Select(known => known.Key)];
    }

    /// <summary>What joined a person's identifiers.</summary>
    public JoinedPersons JoinsOf(Company company, long identifier) => Gather(company, [identifier]).Join(company);

    /// <summary>Notes that more identifiers have piled up on one than people have.</summary>
    public void Alarm(Company company, long identifier, long identifiers, long receivedAt) =>
        database.Use("""
            INSERT INTO alarm (company, identifier, at_ms, identifiers) VALUES (?, ?, ?, ?) ON CONFLICT (company, identifier) DO UPDATE SET
              at_ms = CASE WHEN excluded.at_ms > alarm.at_ms THEN excluded.at_ms ELSE alarm.at_ms END,
              identifiers = CASE WHEN excluded.identifiers > alarm.identifiers THEN excluded.identifiers ELSE alarm.identifiers END
            """)
            .With(company.Number).With(identifier).With(receivedAt).With(identifiers).Run();

    /// <summary>Identifiers that hang together, and what was said of them.</summary>
    private sealed record Near(Dictionary<long, Leaf> Leaves, Dictionary<long, long> PersonsBefore, HashSet<IdentifierPair> Pairs, HashSet<Merge> Merges)
    {
        public JoinedPersons Join(Company company) => Joins.Of(Leaves.Values, Pairs, Merges, company.Settings.MaxEmailsPerPerson);
    }

    private Near Gather(Company company, IEnumerable<long> identifiers)
    {
        var near = new Near([], [], [], []);
        var open = identifiers.ToHashSet();
        while (open.Count > 0)
        {
            // Of all of them each thing is asked before any is looked at.
            var asked = open.Select(identifier => (Number: identifier, Leaf: Pairs.LeafOf(company, identifier), Person: PersonOf(company, identifier),
                Merges: acts.MergesOf(company, identifier), Members: MembersBeside(company, identifier))).ToList();
            var pairs = Pairs.CandidatesOf(company, asked.ConvertAll(one => (one.Number, one.Leaf)));
            var merges = asked.SelectMany(one => one.Merges.Value, (one, merge) => (one.Leaf, Merge: merge, Other: Pairs.LeafOf(company, merge.Other))).ToList();
            foreach (var one in asked)
            {
                near.Leaves.Add(one.Number, one.Leaf.Value);
                near.PersonsBefore.Add(one.Number, one.Person.Value);
            }

            near.Pairs.UnionWith(pairs);
            foreach (var (leaf, (mergeId, _, at), other) in merges)
                near.Merges.Add(leaf.Value.Id.CompareTo(other.Value.Id) < 0 ? new(mergeId, leaf.Value, other.Value, at) : new(mergeId, other.Value, leaf.Value, at));
            open = [.. pairs.SelectMany(pair => new[] { pair.Low.Number, pair.High.Number }), .. merges.Select(merge => merge.Merge.Other), .. asked.SelectMany(one => one.Members.Value)];
            open.ExceptWith(near.Leaves.Keys);
        }

        return near;
    }

    /// <summary>Derives the pairs and persons of a company anew from its claims.</summary>
    public void Rebuild(Company company, SessionClaims claims)
    {
        database.Use("UPDATE identifier SET person = id WHERE company = ?").With(company.Number).Run();
        var named = Pairs.Rebuild(company, claims);
        named.UnionWith(Merged(company));
        while (named.Count > 0) named.ExceptWith(Rejoin(company, [named.First()]).PersonOf.Keys);
    }

    private List<long> Merged(Company company)
    {
        var merged = new List<long>();
        using var rows = database.Use("SELECT identifier FROM act WHERE company = ? AND kind = 4 AND undone_ms IS NULL AND identifier IS NOT NULL");
        rows.With(company.Number);
        while (rows.Next()) merged.Add(rows.Long(0));
        return merged;
    }

    /// <summary>The identifiers of the person that has this one.</summary>
    private Lazy<List<long>> MembersBeside(Company company, long identifier) =>
        database.Use("SELECT id FROM identifier WHERE company = ?1 AND person = (SELECT person FROM identifier WHERE company = ?1 AND id = ?2)")
            .With(company.Number).With(identifier).AskAll(row => row.Long(0));
}
