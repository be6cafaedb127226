using TrackMate.Bind;
using TrackMate.Store.Derive;

namespace TrackMate.Store.Ingest;

/// <summary>Writes who a message says that somebody is: the identifiers it names, the claim on its session, and that several identifiers are one person.</summary>
internal sealed class ClaimWriter(WriteTransaction transaction, Prefetcher prefetcher)
{
    private readonly SessionClaims claims = transaction.Derived.Claims;
    private readonly PersonRows persons = transaction.Derived.Persons;

    public void StoreNames(Message message, Company company, InternedId[] identifiers, Trust trust)
    {
        for (var i = 0; i < identifiers.Length; i++)
        {
            var news = transaction.Names.Store(message.Company, message.Named[i], identifiers[i], message.Order.UnixMilliseconds, trust, asked: message is Identify);
            // What a bare id is the id of may decide joins anew, and so may that a back end knows an identifier.
            if (news.HasFlag(NameNews.Kind)) persons.TouchKind(company, identifiers[i].Number);
            else if (news.HasFlag(NameNews.Verified)) persons.TouchVerified(company, identifiers[i].Number);
        }
    }

    /// <summary>A back end names a session and an identifier, or identifiers alone.</summary>
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

    /// <summary>A browser says who its session is.</summary>
    /// <returns>Whether it counts.</returns>
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
        // What others have said of other sessions stands or falls by it.
        if (added.Changed.Count > 0) prefetcher.Forget();
        return added;
    }

    /// <summary>Several identifiers in one message say that they are one person (B4, B13).</summary>
    /// <returns>What is to be asked once joins are derived: of what a server said, why it does not join; of what a browser says for the first time, whether it is contradicted.</returns>
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
