namespace TrackMate.Bind;

/// <summary>What a message says about persons.</summary>
/// <param name="Claim">Whose a session is, or which identifiers belong together; its number is 0 until it is stored. Null where the message says neither.</param>
/// <param name="Pairs">Identifiers that the message says are one person, as indexes into <see cref="Message.Named"/> (B4, B13).</param>
public abstract record PersonDecision(Claim? Claim, IReadOnlyList<(int Left, int Right)> Pairs)
{
    /// <param name="identifiers">The store's numbers of what the message names, in its order.</param>
    private protected static Claim ClaimOf(Message message, ClaimMethod method, Trust trust, IReadOnlyList<long> identifiers)
    {
        // A userId that is the id of the externalId beside it is among the others twice, so that what was named can be told from the claim.
        var goesTo = message.SessionGoesTo;
        var first = identifiers[message.Named.TakeWhile(identifier => !ReferenceEquals(identifier, goesTo)).Count()];
        return new(0, method, trust, message.Order.UnixMilliseconds, message.EventId, [first, .. identifiers.Where(number => number != first)], goesTo.Kind);
    }

    /// <summary>Each identifier with the one named before it; a userId and the identifier whose id it is are one and make no pair.</summary>
    private protected static IReadOnlyList<(int Left, int Right)> PairsOf(IReadOnlyList<long> identifiers) =>
        identifiers.Count < 2 ? [] : [.. Enumerable.Range(1, identifiers.Count - 1).Where(i => identifiers[i - 1] != identifiers[i]).Select(i => (i - 1, i))];
}

/// <summary>What binding reads out of an identify: a claim on its session, always.</summary>
public sealed record IdentifyDecision(Claim Claim, IReadOnlyList<(int Left, int Right)> Pairs) : PersonDecision(Claim, Pairs)
{
    public new Claim Claim { get; } = Claim;

    /// <inheritdoc cref="PersonDecision.ClaimOf"/>
    public static IdentifyDecision Of(Identify identify, IReadOnlyList<long> identifiers) =>
        new(ClaimOf(identify, ClaimMethod.Identify, identify.Trust, identifiers), PairsOf(identifiers));
}

/// <summary>What binding reads out of a back end's event (B4): it belongs to the first identifier it names, else to its session.</summary>
/// <param name="Session">The store's number of the session that the event belongs to; null where it names somebody.</param>
/// <param name="Identifier">The store's number of the identifier that it belongs to; null where it names nobody.</param>
/// <param name="MoneyUnreadable">Its type pays or refunds, but no amount or currency can be read from it.</param>
public sealed record WebhookDecision(long? Session, long? Identifier, Claim? Claim, IReadOnlyList<(int Left, int Right)> Pairs, Money? Money, bool MoneyUnreadable) : PersonDecision(Claim, Pairs)
{
    /// <param name="session">The store's number of the session that the event names; null where it names none.</param>
    /// <inheritdoc cref="PersonDecision.ClaimOf"/>
    public static WebhookDecision Of(TrackedEvent tracked, long? session, IReadOnlyList<long> identifiers, CompanySettings settings)
    {
        var claim = identifiers.Count > 1 || (identifiers.Count == 1 && session is not null) ? ClaimOf(tracked, ClaimMethod.Webhook, Trust.Verified, identifiers) : null;
        var money = Money.Read(settings, tracked.Type, tracked.Data, out var unreadable);
        return identifiers.Count == 0
            ? new(session, null, claim, [], money, unreadable)
            : new(null, identifiers[0], claim, PairsOf(identifiers), money, unreadable);
    }
}
