using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>When each session first claimed an identifier, where only a browser says so, and whether that is believed: <see cref="SessionsOfDay"/> decides.</summary>
internal sealed class FirstClaims(Database database)
{
    /// <param name="Known">The session's first claim on the identifier so far.</param>
    /// <param name="OfDay">How many sessions of the claim's day are believed.</param>
    internal readonly record struct PriorState(Lazy<FirstClaim?> Known, Lazy<long> OfDay);

    /// <summary>Asks for what must be known before a claim is noted.</summary>
    public PriorState Defer(Company company, long identifier, long session, long unixMilliseconds) => new(Find(company, identifier, session), Count(company, identifier, UtcDay.Of(unixMilliseconds)));

    /// <summary>Notes a claim of a browser.</summary>
    /// <returns>Whether it is believed, and the sessions whose claims on this identifier change their status by it: its own among them if its earlier claims do.</returns>
    public (bool Stands, IReadOnlyList<long> Changed) Note(Company company, long identifier, long session, MessagePlace place, bool isRevoked, PriorState prior)
    {
        var known = prior.Known.Value;
        if (known is not null && known.Place <= place) return (known.Status is FirstClaimStatus.Believed, []);

        var changed = new List<long>();
        if (known is not null) changed.AddRange(Leave(company, identifier, known));
        var claim = new FirstClaim(session, place, isRevoked ? FirstClaimStatus.Revoked : FirstClaimStatus.TooLate);
        database.Use("""
            INSERT INTO first_claim (company, identifier, session, at_ms, event_id, standing) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, identifier, session) DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, standing = excluded.standing
            """)
            .With(company.Number).With(identifier).With(session).With(place.UnixMilliseconds).With(place.EventId).With((long)claim.Status).Run();
        var (isBelieved, displaced) = isRevoked ? (false, []) : Enter(company, identifier, claim, known is null ? prior.OfDay : null);
        changed.AddRange(displaced);
        if (known is not null && (known.Status is FirstClaimStatus.Believed) != isBelieved) changed.Add(session);
        return (isBelieved, changed);
    }

    /// <summary>A session's claims on an identifier are revoked, or restored.</summary>
    /// <returns>The other sessions whose claims change their status by it.</returns>
    public IReadOnlyList<long> Revoke(Company company, long identifier, long session, bool isRevoked)
    {
        if (Find(company, identifier, session).Value is not { } claim || (claim.Status is FirstClaimStatus.Revoked) == isRevoked) return [];
        if (!isRevoked) return Enter(company, identifier, claim).Displaced;
        Set(company, identifier, claim.Session, FirstClaimStatus.Revoked);
        return Leave(company, identifier, claim);
    }

    /// <summary>Derives a session's first claim on an identifier again, after some of its claims were erased.</summary>
    /// <returns>The other sessions whose claims on this identifier may change their status by it.</returns>
    public IReadOnlyList<long> Rederive(Company company, long identifier, long session)
    {
        if (Find(company, identifier, session).Value is not { } known) return [];
        MessagePlace? first = null;
        using (var row = database.Use($"""
            SELECT at_ms, event_id FROM claim INDEXED BY claim_by_session_and_identifier
            WHERE company = ? AND session = ? AND session IS NOT NULL AND identifier = ? AND trust = {ClaimTable.Claimed} ORDER BY at_ms, event_id LIMIT 1
            """))
        {
            if (row.With(company.Number).With(session).With(identifier).Next()) first = new(row.Long(0), row.Text(1));
        }

        if (first == known.Place) return [];
        var changed = Leave(company, identifier, known).ToList();
        database.Use("DELETE FROM first_claim WHERE company = ? AND identifier = ? AND session = ?").With(company.Number).With(identifier).With(session).Run();
        if (first is { } left) changed.AddRange(Note(company, identifier, session, left, known.Status is FirstClaimStatus.Revoked, Defer(company, identifier, session, left.UnixMilliseconds)).Changed);
        return [.. changed.Where(other => other != session)];
    }

    /// <summary>Whether claims of browsers on this session and identifier are believed.</summary>
    public bool Stands(Company company, long identifier, long session) => Find(company, identifier, session).Value is not { } claim || claim.Status is FirstClaimStatus.Believed;

    /// <summary>Takes one step of a day towards the limit that the company has set.</summary>
    /// <returns>The sessions whose claims on this identifier change their status; none at the end.</returns>
    public IReadOnlyList<long> Correct(Company company, long identifier, long day) =>
        Store(company, identifier, day, SessionsOfDay.Correct(Of(company, identifier, day), company.Settings.NewSessionsPerDay));

