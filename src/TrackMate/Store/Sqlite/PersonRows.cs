using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Pairs of identifiers as they were said, and the persons that follow from them. No span and no event knows of it.</summary>
internal sealed class PersonRows(Database database)
{
    /// <summary>Beyond the pairs that count, so many are read that those of one message, which only ids tell apart, are all there.</summary>
    private const int Ties = 8;

    /// <summary>Notes that two identifiers were said to be one person.</summary>
    /// <param name="session">Of a claim that follows from a session's identifies: that session; else 0.</param>
    /// <returns>Whether it is news: the pair, or an earlier time of it.</returns>
    public bool Say(Company company, Leaf left, Leaf right, Trust trust, long unixMilliseconds, string eventId, long session = 0)
    {
        var (low, high) = left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);
        return database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id WHERE (excluded.at_ms, excluded.event_id) < (at_ms, event_id)
            """)
            .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).With(unixMilliseconds).With(eventId).Run() > 0;
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
            ? "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND at_ms = ? ORDER BY trust DESC, event_id DESC LIMIT 1"
            : "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND at_ms = ? ORDER BY trust, event_id LIMIT 1");
        identify.With(company.Number).With(session).With(time).Next();
        var (external, email) = (LeafOf(company, claim.Identifiers[0]), LeafOf(company, identify.Long(0)));
        return Say(company, external, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, session) ? [external.Number, email.Number] : [];
    }

    private long? IdentifyTimeAtOrBefore(Company company, long session, long unixMilliseconds)
    {
        using var time = database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND at_ms <= ? ORDER BY at_ms DESC LIMIT 1
            """);
        return time.With(company.Number).With(session).With(unixMilliseconds).Next() ? time.Long(0) : null;
    }

    private long? FirstIdentifyTime(Company company, long session)
    {
        using var time = database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 ORDER BY at_ms LIMIT 1
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
    /// Whether a verified pair is past the number that is believed of one of its identifiers, and changes nothing else: the hundred-and-first customer of
    /// <c>noreply@</c> costs two look-ups.
    /// </summary>
    public bool IsOneTooMany(Company company, long left, long right)
    {
        var (ofLeft, ofRight) = (PairsOf(company, left, Trust.Verified), PairsOf(company, right, Trust.Verified));
        var (inLeft, inRight) = (ofLeft.Exists(pair => pair.Other(left).Number == right), ofRight.Exists(pair => pair.Other(right).Number == left));
        return (!inLeft && (!inRight || ofRight.Count < Joins.MaxPairs)) || (!inRight && ofLeft.Count < Joins.MaxPairs);
    }

    /// <summary>Decides anew who is one person, among the given identifiers and all that hangs together with them by pairs or by persons so far.</summary>
    /// <returns>Who is whose person now, and which pairs were stopped.</returns>
    public JoinedPersons Rejoin(Company company, IEnumerable<long> identifiers)
    {
        var leaves = new Dictionary<long, Leaf>();
        var personsBefore = new Dictionary<long, long>();
        var pairs = new HashSet<IdentifierPair>();
        var open = new Queue<long>(identifiers);
        while (open.TryDequeue(out var identifier))
        {
            if (leaves.ContainsKey(identifier)) continue;
            leaves[identifier] = LeafOf(company, identifier);
            personsBefore[identifier] = PersonOf(company, identifier);
            foreach (var pair in PairsOf(company, identifier, Trust.Verified).Concat(PairsOf(company, identifier, Trust.Claimed)))
            {
                pairs.Add(pair);
                open.Enqueue(pair.Other(identifier).Number);
            }

            foreach (var member in MembersOf(company, personsBefore[identifier])) open.Enqueue(member);
        }

        var joined = Joins.Of(leaves.Values, pairs, company.Settings.MaxEmailsPerPerson);
        foreach (var (identifier, person) in joined.PersonOf)
        {
            if (personsBefore[identifier] != person)
                database.Use("UPDATE identifier SET person = ? WHERE id = ? AND company = ?").With(person).With(identifier).With(company.Number).Run();
        }

        foreach (var pair in pairs.Where(pair => pair.Trust is Trust.Verified))
            Stop(company, pair.Low, pair.High, joined.Stopped.TryGetValue((pair.Low.Number, pair.High.Number), out var stop) ? stop : null);
        return joined;
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

        foreach (var session in claims.SessionsWithClaims(company)) named.UnionWith(SayFromSession(company, session, claims.ClaimsOn(company, session)));
        while (named.Count > 0) named.ExceptWith(Rejoin(company, [named.First()]).PersonOf.Keys);
    }

    private Leaf LeafOf(Company company, long identifier)
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

    /// <summary>The earliest pairs of an identifier: those that may join it. Of the claimed ones only the very first may, whichever session it follows from.</summary>
    private List<IdentifierPair> PairsOf(Company company, long identifier, Trust trust)
    {
        var leaf = LeafOf(company, identifier);
        var most = trust is Trust.Verified ? Joins.MaxPairs : 1;
        var pairs = new List<IdentifierPair>();
        using (var rows = database.Use("""
            SELECT p.other, p.at_ms, p.event_id, i.leaf, i.kind FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id FROM pair WHERE company = ?1 AND low = ?2 AND trust = ?3 ORDER BY at_ms, event_id LIMIT ?4)
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id FROM pair WHERE company = ?1 AND high = ?2 AND trust = ?3 ORDER BY at_ms, event_id LIMIT ?4)) p
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
