using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Pairs of identifiers as they were said, and the persons that follow from them. No span and no event knows of it.</summary>
internal sealed class PersonRows(Database database)
{
    /// <summary>Beyond the pairs that count, so many are read that those of one message, which only ids tell apart, are all there.</summary>
    private const int Ties = 8;

    /// <summary>So many identifiers of one person, or more, are worth a look.</summary>
    public const int Many = 10;

    private readonly StandingActs acts = new(database);

    /// <summary>Notes that two identifiers were said to be one person.</summary>
    /// <param name="session">Of a claim that follows from a session's identifies: that session; else 0.</param>
    /// <returns>Whether it is news that may join: the pair, or an earlier time of it.</returns>
    public bool Say(Company company, Leaf left, Leaf right, Trust trust, long unixMilliseconds, string eventId, long session = 0)
    {
        var (low, high) = left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);
        var stop = acts.KeptApart(company, low.Number, high.Number, unixMilliseconds);
        var changed = database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id, stop, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, stop = excluded.stop, standing = excluded.standing
            WHERE (excluded.at_ms, excluded.event_id) < (at_ms, event_id)
            """)
            .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).With(unixMilliseconds).With(eventId)
            .With((long?)stop).With(stop is null ? 1 : 0).Run() > 0;
        return changed && stop is null;
    }

    /// <summary>Says anew which pairs of an identifier an operator keeps apart.</summary>
    /// <returns>The identifiers on the other side of those that changed: what comes after such a pair may join them now.</returns>
    public List<long> Restand(Company company, long identifier)
    {
        var changed = new List<long>();
        var pairs = new List<(long Low, long High, long Trust, long Session, long At)>();
        using (var rows = database.Use("""
            SELECT low, high, trust, session, at_ms FROM pair WHERE company = ?1 AND low = ?2
            UNION ALL SELECT low, high, trust, session, at_ms FROM pair INDEXED BY every_pair_by_high WHERE company = ?1 AND high = ?2
            """))
        {
            rows.With(company.Number).With(identifier);
            while (rows.Next()) pairs.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4)));
        }

        foreach (var pair in pairs)
        {
            var stop = acts.KeptApart(company, pair.Low, pair.High, pair.At);
            var stands = stop is null ? 1 : 0;
            if (database.Use("UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing <> ?")
                .With((long?)stop).With(stands).With(company.Number).With(pair.Low).With(pair.High).With(pair.Trust).With(pair.Session).With(stands).Run() > 0)
                changed.Add(pair.Low == identifier ? pair.High : pair.Low);
        }

        return changed;
    }

    /// <summary>
    /// Says anew what follows from a session: a back end that names an externalId and a session, but no e-mail, proposes that this externalId and the e-mail of
    /// that session's identify are one person (B13). A late identify changes it.
    /// </summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    public HashSet<long> SayFromSession(Company company, long session, IReadOnlyCollection<Claim> claims)
    {
        var touched = new HashSet<long>();
        using (var before = database.Use("SELECT low, high FROM pair WHERE company = ? AND session = ? AND session > 0"))
        {
            before.With(company.Number).With(session);
            while (before.Next()) touched.UnionWith([before.Long(0), before.Long(1)]);
        }

        if (touched.Count > 0) database.Use("DELETE FROM pair WHERE company = ? AND session = ? AND session > 0").With(company.Number).With(session).Run();

        var identifies = claims.Where(claim => claim is { Method: ClaimMethod.Identify, FirstNamedAs: IdentifierKind.Email }).Order(SessionSpans.Order).ToList();
        if (identifies.Count == 0) return touched;
        foreach (var claim in claims.Where(claim => claim is { Method: ClaimMethod.Webhook, FirstNamedAs: IdentifierKind.External }))
        {
            var at = identifies.FindLastIndex(identify => identify.UnixMilliseconds <= claim.UnixMilliseconds);
            var (external, email) = (LeafOf(company, claim.Identifiers[0]), LeafOf(company, identifies[Math.Max(at, 0)].Identifiers[0]));
            Say(company, external, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, session);
            touched.UnionWith([external.Number, email.Number]);
        }

        return touched;
    }

    /// <summary>The same for one new webhook, whose session's identifies are as they were.</summary>
    /// <returns>The identifiers whose pairs changed.</returns>
    public IReadOnlyList<long> SayFromWebhook(Company company, long session, Claim claim)
    {
        if ((IdentifyTimeAtOrBefore(company, session, claim.UnixMilliseconds) ?? FirstIdentifyTime(company, session)) is not { } time) return [];
        var latest = time <= claim.UnixMilliseconds;
        using var identify = database.Use(latest
            ? "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms = ? ORDER BY trust DESC, event_id DESC LIMIT 1"
            : "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms = ? ORDER BY trust, event_id LIMIT 1");
        identify.With(company.Number).With(session).With(time).Next();
        var (external, email) = (LeafOf(company, claim.Identifiers[0]), LeafOf(company, identify.Long(0)));
        return Say(company, external, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, session) ? [external.Number, email.Number] : [];
    }

    private long? IdentifyTimeAtOrBefore(Company company, long session, long unixMilliseconds)
    {
        using var time = database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms <= ? ORDER BY at_ms DESC LIMIT 1
            """);
        return time.With(company.Number).With(session).With(unixMilliseconds).Next() ? time.Long(0) : null;
    }

    private long? FirstIdentifyTime(Company company, long session)
    {
        using var time = database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 ORDER BY at_ms LIMIT 1
            """);
        return time.With(company.Number).With(session).Next() ? time.Long(0) : null;
    }

    /// <summary>Why a verified pair does not join; null where it does.</summary>
    public JoinStop? StopOf(Company company, Leaf left, Leaf right)
    {
        var (low, high) = left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);
        using var row = database.Use("SELECT stop FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = 1 AND session = 0");
        return row.With(company.Number).With(low.Number).With(high.Number).Next() ? (JoinStop?)row.LongOrNull(0) : null;
    }

    public void Stop(Company company, Leaf left, Leaf right, JoinStop? stop)
    {
        var (low, high) = left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);
        database.Use("UPDATE pair SET stop = ?4 WHERE company = ?1 AND low = ?2 AND high = ?3 AND trust = 1 AND session = 0 AND stop IS NOT ?4")
            .With(company.Number).With(low.Number).With(high.Number).With((long?)stop).Run();
    }

    public long PersonOf(Company company, long identifier)
    {
        using var row = database.Use("SELECT person FROM identifier WHERE id = ? AND company = ?");
        row.With(identifier).With(company.Number).Next();
        return row.Long(0);
    }

    /// <summary>
    /// Of a verified pair that is past the number that is believed of one of its identifiers, and changes nothing else, that identifier: the hundred-and-first
    /// customer of <c>noreply@</c> costs two look-ups.
    /// </summary>
    public long? Crowded(Company company, long left, long right)
    {
        var (ofLeft, ofRight) = (PairsOf(company, left, Trust.Verified), PairsOf(company, right, Trust.Verified));
        var (inLeft, inRight) = (ofLeft.Exists(pair => pair.Other(left).Number == right), ofRight.Exists(pair => pair.Other(right).Number == left));
        var isOneTooMany = (!inLeft && (!inRight || ofRight.Count < Joins.MaxPairs)) || (!inRight && ofLeft.Count < Joins.MaxPairs);
        return isOneTooMany ? inLeft ? right : left : null;
    }

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
            Stop(company, pair.Low, pair.High, joined.Stopped.TryGetValue((pair.Low.Number, pair.High.Number), out var stop) ? stop : null);
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
            if (PersonOf(company, identifier) is var person && (person != identifier || HasPairs(company, identifier))) before[identifier] = person;
        }

        var open = before.Keys.ToHashSet();
        while (open.Count > 0) open.ExceptWith(Rejoin(company, [open.First()]).PersonOf.Keys);
        return [.. before.Where(known => PersonOf(company, known.Key) != known.Value).Select(known => known.Key)];
    }

    private bool HasPairs(Company company, long identifier)
    {
        using var row = database.Use("""
            SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND standing = 1)
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND high = ?2 AND standing = 1)
                OR EXISTS (SELECT 1 FROM identifier WHERE company = ?1 AND person = ?2 AND id <> ?2)
            """);
        row.With(company.Number).With(identifier).Next();
        return row.Long(0) == 1;
    }

    /// <summary>What joined a person's identifiers.</summary>
    public JoinedPersons JoinsOf(Company company, long identifier) => Gather(company, [identifier]).Join(company);

    /// <summary>Notes that more identifiers have piled up on one than people have.</summary>
    public void Alarm(Company company, long identifier, long identifiers, long receivedAt) =>
        database.Use("INSERT INTO alarm (company, identifier, at_ms, identifiers) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at_ms = MAX(at_ms, excluded.at_ms), identifiers = MAX(identifiers, excluded.identifiers)")
            .With(company.Number).With(identifier).With(receivedAt).With(identifiers).Run();

    /// <summary>Identifiers that hang together, and what was said of them.</summary>
    private sealed record Near(Dictionary<long, Leaf> Leaves, Dictionary<long, long> PersonsBefore, HashSet<IdentifierPair> Pairs, HashSet<Merge> Merges)
    {
        public JoinedPersons Join(Company company) => Joins.Of(Leaves.Values, Pairs, Merges, company.Settings.MaxEmailsPerPerson);
    }

    private Near Gather(Company company, IEnumerable<long> identifiers)
    {
        var near = new Near([], [], [], []);
        var open = new Queue<long>(identifiers);
        while (open.TryDequeue(out var identifier))
        {
            if (near.Leaves.ContainsKey(identifier)) continue;
            var leaf = near.Leaves[identifier] = LeafOf(company, identifier);
            near.PersonsBefore[identifier] = PersonOf(company, identifier);
            foreach (var pair in PairsOf(company, identifier, Trust.Verified).Concat(MutualPairOf(company, identifier)))
            {
                near.Pairs.Add(pair);
                open.Enqueue(pair.Other(identifier).Number);
            }

            foreach (var (mergeId, otherNumber, at) in acts.MergesOf(company, identifier))
            {
                var other = LeafOf(company, otherNumber);
                near.Merges.Add(leaf.Id.CompareTo(other.Id) < 0 ? new(mergeId, leaf, other, at) : new(mergeId, other, leaf, at));
                open.Enqueue(otherNumber);
            }

            foreach (var member in MembersOf(company, near.PersonsBefore[identifier])) open.Enqueue(member);
        }

        return near;
    }

    /// <summary>Derives the pairs and persons of a company anew from its claims.</summary>
    public void Rebuild(Company company, SessionClaims claims)
    {
        database.Use("DELETE FROM pair WHERE company = ?").With(company.Number).Run();
        database.Use("UPDATE identifier SET person = id WHERE company = ?").With(company.Number).Run();
        var named = new HashSet<long>();
        using (var rows = database.Use("SELECT identifier, second, third, trust, at_ms, event_id FROM claim WHERE company = ? AND second IS NOT NULL"))
        {
            rows.With(company.Number);
            while (rows.Next())
            {
                // A claim's first identifier is the one that the others were named beside: of three the e-mail, which stands between the other two.
                var first = LeafOf(company, rows.Long(0));
                foreach (var other in new[] { rows.LongOrNull(1), rows.LongOrNull(2) }.OfType<long>())
                {
                    Say(company, first, LeafOf(company, other), (Trust)rows.Long(3), rows.Long(4), rows.Text(5));
                    named.UnionWith([first.Number, other]);
                }
            }
        }

        named.UnionWith(Merged(company));
        foreach (var session in claims.SessionsWithClaims(company)) named.UnionWith(SayFromSession(company, session, claims.ClaimsOn(company, session)));
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

    public Leaf LeafOf(Company company, long identifier)
    {
        using var row = database.Use("SELECT leaf, kind FROM identifier WHERE id = ? AND company = ?");
        row.With(identifier).With(company.Number).Next();
        return new(identifier, ProfileId.FromBytes(row.Bytes(0)), (IdentifierKind)row.Long(1));
    }

    private List<long> MembersOf(Company company, long person)
    {
        var members = new List<long>();
        using var rows = database.Use("SELECT id FROM identifier WHERE company = ? AND person = ?");
        rows.With(company.Number).With(person);
        while (rows.Next()) members.Add(rows.Long(0));
        return members;
    }

    /// <summary>
    /// The one claimed pair that may join an identifier: its first, where it is the other's first too. No other is followed, or browsers could lay chains of them for
    /// every message to walk.
    /// </summary>
    private IEnumerable<IdentifierPair> MutualPairOf(Company company, long identifier) =>
        PairsOf(company, identifier, Trust.Claimed).Where(pair => PairsOf(company, pair.Other(identifier).Number, Trust.Claimed)[0] == pair);

    /// <summary>The earliest pairs of an identifier: those that may join it. Of the claimed ones only the very first may, whichever session it follows from.</summary>
    private List<IdentifierPair> PairsOf(Company company, long identifier, Trust trust)
    {
        var leaf = LeafOf(company, identifier);
        var most = trust is Trust.Verified ? Joins.MaxPairs : 1;
        var pairs = new List<IdentifierPair>();
        using (var rows = database.Use("""
            SELECT p.other, p.at_ms, p.event_id, i.leaf, i.kind FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id FROM pair WHERE company = ?1 AND low = ?2 AND trust = ?3 AND standing = 1 ORDER BY at_ms, event_id LIMIT ?4)
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id FROM pair WHERE company = ?1 AND high = ?2 AND trust = ?3 AND standing = 1 ORDER BY at_ms, event_id LIMIT ?4)) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1
            """))
        {
            rows.With(company.Number).With(identifier).With((long)trust).With(most + Ties);
            while (rows.Next())
            {
                var other = new Leaf(rows.Long(0), ProfileId.FromBytes(rows.Bytes(3)), (IdentifierKind)rows.Long(4));
                pairs.Add(leaf.Id.CompareTo(other.Id) < 0 ? new(leaf, other, trust, rows.Long(1), rows.Text(2)) : new(other, leaf, trust, rows.Long(1), rows.Text(2)));
            }
        }

        pairs.Sort();
        return pairs.Count > most ? pairs[..most] : pairs;
    }
}