    /// <summary>Derives the first claims of a whole company again, as after an import of acts: the rule of <see cref="SessionsOfDay"/>, in one statement.</summary>
    public void Rebuild(Company company)
    {
        database.Use("DELETE FROM first_claim WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM first_claim_day WHERE company = ?").With(company.Number).Run();
        database.Use($"""
            INSERT INTO first_claim (company, identifier, session, at_ms, event_id, standing)
            SELECT company, identifier, session, at_ms, event_id,
              CASE WHEN is_revoked THEN {FirstClaimTable.Revoked} WHEN ROW_NUMBER() OVER (PARTITION BY identifier, at_ms / 86400000, is_revoked ORDER BY at_ms, event_id) <= ?2 THEN {FirstClaimTable.Stands} ELSE {FirstClaimTable.TooLate} END
            FROM (
              SELECT c.company, c.identifier, c.session, c.at_ms, c.event_id,
                EXISTS (SELECT 1 FROM act a WHERE a.company = ?1 AND a.session = c.session AND a.session IS NOT NULL AND a.undone_ms IS NULL AND a.kind IN ({ActTable.RevokeClaim}, {ActTable.RevokeClaimed}) AND a.identifier = c.identifier) AS is_revoked,
                ROW_NUMBER() OVER (PARTITION BY c.identifier, c.session ORDER BY c.at_ms, c.event_id) AS place
              FROM claim c WHERE c.company = ?1 AND c.session IS NOT NULL AND c.trust = {ClaimTable.Claimed}) AS said
            WHERE place = 1
            """).With(company.Number).With(company.Settings.NewSessionsPerDay).Run();
        database.Use($"""
            INSERT INTO first_claim_day (company, identifier, day, standing)
            SELECT company, identifier, at_ms / 86400000, COUNT(*) FROM first_claim WHERE company = ? AND standing = {FirstClaimTable.Stands} GROUP BY 1, 2, 3
            """).With(company.Number).Run();
    }

    /// <param name="believed">How many sessions of the day are believed, if that is known.</param>
    private (bool IsBelieved, IReadOnlyList<long> Displaced) Enter(Company company, long identifier, FirstClaim claim, Lazy<long>? believed = null)
    {
        var day = UtcDay.Of(claim.Place.UnixMilliseconds);
        var decision = SessionsOfDay.Enter(claim, Of(company, identifier, day, believed: believed), company.Settings.NewSessionsPerDay);
        var changed = Store(company, identifier, day, decision);
        return (decision.Changed.Contains((claim.Session, FirstClaimStatus.Believed)), [.. changed.Where(session => session != claim.Session)]);
    }

    private IReadOnlyList<long> Leave(Company company, long identifier, FirstClaim claim)
    {
        var day = UtcDay.Of(claim.Place.UnixMilliseconds);
        return Store(company, identifier, day, SessionsOfDay.Leave(claim, Of(company, identifier, day, without: claim.Session)));
    }

    /// <returns>The sessions whose status changed.</returns>
    private IReadOnlyList<long> Store(Company company, long identifier, long day, ClaimDayDecision decision)
    {
        foreach (var (session, status) in decision.Changed) Set(company, identifier, session, status);
        if (decision.More != 0)
        {
            database.Use("INSERT INTO first_claim_day (company, identifier, day, standing) VALUES (?, ?, ?, ?) ON CONFLICT (company, identifier, day) DO UPDATE SET standing = first_claim_day.standing + excluded.standing")
                .With(company.Number).With(identifier).With(day).With(decision.More).Run();
        }

        return [.. decision.Changed.Select(changed => changed.Session)];
    }

    /// <param name="without">A session that is not counted among those that came too late; 0 for none.</param>
    private ClaimDay Of(Company company, long identifier, long day, long without = 0, Lazy<long>? believed = null) => new(
        believed ?? Count(company, identifier, day),
        new(() => AtTheEdge(company, identifier, day, without: 0, FirstClaimStatus.Believed, $"""
            SELECT session, at_ms, event_id FROM first_claim
            WHERE company = ? AND identifier = ? AND standing = {FirstClaimTable.Stands} AND at_ms >= ? AND at_ms < ? AND session <> ? ORDER BY at_ms DESC, event_id DESC LIMIT 1
            """)),
        new(() => AtTheEdge(company, identifier, day, without, FirstClaimStatus.TooLate, $"""
            SELECT session, at_ms, event_id FROM first_claim
            WHERE company = ? AND identifier = ? AND standing = {FirstClaimTable.TooLate} AND at_ms >= ? AND at_ms < ? AND session <> ? ORDER BY at_ms, event_id LIMIT 1
            """)));

    private Lazy<FirstClaim?> Find(Company company, long identifier, long session) =>
        database.Use("SELECT at_ms, event_id, standing FROM first_claim WHERE company = ? AND identifier = ? AND session = ?")
            .With(company.Number).With(identifier).With(session).Defer(row => row.Next() ? new FirstClaim(session, new(row.Long(0), row.Text(1)), (FirstClaimStatus)row.Long(2)) : null);

    private FirstClaim? AtTheEdge(Company company, long identifier, long day, long without, FirstClaimStatus status, string sql)
    {
        using var row = database.Use(sql);
        return row.With(company.Number).With(identifier).With(UtcDay.Start(day)).With(UtcDay.Start(day + 1)).With(without).Next() ? new(row.Long(0), new(row.Long(1), row.Text(2)), status) : null;
    }

    private void Set(Company company, long identifier, long session, FirstClaimStatus status) =>
        database.Use("UPDATE first_claim SET standing = ? WHERE company = ? AND identifier = ? AND session = ?").With((long)status).With(company.Number).With(identifier).With(session).Run();

    private Lazy<long> Count(Company company, long identifier, long day) =>
        database.Use("SELECT standing FROM first_claim_day WHERE company = ? AND identifier = ? AND day = ?")
            .With(company.Number).With(identifier).With(day).Defer(row => row.Next() ? row.Long(0) : 0);
}
