using TrackMate.Bind;
using TrackMate.Store.Derive;

namespace TrackMate.Store.Ingest;

/// <summary>Writes what a message says about persons: the identifiers it names, the claim on its session, and the pairs of identifiers that are one person.</summary>
internal sealed class ClaimWriter(WriteTransaction transaction, Prefetcher prefetcher)
{
    private readonly SessionClaims claims = transaction.Derived.Claims;
    private readonly PersonRows persons = transaction.Derived.Persons;

    public void StoreNames(NumberedMessage numbered, Trust trust)
    {
        var message = numbered.Message;
        foreach (var (i, identifier) in numbered.Identifiers.Index())
        {
            var change = transaction.Ids.Store(message.Company, message.Named[i], identifier, message.Order.UnixMilliseconds, trust, asked: message is Identify);
            // What a bare id is the id of may change joins, and so may that a back end knows an identifier.
            if (change.HasFlag(NameChange.Kind)) persons.TouchKind(numbered.Company, identifier.Number);
            else if (change.HasFlag(NameChange.Verified)) persons.TouchVerified(numbered.Company, identifier.Number);
        }
    }

    /// <summary>A back end names a session and an identifier, or identifiers alone.</summary>
    /// <param name="message">The store's number of the message.</param>
    public void AddFromWebhook(NumberedMessage numbered, long message, Claim claim, PriorState prior)
    {
        if (numbered.Session is not { } session)
        {
            claims.Add(numbered.Company, message, claim);
            return;
        }

        var added = Add(numbered, message, claim, prior);
        if (added.Stands && claim.FirstNamedAs is IdentifierKind.External) persons.TouchClaims(numbered.Company, persons.Pairs.SayFromWebhook(numbered.Company, session.Number, claim));
    }

    /// <summary>A browser says who its session is.</summary>
    /// <param name="message">The store's number of the message.</param>
    /// <returns>Whether the claim counts.</returns>
    public bool AddFromIdentify(NumberedMessage numbered, long message, Claim claim, PriorState prior)
    {
        var (company, session) = (numbered.Company, numbered.Session!.Number);
        var added = Add(numbered, message, claim, prior);
        foreach (var changed in added.Changed)
        {
            claims.Recompute(company, changed, claim.Identifiers[0]);
            persons.TouchClaims(company, persons.Pairs.SayFromSession(company, changed, claims.ClaimsOn(company, changed)));
        }

        if (added.Stands && !added.Changed.Contains(session) && prior.HasExternalWebhooks?.Value == true)
            persons.TouchClaims(company, persons.Pairs.SayFromIdentify(company, session, claim));
        return added.Stands;
    }

    private AddedClaim Add(NumberedMessage numbered, long message, Claim claim, PriorState prior)
    {
        var added = claims.Add(numbered.Company, message, numbered.Session!.Number, claim, prior.Session!);
        // Claims of other sessions change their status by it.
        if (added.Changed.Count > 0) prefetcher.Discard();
        return added;
    }

    /// <summary>Records the pairs of identifiers that the message says are one person (B4, B13).</summary>
    /// <returns>What to ask once joins are derived: for a back end's pair, why it does not join; for a browser's new pair, whether it is contradicted.</returns>
    public List<Func<Lazy<JoinStop?>>> Join(NumberedMessage numbered, PersonDecision decision, PriorState prior)
    {
        var (message, company) = (numbered.Message, numbered.Company);
        var stops = new List<Func<Lazy<JoinStop?>>>();
        foreach (var (i, pair) in decision.Pairs.Index())
        {
            var (left, right, trust) = (numbered.Node(pair.Left), numbered.Node(pair.Right), decision.Claim!.Trust);
            if (trust is Trust.Verified) stops.Add(() => persons.Pairs.StopOf(company, left, right));
            if (!persons.Pairs.Say(company, left, right, trust, new(message.Order.UnixMilliseconds, message.EventId), prior.Pairs[i])) continue;
            if (trust is Trust.Verified)
            {
                persons.TouchPair(company, left.Number, right.Number, isNew: prior.Pairs[i].Said.Value is null, message.ReceivedAt);
                continue;
            }

            persons.TouchClaims(company, [left.Number, right.Number]);
            stops.Add(() => new(transaction.Derived.Contradictions.Raise(company, left.Number, right.Number, message.ReceivedAt) ? JoinStop.Contradicted : null));
        }

        return stops;
    }
}
