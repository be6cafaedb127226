using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Pairs of identifiers as they were said, and the persons that follow from them. No span and no event knows of it.</summary>
internal sealed class PersonRows(Database database)
{
    /// <summary>Notes that two identifiers were said to be one person.</summary>
    /// <param name="session">Of a claim that follows from a session's identifies: that session; else 0.</param>
    /// <returns>Whether it is news: the pair, or an earlier time of it.</returns>
    public bool Say(Company company, long left, long right, Trust trust, long unixMilliseconds, string eventId, long session = 0) =>
        database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id WHERE (excluded.at_ms, excluded.event_id) < (at_ms, event_id)
            """)
            .With(company.Number).With(Math.Min(left, right)).With(Math.Max(left, right)).With((long)trust).With(session).With(unixMilliseconds).With(eventId).Run() > 0;

    /// <summary>
    /// Says anew what follows from a session: a back end that names an externalId and a session, but no e-mail, proposes that externalId and the e-mail of that
    /// session's identify are one person (B13). A late identify changes it.
    /// </summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    public HashSet<long> SayFromSession(Company company, long session, IReadOnlyCollection<Claim> claims, Func<long, IdentifierKind> kindOf)
    {
        var identifies = claims.Where(claim => claim.Method is ClaimMethod.Identify && kindOf(claim.Identifiers[0]) is IdentifierKind.Email)
            .OrderBy(claim => claim.UnixMilliseconds).ThenBy(claim => claim.EventId, Comparer<string>.Create(EventIds.Compare)).ToList();
        var said = claims
            .Where(claim => claim.Method is ClaimMethod.Webhook && claim.Identifiers.All(identifier => kindOf(identifier) is not IdentifierKind.Email) && identifies.Count > 0)
            .SelectMany(claim => claim.Identifiers.Where(identifier => kindOf(identifier) is IdentifierKind.External)
                .Select(external => (External: external, Email: (identifies.LastOrDefault(identify => identify.UnixMilliseconds <= claim.UnixMilliseconds) ?? identifies[0]).Identifiers[0], Claim: claim)))
            .ToList();

        var touched = new HashSet<long>();
        using (var before = database.Use("SELECT low, high FROM pair WHERE company = ? AND session = ? AND session > 0"))
        {
            before.With(company.Number).With(session);
            while (before.Next()) touched.UnionWith([before.Long(0), before.Long(1)]);
        }

        if (touched.Count == 0 && said.Count == 0) return touched;
        database.Use("DELETE FROM pair WHERE company = ? AND session = ? AND session > 0").With(company.Number).With(session).Run();
        foreach (var (external, email, claim) in said)
        {
            Say(company, external, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, session);
            touched.UnionWith([external, email]);
        }

        return touched;
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
        var (inLeft, inRight) = (ofLeft.Any(pair => pair.Other(left) == right), ofRight.Any(pair => pair.Other(right) == left));
        return (!inLeft && (!inRight || ofRight.Count < Joins.MaxPairs)) || (!inRight && ofLeft.Count < Joins.MaxPairs);
    }

    /// <summary>Decides anew who is one person, among the given identifiers and all that hangs together with them by pairs or by persons so far.</summary>
    /// <returns>Who is whose person now, and which pairs were stopped.</returns>
    public JoinedPersons Rejoin(Company company, IEnumerable<long> identifiers)
    {
        var kinds = new Dictionary<long, IdentifierKind>();
        var personsBefore = new Dictionary<long, long>();
        var pairs = new Dictionary<(long, long, Trust), IdentifierPair>();
        var open = new Queue<long>(identifiers);
        while (open.TryDequeue(out var identifier))
        {
            if (kinds.ContainsKey(identifier)) continue;
            (kinds[identifier], personsBefore[identifier]) = Read(company, identifier);
            foreach (var pair in PairsOf(company, identifier, Trust.Verified).Concat(PairsOf(company, identifier, Trust.Claimed)))
            {
                pairs[(pair.Low, pair.High, pair.Trust)] = pair;
                open.Enqueue(pair.Other(identifier));
            }

            foreach (var member in MembersOf(company, personsBefore[identifier])) open.Enqueue(member);
        }

        var joined = Joins.Of(kinds, pairs.Values, company.Settings.MaxEmailsPerPerson);
        foreach (var (identifier, person) in joined.PersonOf)
        {
            if (personsBefore[identifier] != person)
                database.Use("UPDATE identifier SET person = ? WHERE id = ? AND company = ?").With(person).With(identifier).With(company.Number).Run();
        }

        return joined;
    }

    private (IdentifierKind Kind, long Person) Read(Company company, long identifier)
    {
        using var row = database.Use("SELECT kind, person FROM identifier WHERE id = ? AND company = ?");
        row.With(identifier).With(company.Number).Next();
        return ((IdentifierKind)row.Long(0), row.Long(1));
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
        var pairs = new List<IdentifierPair>();
        using var rows = database.Use("""
            SELECT * FROM (SELECT low, high, at_ms, event_id FROM pair WHERE company = ?1 AND low = ?2 AND trust = ?3 ORDER BY at_ms, event_id, high LIMIT ?4)
            UNION ALL
            SELECT * FROM (SELECT low, high, at_ms, event_id FROM pair WHERE company = ?1 AND high = ?2 AND trust = ?3 ORDER BY at_ms, event_id, low LIMIT ?4)
            ORDER BY at_ms, event_id, low, high LIMIT ?4
            """);
        rows.With(company.Number).With(identifier).With((long)trust).With(trust is Trust.Verified ? Joins.MaxPairs : 1);
        while (rows.Next()) pairs.Add(new(rows.Long(0), rows.Long(1), trust, rows.Long(2), rows.Text(3)));
        return pairs;
    }
}
