using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>What came of a claim.</summary>
/// <param name="Stands">It counts: it is neither revoked nor one too many of its day.</param>
/// <param name="Changed">Sessions whose claims on the same identifier stand or fall by it, to be told so by <see cref="SessionClaims.Recompute(Company, long, long)"/>.</param>
internal readonly record struct AddedClaim(bool Stands, IReadOnlyList<long> Changed);

/// <summary>Claims, and whether they stand; what follows from them is brought up to date with them.</summary>
/// <inheritdoc cref="SpanRows" path="/param"/>
internal sealed class SessionClaims(Database database, DirtySessions? marks = null)
{
    private readonly StandingActs acts = new(database);
    private readonly FirstClaims firsts = new(database);
    private readonly TraitRows traits = new(database);
    private readonly SpanRows spans = new(database, marks);

    /// <param name="IsRevoked">Whether an operator took the session's claims on the identifier back.</param>
    /// <param name="First">Of a claim that only a browser makes: what is known of when its session first made it.</param>
    /// <param name="Unbindings">When an operator keeps the session free.</param>
    internal sealed record PriorState(Lazy<bool> IsRevoked, FirstClaims.PriorState? First, Lazy<List<Unbinding>> Unbindings, SpanRows.PriorState Spans);

    /// <summary>Asks for what is to be known before a claim on a session is added.</summary>
    /// <param name="isNew">Whether nobody has named the session before: then nothing of it is stored, and nobody has done anything to it.</param>
    public PriorState Defer(Company company, long session, Claim claim, bool isNew)
    {
        var identifier = claim.Identifiers[0];
        FirstClaims.PriorState? first = claim.Trust is Trust.Claimed ? firsts.Defer(company, identifier, session, claim.UnixMilliseconds) : null;
        if (isNew) return new(new(false), first, new([]), SpanRows.PriorState.OfNewSession);
        return new(acts.IsRevoked(company, session, identifier, claim.Trust), first, acts.UnbindingsOf(company, session), spans.Defer(company, session, claim));
    }

    /// <summary>Appends a claim that is about no session.</summary>
    public void Add(Company company, long message, Claim claim) => Insert(company, message, null, claim, standing: 1);

    /// <summary>Appends a claim on a session, and brings that session's spans up to date.</summary>
    public AddedClaim Add(Company company, long message, long session, Claim claim, PriorState prior)
    {
        var identifier = claim.Identifiers[0];
        var stands = !prior.IsRevoked.Value;
        IReadOnlyList<long> changed = [];
        if (prior.First is { } first) (stands, changed) = firsts.Note(company, identifier, session, new(claim.UnixMilliseconds, claim.EventId), isRevoked: !stands, first);
        var unbindings = prior.Unbindings.Value;
        var number = Insert(company, message, session, claim, !stands ? 0 : unbindings.Exists(unbinding => unbinding.Covers(claim.UnixMilliseconds)) ? 2 : 1);
        // If the session's earlier claims change their status with this one, Recompute derives its spans from all of them.
        if (stands && !changed.Contains(session)) spans.Add(company, session, claim with { Number = number }, unbindings, prior.Spans);
        return new(stands, changed);
    }

    /// <summary>Whether an operator has taken back what browsers claim of a session and an identifier.</summary>
    public bool IsRevoked(Company company, long session, long identifier) => acts.IsRevoked(company, session, identifier, Trust.Claimed).Value;

    /// <summary>A session's claims on an identifier were taken back, or lifted again: the sessions that stand or fall by it, besides this one.</summary>
    public IReadOnlyList<long> Revoke(Company company, long session, long identifier) =>
        firsts.Revoke(company, identifier, session, acts.IsRevoked(company, session, identifier, Trust.Claimed).Value);

    /// <summary>Derives again what follows from a session's claims on an identifier, after some of them were erased.</summary>
    /// <returns>The sessions whose claims on this identifier change their status by it, this one among them.</returns>
    public IReadOnlyList<long> Rederive(Company company, long session, long identifier)
    {
        List<long> changed = [.. firsts.Rederive(company, identifier, session), session];
        traits.Forget(company, session, identifier);
        foreach (var other in changed) Recompute(company, other, identifier);
        return changed;
    }

    /// <summary>Says anew which claims of a session on an identifier stand, and derives what hangs on it: its spans, and what it said of the identifier.</summary>
    /// <returns>The identifiers whose spans changed.</returns>
    public IReadOnlyList<long> Recompute(Company company, long session, long identifier)
    {
        Decide(company, session, identifier);
        return Rewrite(company, session);
    }

    /// <summary>Says anew which of a session's claims on an identifier stand, and with them what it said of the identifier.</summary>
    private void Decide(Company company, long session, long identifier)
    {
        var verified = !acts.IsRevoked(company, session, identifier, Trust.Verified).Value;
        var claimed = verified && firsts.Stands(company, identifier, session);
        SetStanding(company, session, identifier, verified, claimed);
        traits.Recompute(company, session, identifier, verified, claimed);
    }

