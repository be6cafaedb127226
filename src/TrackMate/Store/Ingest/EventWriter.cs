using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Writes events. A browser's event is a row and counts. A back end's event may also carry an identity and a payment, and belongs to a server session. No event is changed later (B2).</summary>
internal sealed class EventWriter(WriteTransaction transaction, Func<Message, ReservedNumber> reserved, Prefetcher prefetcher, ClaimWriter claims)
{
    /// <returns>Null for a repeat.</returns>
    public Lazy<Written>? Write(TrackedEvent tracked, Company company) => tracked.Order.Origin is Origin.Browser ? WriteOfBrowser(tracked, company) : WriteOfServer(tracked, company);

    private Lazy<Written>? WriteOfBrowser(TrackedEvent tracked, Company company)
    {
        var decision = EventDecision.Of(tracked);
        var session = transaction.Ids.Session(company, tracked.SessionId!);
        if (MessageTable.Store(transaction.Database, tracked, reserved(tracked), session.Number, identifier: null) is null) return null;

        transaction.Ids.Store(company, tracked.SessionId!, session, transaction.Marks, decision.Day);
        transaction.Counters.CountMessage(tracked);
        transaction.Counters.CountEvent(company, session.Number, tracked.Order, decision.IsBot);
        return Written.Event;
    }

    private Lazy<Written>? WriteOfServer(TrackedEvent tracked, Company company)
    {
        var (ids, derived) = (transaction.Ids, transaction.Derived);
        var numbered = prefetcher.Number(tracked, company);
        var decision = prefetcher.DecisionOfWebhook(numbered);
        var isUnknownUserId = ids.IsUnknownUserId(tracked);
        if (MessageTable.Store(transaction.Database, tracked, reserved(tracked), decision.Session, decision.Identifier) is not { } number) return null;

        var prior = prefetcher.PriorOf(numbered, decision);
        if (numbered.Session is { } session) ids.Store(company, tracked.SessionId!, session, transaction.Marks);
        transaction.Counters.CountMessage(tracked);
        derived.Keys.Add(company, number, tracked.Data.Span);
        claims.StoreNames(numbered, Trust.Verified);
        if (decision.Claim is { } claim) claims.AddFromWebhook(numbered, number, claim, prior);
        var stops = claims.Join(numbered, decision, prior);
        var holder = RunHolder.Of(company, decision);
        var run = derived.Runs.Add(holder, tracked.Order, tracked.EventId, prior.Runs!.Value);
        derived.Ledger.Add(company, new(number, tracked.Order, tracked.EventId, tracked.Type, tracked.Data, decision.Session, decision.Identifier), decision.Money);
        return new(new Written(new(Duplicate: false, UnknownUserId: isUnknownUserId, MoneyUnreadable: decision.MoneyUnreadable), new(holder, tracked.Order, run), stops));
    }
}
