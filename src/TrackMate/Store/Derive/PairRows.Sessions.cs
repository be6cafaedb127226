using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>What a session makes known: a back end that names an externalId and a session, and no e-mail, proposes that this externalId and the e-mail of that session's identify are one person (B13).</summary>
internal sealed partial class PairRows
{
    private readonly OpeningRows openings = new(database);

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

        var identifies = claims.Where(claim => claim is { Method: ClaimMethod.Identify, FirstNamedAs: IdentifierKind.Email }).OrderBy(claim => claim.Place).ToList();
        if (identifies.Count == 0) return touched;
        foreach (var claim in claims.Where(claim => claim is { Method: ClaimMethod.Webhook, FirstNamedAs: IdentifierKind.External }))
        {
            var at = identifies.FindLastIndex(identify => identify.UnixMilliseconds <= claim.UnixMilliseconds);
            var email = identifies[Math.Max(at, 0)].Identifiers[0];
            SayFromSession(company, session, claim.Identifiers[0], email, new(claim.UnixMilliseconds, claim.EventId));
            touched.UnionWith([claim.Identifiers[0], email]);
        }

        return touched;
    }

    /// <summary>The same for one new webhook, whose session's identifies are as they were.</summary>
    /// <returns>The identifiers whose pairs changed.</returns>
    public IReadOnlyList<long> SayFromWebhook(Company company, long session, Claim claim)
    {
        var (before, first) = (openings.LastByEmailUntil(company, session, claim.UnixMilliseconds), openings.FirstByEmailFrom(company, session, long.MinValue));
        if (before.Value.Concat(first.Value).FirstOrDefault() is not { } identified) return [];
        return SayFromSession(company, session, claim.Identifiers[0], identified.Identifier, new(claim.UnixMilliseconds, claim.EventId)) ? [claim.Identifiers[0], identified.Identifier] : [];
    }

    /// <summary>
    /// The same for one new identify by e-mail, which the session's openings hold already. Only webhooks from its time to the next identify's are of another e-mail than
    /// before, and those before it if it is the first. So it costs as much as the session has been named beside different externalIds, and looks for a pair's next
    /// webhook only where it takes the earliest one.
    /// </summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    public HashSet<long> SayFromIdentify(Company company, long session, Claim claim)
    {
        var touched = new HashSet<long>();
        var email = claim.Identifiers[0];
        var (firsts, lasts) = (openings.FirstByEmailFrom(company, session, long.MinValue), openings.LastByEmailUntil(company, session, claim.UnixMilliseconds));
        var next = openings.FirstByEmailFrom(company, session, claim.UnixMilliseconds + 1);
        var (isFirst, isLast) = (firsts.Value[0].Place == claim.Place, lasts.Value[0].Place == claim.Place);
        var from = isFirst ? long.MinValue : claim.UnixMilliseconds;
        var to = isLast ? next.Value.FirstOrDefault()?.UnixMilliseconds ?? long.MaxValue : claim.UnixMilliseconds;
        var before = (isFirst ? firsts : lasts).Value.ElementAtOrDefault(1)?.Identifier;
        if (from == to || before == email) return touched;

        foreach (var external in ExternalsOf(company, session))
        {
            if (FirstWebhook(company, session, external, from, to) is not { } webhook) continue;
            touched.UnionWith([external, email]);
            if (before is { } other)
            {
                touched.Add(other);
                ForgetFromSession(company, session, external, other, from, to);
            }

            SayFromSession(company, session, external, email, webhook);
        }

        return touched;
    }

    /// <summary>Webhooks of a stretch of time are of another e-mail now: the pair is said by the next one of its own, if it was said by one of these.</summary>
    private void ForgetFromSession(Company company, long session, long external, long email, long from, long to)
    {
        var (low, high) = InOrder(LeafOf(company, external).Value, LeafOf(company, email).Value);
        var gone = database.Use($"DELETE FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = {PairTable.Claimed} AND session = ? AND at_ms >= ? AND at_ms < ?")
            .With(company.Number).With(low.Number).With(high.Number).With(session).With(from).With(to).RunCounted();
        if (gone == 0) return;
        var next = database.Use($"""
            SELECT w.at_ms, w.event_id FROM claim w INDEXED BY external_webhook_by_session
            WHERE w.company = ?1 AND w.session = ?2 AND w.session IS NOT NULL AND w.method = {ClaimTable.Webhook} AND w.named = {ClaimTable.NamedExternal} AND w.standing <> {ClaimTable.Excluded} AND w.identifier = ?3 AND w.at_ms >= ?5
              AND (SELECT o.identifier FROM opening o WHERE o.company = ?1 AND o.session = ?2 AND o.by_email = 1 AND o.at_ms <= w.at_ms
                ORDER BY o.at_ms DESC, o.trust DESC, o.event_id DESC, o.method DESC LIMIT 1) = ?4
            ORDER BY w.at_ms, w.event_id LIMIT 1
            """).With(company.Number).With(session).With(external).With(email).With(to).Defer(Webhook).Value;
        if (next is { } webhook) SayFromSession(company, session, external, email, webhook);
    }

    private bool SayFromSession(Company company, long session, long external, long email, MessagePlace webhook)
    {
        var (left, right) = (LeafOf(company, external), LeafOf(company, email));
        return Say(company, left.Value, right.Value, Trust.Claimed, webhook, Defer(company, left.Value, right.Value, Trust.Claimed, webhook.UnixMilliseconds, session), session);
    }

    /// <summary>The externalIds that a back end has named for a session without an e-mail.</summary>
    private IEnumerable<long> ExternalsOf(Company company, long session)
    {
        for (long? external = 0; external is not null;)
        {
            external = database.Use($"""
                SELECT identifier FROM claim INDEXED BY external_webhook_by_session
                WHERE company = ? AND session = ? AND session IS NOT NULL AND method = {ClaimTable.Webhook} AND named = {ClaimTable.NamedExternal} AND standing <> {ClaimTable.Excluded} AND identifier > ? ORDER BY identifier LIMIT 1
                """).With(company.Number).With(session).With(external).Defer(row => row.Next() ? (long?)row.Long(0) : null).Value;
            if (external is { } found) yield return found;
        }
    }

    private MessagePlace? FirstWebhook(Company company, long session, long external, long from, long to) => database.Use($"""
        SELECT at_ms, event_id FROM claim INDEXED BY external_webhook_by_session
        WHERE company = ? AND session = ? AND session IS NOT NULL AND method = {ClaimTable.Webhook} AND named = {ClaimTable.NamedExternal} AND standing <> {ClaimTable.Excluded} AND identifier = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms, event_id LIMIT 1
        """).With(company.Number).With(session).With(external).With(from).With(to).Defer(Webhook).Value;

    private static MessagePlace? Webhook(Statement row) => row.Next() ? new(row.Long(0), row.Text(1)) : null;
}