    private List<long> Rewrite(Company company, long session) => spans.Rewrite(company, session, ClaimsOn(company, session), acts.UnbindingsOf(company, session).Value);

    /// <summary>The same after an operator freed a part of the session, or took that back.</summary>
    /// <returns>The identifiers whose spans changed.</returns>
    public IReadOnlyList<long> Unbind(Company company, long session)
    {
        database.Use($"""
            UPDATE claim SET standing = CASE WHEN EXISTS (
              SELECT 1 FROM act WHERE act.company = ?1 AND act.session = claim.session AND act.session IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Unbind} AND from_ms <= claim.at_ms AND to_ms > claim.at_ms)
              THEN {ClaimTable.Freed} ELSE {ClaimTable.Stands} END
            WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND standing <> {ClaimTable.Excluded}
            """).With(company.Number).With(session).Run();
        return Rewrite(company, session);
    }

    private void SetStanding(Company company, long session, long identifier, bool verified, bool claimed) =>
        database.Use($"""
            UPDATE claim SET standing = CASE WHEN CASE WHEN trust = {ClaimTable.Verified} THEN ?4 ELSE ?5 END = 0 THEN {ClaimTable.Excluded} WHEN EXISTS (
              SELECT 1 FROM act WHERE act.company = ?1 AND act.session = claim.session AND act.session IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Unbind} AND from_ms <= claim.at_ms AND to_ms > claim.at_ms)
              THEN {ClaimTable.Freed} ELSE {ClaimTable.Stands} END
            WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND identifier = ?3
            """).With(company.Number).With(session).With(identifier).With(verified ? 1 : 0).With(claimed ? 1 : 0).Run();

    private long Insert(Company company, long message, long? session, Claim claim, long standing)
    {
        var number = database.NextNumber("claim");
        database.Use("""
            INSERT INTO claim (id, company, message, session, identifier, named, second, third, method, trust, at_ms, event_id, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
            .With(number).With(company.Number).With(message).With(session)
            .With(claim.Identifiers[0]).With((long)claim.FirstNamedAs).With(At(claim.Identifiers, 1)).With(At(claim.Identifiers, 2))
            .With((long)claim.Method).With((long)claim.Trust).With(claim.UnixMilliseconds).With(claim.EventId).With(standing).Run();
        return number;
    }

    /// <summary>Whether a back end has named an externalId, and no e-mail, for this session.</summary>
    public Lazy<bool> HasExternalWebhooks(Company company, long session) =>
        database.Use($"SELECT EXISTS (SELECT 1 FROM claim INDEXED BY external_webhook_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = {ClaimTable.Webhook} AND named = {ClaimTable.NamedExternal} AND standing <> {ClaimTable.Excluded})")
            .With(company.Number).With(session).DeferFlag();

    /// <summary>Derives the spans of every session of a company anew.</summary>
    public void Rebuild(Company company)
    {
        spans.Clear(company);
        foreach (var session in SessionsWithClaims(company)) Rewrite(company, session);
    }

    /// <summary>Decides anew which claims of a company stand, as after an import of acts, and derives its spans and traits.</summary>
    public void Recompute(Company company)
    {
        firsts.Rebuild(company);
        foreach (var (session, identifier) in ClaimedPairs(company)) Decide(company, session, identifier);
        Rebuild(company);
    }

    private List<(long Session, long Identifier)> ClaimedPairs(Company company)
    {
        var pairs = new List<(long, long)>();
        using var rows = database.Use("SELECT DISTINCT session, identifier FROM claim WHERE company = ? AND session IS NOT NULL");
        rows.With(company.Number);
        while (rows.Next()) pairs.Add((rows.Long(0), rows.Long(1)));
        return pairs;
    }

    public List<long> SessionsWithClaims(Company company)
    {
        var sessions = new List<long>();
        using var rows = database.Use("SELECT DISTINCT session FROM claim WHERE company = ? AND session IS NOT NULL");
        rows.With(company.Number);
        while (rows.Next()) sessions.Add(rows.Long(0));
        return sessions;
    }

    /// <summary>The claims of a session that stand.</summary>
    public List<Claim> ClaimsOn(Company company, long session)
    {
        var claims = new List<Claim>();
        using var rows = database.Use($"SELECT id, method, trust, at_ms, event_id, identifier, second, third, named FROM claim WHERE company = ? AND session = ? AND session IS NOT NULL AND standing <> {ClaimTable.Excluded}");
        rows.With(company.Number).With(session);
        while (rows.Next())
        {
            List<long> identifiers = [rows.Long(5)];
            if (rows.LongOrNull(6) is { } second) identifiers.Add(second);
            if (rows.LongOrNull(7) is { } third) identifiers.Add(third);
            claims.Add(new(rows.Long(0), (ClaimMethod)rows.Long(1), (Trust)rows.Long(2), rows.Long(3), rows.Text(4), identifiers, (IdentifierKind)rows.Long(8)));
        }

        return claims;
    }

    private static long? At(IReadOnlyList<long> numbers, int index) => index < numbers.Count ? numbers[index] : null;
}
