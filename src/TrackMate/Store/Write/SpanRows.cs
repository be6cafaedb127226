using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>Whose a session is, from when to when, as its claims say.</summary>
/// <param name="marks">Told of sessions that become somebody's or nobody's; null for a reader, and for one who marks all sessions of the company at the end.</param>
internal sealed class SpanRows(Database database, SessionMarks? marks = null)
{
    private readonly StandingActs acts = new(database);

    /// <param name="Last">The session's last span.</param>
    /// <param name="IsClaimed">Whether the session was ever somebody's whom the claim names; asked of webhooks only.</param>
    /// <param name="IsVerified">Whether a verified claim on the session names the one that the claim is for.</param>
    internal readonly record struct Background(Lazy<(long From, long Identifier)?> Last, IReadOnlyList<Lazy<bool>> IsClaimed, Lazy<bool> IsVerified);

    /// <summary>Asks for what is to be known before a claim extends a session's spans, and before it is stored.</summary>
    public Background Ask(Company company, long session, Claim claim) => new(
        LastSpan(company, session),
        claim.Method is ClaimMethod.Webhook ? [.. claim.Identifiers.Select(identifier => IsClaimed(company, session, identifier))] : [],
        IsVerified(company, session, claim.Identifiers[0]));

    /// <summary>Whose a session is at a time: an identifier's number, or null while it is nobody's.</summary>
    public Lazy<long?> OwnerOf(Company company, long session, EventOrder order) =>
        database.Use("SELECT identifier, to_ms FROM span WHERE company = ? AND session = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1")
            .With(company.Number).With(session).With(order.UnixMilliseconds).Ask(span => span.Next() && order.UnixMilliseconds < span.Long(1) ? (long?)span.Long(0) : null);

    /// <summary>
    /// The usual case of <see cref="SessionSpans"/>: a claim later than all others of its session can only end the last span and open one, or confirm. It costs
    /// the same after ten claims as after a hundred thousand.
    /// </summary>
    public void Extend(Company company, long session, Claim claim, Background background)
    {
        var last = background.Last.Value;
        var identifier = claim.Identifiers[0];
        if (claim.Trust is Trust.Verified)
        {
            foreach (var named in claim.Identifiers)
                database.Use("UPDATE span SET trust = 1 WHERE company = ? AND identifier = ? AND session = ? AND trust = 0").With(company.Number).With(named).With(session).Run();
        }

        if (last is { } span)
        {
            if (span.Identifier == identifier || background.IsClaimed.Any(claimed => claimed.Value)) return;
            database.Use("UPDATE span SET to_ms = ? WHERE company = ? AND session = ? AND from_ms = ?").With(claim.UnixMilliseconds).With(company.Number).With(session).With(span.From).Run();
        }
        else
        {
            marks?.SpansChanged(company, session);
        }

        var trust = claim.Trust is Trust.Verified || background.IsVerified.Value ? Trust.Verified : Trust.Claimed;
        Insert(company, session, new(last is null ? long.MinValue : claim.UnixMilliseconds, long.MaxValue, identifier, claim.Number, trust));
    }

    private Lazy<(long From, long Identifier)?> LastSpan(Company company, long session) =>
        database.Use("SELECT from_ms, identifier FROM span WHERE company = ? AND session = ? ORDER BY from_ms DESC LIMIT 1")
            .With(company.Number).With(session).Ask(last => last.Next() ? (last.Long(0), last.Long(1)) : ((long, long)?)null);

    private Lazy<bool> IsClaimed(Company company, long session, long identifier) =>
        database.Use("""
            SELECT EXISTS (SELECT 1 FROM claim WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND identifier = ?3 AND standing <> 0)
                OR EXISTS (SELECT 1 FROM claim INDEXED BY claim_of_several_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND second IS NOT NULL AND (second = ?3 OR third = ?3) AND standing <> 0)
            """).With(company.Number).With(session).With(identifier).AskWhether();

    private Lazy<bool> IsVerified(Company company, long session, long identifier) =>
        database.Use("""
            SELECT EXISTS (SELECT 1 FROM claim INDEXED BY verified_claim_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND trust = 1 AND standing <> 0 AND (identifier = ?3 OR second = ?3 OR third = ?3))
            """).With(company.Number).With(session).With(identifier).AskWhether();

    /// <summary>Derives a session's spans anew.</summary>
    /// <param name="claims">Its claims that stand.</param>
    /// <returns>The identifiers whose spans changed.</returns>
    public List<long> Rewrite(Company company, long session, IReadOnlyCollection<Claim> claims)
    {
        var spans = SessionSpans.Of(claims, acts.UnbindingsOf(company, session).Value);
        var stored = SpansOf(company, session);

        // A late claim changes its neighbours; the others stay as they lie.
        foreach (var old in stored.Except(spans))
            database.Use("DELETE FROM span WHERE company = ? AND session = ? AND from_ms = ?").With(company.Number).With(session).With(old.From).Run();
        foreach (var span in spans.Except(stored)) Insert(company, session, span);
        if ((stored.Count == 0) != (spans.Count == 0)) marks?.SpansChanged(company, session);
        return [.. stored.Except(spans).Concat(spans.Except(stored)).Select(span => span.Identifier).Distinct()];
    }

    private void Insert(Company company, long session, Span span)
    {
        database.Use("INSERT INTO span (company, session, from_ms, to_ms, identifier, claim, trust, has_runs) VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
            .With(company.Number).With(session).With(span.From).With(span.To).With(span.Identifier).With(span.Claim).With((long)span.Trust).Run();
        // A statement of its own: Citus takes no sub-select among the values of an insertion.
        database.Use("""
            UPDATE span SET has_runs = 1 WHERE company = ?1 AND session = ?2 AND from_ms = ?3
              AND EXISTS (SELECT 1 FROM server_run WHERE company = ?1 AND identifier = 0 AND session = ?2)
            """).With(company.Number).With(session).With(span.From).Run();
    }

    private List<Span> SpansOf(Company company, long session)
    {
        var spans = new List<Span>();
        using var rows = database.Use("SELECT from_ms, to_ms, identifier, claim, trust FROM span WHERE company = ? AND session = ? ORDER BY from_ms");
        rows.With(company.Number).With(session);
        while (rows.Next()) spans.Add(new(rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), (Trust)rows.Long(4)));
        return spans;
    }
}
