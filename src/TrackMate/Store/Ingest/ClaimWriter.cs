using TrackMate.Bind;
using TrackMate.Store.Derive;

namespace TrackMate.Store.Ingest;

/// <summary>Writes the identity in a message: the identifiers that it names, the claim on its session, and the pairs of identifiers.</summary>
internal sealed class ClaimWriter(WriteTransaction transaction, Prefetcher prefetcher)
{
    private readonly SessionClaims claims = transaction.Derived.Claims;
    private readonly PersonRows persons = transaction.Derived.Persons;

    public void StoreNames(Message message, Company company, InternedId[] identifiers, Trust trust)
    {
        for (var i = 0; i < identifiers.Length; i++)
        {
            var change = transaction.Ids.Store(message.Company, message.Named[i], identifiers[i], message.Order.UnixMilliseconds, trust, asked: message is Identify);
            // A join may change when the kind of a bare id becomes known, or when a back end names an identifier.
            if (change.HasFlag(NameChange.Kind)) persons.TouchKind(company, identifiers[i].Number);
            else if (change.HasFlag(NameChange.Verified)) persons.TouchVerified(company, identifiers[i].Number);
        }
    }

    /// <summary>Adds the claim of a back end, on a session or, without a session, between identifiers only.</summary>
    public void AddFromWebhook(Company company, long message, InternedId? session, Claim claim, PriorState prior)
    {
        if (session is null)
        {
            claims.Add(company, message, claim);
            return;
        }

        var added = Add(company, message, session, claim, prior);
        if (added.Stands && claim.FirstNamedAs is IdentifierKind.External) persons.TouchClaims(company, persons.Pairs.SayFromWebhook(company, session.Number, claim));
    }

    /// <summary>Adds the claim of a browser on its session.</summary>
    /// <returns>Whether the claim stands.</returns>
    public bool AddFromIdentify(Company company, long message, InternedId session, Claim claim, PriorState prior)
    {
        var added = Add(company, message, session, claim, prior);
        foreach (var changed in added.Changed)
        {
            claims.Recompute(company, changed, claim.Identifiers[0]);
            persons.TouchClaims(company, persons.Pairs.SayFromSession(company, changed, claims.ClaimsOn(company, changed)));
        }

        if (added.Stands && !added.Changed.Contains(session.Number) && prior.HasExternalWebhooks?.Value == true)
            persons.TouchClaims(company, persons.Pairs.SayFromIdentify(company, session.Number, claim));
        return added.Stands;
    }

    private AddedClaim Add(Company company, long message, InternedId session, Claim claim, PriorState prior)
    {
        var added = claims.Add(company, message, session.Number, claim, prior.Session!);
        // Claims on other sessions now stand or no longer stand, so the prefetched states are out of date.
        if (added.Changed.Count > 0) prefetcher.Discard();
        return added;
    }

    /// <summary>Adds the pairs of a message that names several identifiers, which therefore are one person (B4, B13).</summary>
    /// <returns>Queries to run after the joins are derived: for a pair of a back end, why it does not join; for a browser's new pair, whether it contradicts a back end.</returns>
    public List<Func<Lazy<JoinStop?>>> Join(Message message, Company company, InternedId[] identifiers, Trust trust, PriorState prior)
    {
        var stops = new List<Func<Lazy<JoinStop?>>>();
        for (var i = 1; i < identifiers.Length; i++)
        {
            var (left, right) = (identifiers[i - 1].As(message.Named[i - 1]), identifiers[i].As(message.Named[i]));
            if (left.Number == right.Number) continue;
            if (trust is Trust.Verified) stops.Add(() => persons.Pairs.StopOf(company, left, right));
            if (!persons.Pairs.Say(company, left, right, trust, message.Order.UnixMilliseconds, message.EventId, prior.Pairs[i - 1])) continue;
            if (trust is Trust.Verified)
            {
                persons.TouchPair(company, left.Number, right.Number, isNew: prior.Pairs[i - 1].Said.Value is null, message.ReceivedAt);
                continue;
            }

            persons.TouchClaims(company, [left.Number, right.Number]);
            stops.Add(() => new(transaction.Derived.Contradictions.Raise(company, left.Number, right.Number, message.ReceivedAt) ? JoinStop.Contradicted : null));
        }

        return stops;
    }
}
