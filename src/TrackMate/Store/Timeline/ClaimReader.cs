using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Reads what binds a person: claims of sessions, pairs, and acts.</summary>
internal sealed class ClaimReader(Database database)
{
    /// <summary>Acts and pairs that are kept apart, of one identifier: so many are listed.</summary>
    private const int MostActs = 500;

    private readonly PersonRows persons = new(database);
    private readonly Dictionary<long, Identifier> known = [];

    /// <summary>The newest claims of a person from a time back.</summary>
    /// <param name="until">Unix milliseconds, inclusive.</param>
    /// <param name="limit">At least so many, where there are.</param>
    /// <returns>By (time, key), newest first; those of the last time are all there.</returns>
    public List<ListedClaim> Of(Person person, long until, int limit)
    {
        var claims = new List<ListedClaim>();
        var joined = person.Identifiers.Count > 1 ? persons.JoinsOf(person.Company, person.Identifiers[0].Number) : null;
        foreach (var identifier in person.Identifiers)
        {
            claims.AddRange(Sessions(person.Company, identifier, until, limit));
            claims.AddRange(Pairs(person, identifier.Number, joined, until, limit));
            claims.AddRange(Acts(person.Company, identifier.Number, until));
        }

        claims.AddRange(Unbindings(person, until));
        return [.. claims.DistinctBy(claim => (claim.Kind, claim.Key, string.Join(' ', claim.Identifiers.Select(identifier => identifier.Id)))).OrderByDescending(claim => claim.At).ThenByDescending(claim => claim.Key, StringComparer.Ordinal)];
    }

    /// <summary>An act by its id, standing or not; null where the company has none of it.</summary>
    public ListedAct? Act(Company company, string actId)
    {
        ListedAct? act = null;
        using var rows = database.Use("""
            SELECT a.kind, a.at_ms, a.actor, s.session_id, a.identifier, a.other, a.from_ms, a.to_ms, a.undone_ms
            FROM act a LEFT JOIN session s ON s.id = a.session AND s.company = ?1 WHERE a.company = ?1 AND a.act_id = ?2 ORDER BY a.id LIMIT ?3
            """);
        rows.With(company.Number).With(actId).With(MostActs);
        while (rows.Next())
        {
            IEnumerable<Identifier> about = new[] { rows.LongOrNull(4), rows.LongOrNull(5) }.OfType<long>().Select(number => IdentifierOf(company, number)).ToList();
            act = act is not null
                ? act with { Identifiers = [.. act.Identifiers, .. about], Stands = act.Stands || rows.IsNull(8) }
                : new(actId, KindOf((ActKind)rows.Long(0)), rows.Long(1), rows.Text(2), rows.TextOrNull(3), [.. about], rows.LongOrNull(6) ?? long.MinValue, rows.LongOrNull(7) ?? long.MaxValue, rows.IsNull(8));
        }

        return act;
    }

    /// <summary>The isolations and freezes that stand on a person's identifiers.</summary>
    public List<ListedClaim> KeptApart(Person person) =>
        [.. person.Identifiers.SelectMany(identifier => Acts(person.Company, identifier.Number, long.MaxValue)).Where(act => act.Kind is ListedClaimKind.Isolate or ListedClaimKind.Freeze)];

    /// <summary>The times in which an operator says that a session is nobody's.</summary>
    public List<ListedAct> UnbindingsOf(Company company, string sessionId)
    {
        var unbindings = new List<ListedAct>();
        using var rows = database.Use($"""
            SELECT a.act_id, a.at_ms, a.actor, a.from_ms, a.to_ms FROM session s
            JOIN act a ON a.company = s.company AND a.session = s.id AND a.session IS NOT NULL AND a.undone_ms IS NULL AND a.kind = {ActTable.Unbind}
            WHERE s.company = ? AND s.session_id = ? LIMIT ?
            """);
        rows.With(company.Number).With(sessionId).With(MostActs);
        while (rows.Next()) unbindings.Add(new(rows.Text(0), ListedClaimKind.Unbind, rows.Long(1), rows.Text(2), sessionId, [], rows.Long(3), rows.Long(4), Stands: true));
        return unbindings;
    }

    /// <summary>What a message claimed: of a session, or that two identifiers are one person; null where it claimed nothing.</summary>
    public (string? Session, IReadOnlyList<Identifier> Identifiers)? Said(Company company, Origin origin, string eventId)
    {
        using var row = database.Use("""
            SELECT s.session_id, c.identifier, c.second FROM message m JOIN claim c ON c.company = m.company AND c.message = m.id
            LEFT JOIN session s ON s.id = c.session AND s.company = ?1 WHERE m.company = ?1 AND m.origin = ?2 AND m.event_id = ?3
            """);
        if (!row.With(company.Number).With((long)origin).With(eventId).Next()) return null;
        var session = row.TextOrNull(0);
        long[] named = session is null && row.LongOrNull(2) is { } second ? [row.Long(1), second] : [row.Long(1)];
        return (session, [.. named.Select(number => IdentifierOf(company, number))]);
    }

