using TrackMate.Bind;

namespace TrackMate.Store.Ingest;

/// <summary>Writes identifies: a claim on a session with its evidence, the spans of that session, and the person's traits.</summary>
internal sealed class IdentifyWriter(WriteTransaction transaction, MessageRows rows, Prefetcher prefetcher, ClaimWriter claims)
{
    /// <returns>Null for a repeat.</returns>
    public Lazy<Written>? Write(Identify identify, Company company)
    {
        var ids = transaction.Ids;
        var session = ids.Session(company, identify.SessionId!);
        var identifiers = ids.IdentifiersOf(identify);
        if (rows.Insert(identify) is not { } number) return null;

        var prior = prefetcher.Of(identify, company);
        var claim = prior.Claim!;
        ids.Store(company, identify.SessionId!, session, transaction.Marks);
        claims.StoreNames(identify, company, identifiers, identify.Trust);
        transaction.Counters.CountMessage(identify);
        if (identify.WithoutToken is { } fault) transaction.Counters.CountWithoutToken(company, identify.ReceivedAt, fault);
        var stands = claims.AddFromIdentify(company, number, session, claim, prior);
        var stops = claims.Join(identify, company, identifiers, identify.Trust, prior);
        transaction.Traits.Say(identify, session.Number, claim.Identifiers[0], stands);
        return new(new Written(new(Duplicate: false, ProfileId: identify.SessionGoesTo.Id), Target: null, stops));
    }
}
