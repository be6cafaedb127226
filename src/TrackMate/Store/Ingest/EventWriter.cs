using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Writes events. A browser's event is a row and counts. A server's event may also carry an identity and a payment, and belongs to a server session. No event is changed later (B2).</summary>
internal sealed class EventWriter(WriteTransaction transaction, MessageRows rows, Prefetcher prefetcher, ClaimWriter claims)
{
    /// <returns>Null for a repeat.</returns>
    public Lazy<Written>? Write(TrackedEvent tracked, Company company)
    {
        var ids = transaction.Ids;
        var session = tracked.SessionId is { } sessionId ? ids.Session(company, sessionId) : null;
        var identifiers = ids.IdentifiersOf(tracked);
        var boundBySession = identifiers.Length == 0 ? session : null;
        var unknownUserId = ids.IsUnknownUserId(tracked);
        if (rows.Insert(tracked, boundBySession?.Number, identifiers.FirstOrDefault()?.Number) is not { } number) return null;

        var isBot = tracked.Agent?.Bot ?? false;
        var isBrowser = tracked.Order.Origin is Origin.Browser;
        var prior = prefetcher.Of(tracked, company);
        if (session is not null) ids.Store(company, tracked.SessionId!, session, transaction.Marks, isBrowser && !isBot ? DayCounters.DayOf(tracked.Order.UnixMilliseconds) : null);
        transaction.Counters.CountMessage(tracked);
        if (isBrowser)
        {
            transaction.Counters.CountEvent(company, session!.Number, tracked.Order, isBot);
            return Written.Event;
        }

        var derived = transaction.Derived;
        derived.Keys.Add(company, number, tracked.Data.Span);
        claims.StoreNames(tracked, company, identifiers, Trust.Verified);
        if (prior.Claim is { } claim) claims.AddFromWebhook(company, number, session, claim, prior);
        var stops = claims.Join(tracked, company, identifiers, Trust.Verified, prior);
        var run = derived.Runs.Add(prior.Holder!.Value, tracked.Order, tracked.EventId, prior.Runs!.Value);
        derived.Ledger.Add(company, new(number, tracked.Order, tracked.EventId, tracked.Type, tracked.Data, boundBySession?.Number, identifiers.FirstOrDefault()?.Number), prior.Money);
        return new(new Written(new(Duplicate: false, UnknownUserId: unknownUserId, MoneyUnreadable: prior.MoneyUnreadable), new(prior.Holder.Value, tracked.Order, run), stops));
    }
}