    /// <summary>The identifier that an id is of; null where the company has none.</summary>
    public Identifier? Known(Company company, ProfileId id)
    {
        using var row = database.Use("SELECT kind, value FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(id.ToBytes()).Next() ? new((IdentifierKind)row.Long(0), row.Text(1), id) : null;
    }

    /// <summary>Whether anybody has said that two identifiers are one person.</summary>
    public bool IsSaid(Company company, ProfileId one, ProfileId other)
    {
        using var row = database.Use("SELECT i.id, j.id FROM identifier i JOIN identifier j ON j.company = i.company AND j.leaf = ? WHERE i.company = ? AND i.leaf = ?");
        return row.WithBlob(other.ToBytes()).With(company.Number).WithBlob(one.ToBytes()).Next() && IsSaid(company, row.Long(0), row.Long(1));
    }

    private static ListedClaimKind KindOf(ActKind kind) => kind switch
    {
        ActKind.RevokeClaim => ListedClaimKind.Session,
        ActKind.Unbind => ListedClaimKind.Unbind,
        ActKind.Merge => ListedClaimKind.Merge,
        ActKind.Isolate => ListedClaimKind.Isolate,
        ActKind.Freeze => ListedClaimKind.Freeze,
        ActKind.RevokeClaimed or ActKind.RevokeClaimedPair => ListedClaimKind.Claims,
        _ => ListedClaimKind.Join,
    };

    private List<ListedClaim> Sessions(Company company, KnownIdentifier identifier, long until, int limit)
    {
        var claims = new List<ListedClaim>();
        using var rows = database.Use("""
            SELECT c.at_ms, c.event_id, m.origin, c.method, c.trust, s.session_id, c.standing, c.session
            FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message JOIN session s ON s.id = c.session AND s.company = c.company
            WHERE c.company = ?1 AND c.identifier = ?2 AND c.session IS NOT NULL AND c.at_ms <= ?3 ORDER BY c.at_ms DESC, c.event_id DESC LIMIT ?4
            """);
        rows.With(company.Number).With(identifier.Number).With(until).With(limit);
        while (rows.Next())
        {
            var stands = rows.Long(6) != 0;
            claims.Add(new(ListedClaimKind.Session, rows.Long(0), rows.Text(1), null, (Origin)rows.Long(2), (ClaimMethod)rows.Long(3), (Trust)rows.Long(4), rows.Text(5),
                [identifier.Identifier], stands, stands ? null : new StandingActs(database).IsRevoked(company, rows.Long(7), identifier.Number, (Trust)rows.Long(4)).Value ? JoinStop.Revoked : JoinStop.TooManySessions, null));
        }

        return claims;
    }

    private List<ListedClaim> Pairs(Person person, long identifier, JoinedPersons? joined, long until, int limit)
    {
        var found = new List<(long Low, long High, long Trust, long At, string EventId, long? Stop, bool Standing)>();
        void Read(Statement rows, long bound)
        {
            using (rows)
            {
                rows.With(person.Company.Number).With(identifier).With(until).With(bound);
                while (rows.Next()) found.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Text(4), rows.LongOrNull(5), rows.Long(6) != 0));
            }
        }

        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Verified} AND standing <> {PairTable.KeptApart} AND at_ms <= ?3 ORDER BY at_ms DESC, event_id DESC LIMIT ?4"), limit);
        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Verified} AND standing <> {PairTable.KeptApart} AND at_ms <= ?3 ORDER BY at_ms DESC, event_id DESC LIMIT ?4"), limit);
        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} AND at_ms <= ?3 ORDER BY at_ms DESC, event_id DESC LIMIT ?4"), limit);
        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} AND at_ms <= ?3 ORDER BY at_ms DESC, event_id DESC LIMIT ?4"), limit);
        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair INDEXED BY pair_apart_by_low WHERE company = ?1 AND low = ?2 AND standing = {PairTable.KeptApart} AND at_ms <= ?3 LIMIT ?4"), MostActs);
        Read(database.Use($"SELECT low, high, trust, at_ms, event_id, stop, standing FROM pair INDEXED BY pair_apart_by_high WHERE company = ?1 AND high = ?2 AND standing = {PairTable.KeptApart} AND at_ms <= ?3 LIMIT ?4"), MostActs);

        // A pair is one claim, at its earliest; the verified one speaks for it.
        return [.. found.GroupBy(pair => (pair.Low, pair.High)).Select(told => told.OrderByDescending(pair => pair.Standing).ThenByDescending(pair => pair.Trust).ThenBy(pair => pair.At).First()).Select(pair =>
        {
            var isOne = joined is not null && joined.PersonOf.TryGetValue(pair.Low, out var low) && joined.PersonOf.TryGetValue(pair.High, out var high) && low == high;
            var stop = (JoinStop?)pair.Stop ?? (isOne ? null : MayJoin(person.Company, pair.Low, pair.High) ? JoinStop.Contradicted : JoinStop.ClaimedJoins);
            return new ListedClaim(ListedClaimKind.Join, pair.At, pair.EventId, null, null, null, (Trust)pair.Trust, null,
                [IdentifierOf(person.Company, pair.Low), IdentifierOf(person.Company, pair.High)], stop is null, stop, null);
        })];
    }

    private List<ListedClaim> Acts(Company company, long identifier, long until)
    {
        var acts = new List<ListedClaim>();
        using var rows = database.Use($"""
            SELECT act_id, kind, identifier, other, at_ms, actor FROM act WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND undone_ms IS NULL AND kind IN ({ActTable.RevokePair}, {ActTable.Merge}, {ActTable.Isolate}, {ActTable.Freeze}) AND at_ms <= ?3
            UNION ALL
            SELECT act_id, kind, identifier, other, at_ms, actor FROM act WHERE company = ?1 AND other = ?2 AND other IS NOT NULL AND undone_ms IS NULL AND kind IN ({ActTable.RevokePair}, {ActTable.Merge}) AND at_ms <= ?3
            LIMIT ?4
            """);
        rows.With(company.Number).With(identifier).With(until).With(MostActs);
        while (rows.Next())
        {
            Identifier[] about = [IdentifierOf(company, rows.Long(2)), .. rows.LongOrNull(3) is { } other ? [IdentifierOf(company, other)] : Array.Empty<Identifier>()];
            var kind = KindOf((ActKind)rows.Long(1));

            // A pair that was kept apart before anybody said it has no claim of its own to show.
            if (kind is ListedClaimKind.Join && IsSaid(company, rows.Long(2), rows.Long(3))) continue;
            acts.Add(kind is ListedClaimKind.Join
                ? new(kind, rows.Long(4), null, rows.Text(0), null, null, null, null, [.. about.OrderBy(identifier => identifier.Id)], Stands: false, JoinStop.Revoked, rows.Text(5))
                : new(kind, rows.Long(4), null, rows.Text(0), null, null, null, null, about, Stands: true, null, rows.Text(5)));
        }

        return acts;
    }

    private List<ListedClaim> Unbindings(Person person, long until)
    {
        var unbindings = new List<ListedClaim>();
        using var rows = database.Use($"""
            SELECT a.act_id, a.at_ms, a.actor, a.from_ms, a.to_ms, s.session_id, a.session FROM act a JOIN session s ON s.id = a.session AND s.company = a.company
            WHERE a.company = ?1 AND a.kind = {ActTable.Unbind} AND a.undone_ms IS NULL AND a.at_ms <= ?2 ORDER BY a.id DESC LIMIT ?3
            """);
        rows.With(person.Company.Number).With(until).With(MostActs);
        while (rows.Next())
        {
            if (person.Identifiers.Any(identifier => HasClaimed(person.Company, rows.Long(6), identifier.Number)))
                unbindings.Add(new(ListedClaimKind.Unbind, rows.Long(1), null, rows.Text(0), null, null, null, rows.Text(5), [], Stands: true, null, rows.Text(2), rows.Long(3), rows.Long(4)));
        }

        return unbindings;
    }

    private bool HasClaimed(Company company, long session, long identifier)
    {
        using var row = database.Use("SELECT EXISTS (SELECT 1 FROM claim WHERE company = ? AND session = ? AND session IS NOT NULL AND identifier = ?)");
        row.With(company.Number).With(session).With(identifier).Next();
        return row.Long(0) == 1;
    }

    /// <summary>Whether the company lets a browser's claim join the two.</summary>
    private bool MayJoin(Company company, long one, long other)
    {
        if (company.Settings.ClaimedJoins is not ClaimedJoins.New) return company.Settings.ClaimedJoins is ClaimedJoins.All;
        using var row = database.Use("SELECT COUNT(*) FROM identifier WHERE company = ? AND id IN (?, ?) AND verified = 1");
        row.With(company.Number).With(one).With(other).Next();
        return row.Long(0) < 2;
    }

    private bool IsSaid(Company company, long one, long other)
    {
        using var row = database.Use("SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND high = ?3) OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?3 AND high = ?2)");
        row.With(company.Number).With(one).With(other).Next();
        return row.Long(0) == 1;
    }

    private Identifier IdentifierOf(Company company, long number)
    {
        if (known.TryGetValue(number, out var identifier)) return identifier;
        using var row = database.Use("SELECT kind, value, leaf FROM identifier WHERE id = ? AND company = ?");
        row.With(number).With(company.Number).Next();
        return known[number] = new((IdentifierKind)row.Long(0), row.Text(1), ProfileId.FromBytes(row.Bytes(2)));
    }
}
