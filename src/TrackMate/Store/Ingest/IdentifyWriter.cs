using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Writes identifies: the message, its claim on the session with the session's spans, and the traits.</summary>
internal sealed class IdentifyWriter(WriteTransaction transaction, Func<Message, ReservedNumber> reserved, Prefetcher prefetcher, ClaimWriter claims)
{
    /// <returns>Null for a repeat.</returns>
    public Lazy<Written>? Write(Identify identify, Company company)
    {
        var numbered = prefetcher.Number(identify, company);
        if (MessageTable.Store(transaction.Database, identify, reserved(identify), session: null, identifier: null) is not { } number) return null;

        var decision = prefetcher.DecisionOfIdentify(numbered);
        var prior = prefetcher.PriorOf(numbered, decision);
        var session = numbered.Session!;
        transaction.Ids.Store(company, identify.SessionId!, session, transaction.Marks);
        claims.StoreNames(numbered, identify.Trust);
        transaction.Counters.CountMessage(identify);
        if (identify.WithoutToken is { } fault) transaction.Counters.CountWithoutToken(company, identify.ReceivedAt, fault);
        var stands = claims.AddFromIdentify(numbered, number, decision.Claim, prior);
        var stops = claims.Join(numbered, decision, prior);
        transaction.Traits.Say(identify, session.Number, decision.Claim.Identifiers[0], stands);
        return new(new Written(new(Duplicate: false, ProfileId: identify.SessionGoesTo.Id), Target: null, stops));
    }
}
