namespace TrackMate.Bind;

/// <summary>A message as it was accepted: valid by construction, its eventId and its time fixed (B9). Binding reads nothing else.</summary>
public abstract record Message
{
    public required Company Company { get; init; }

    public required string EventId { get; init; }

    public required EventOrder Order { get; init; }

    /// <summary>Unix milliseconds of our own clock.</summary>
    public required long ReceivedAt { get; init; }

    public string? SessionId { get; init; }

    /// <summary>The person as the sender named it, in the order userId, email, externalId (B4).</summary>
    public IReadOnlyList<Identifier> Named { get; init; } = [];

    /// <summary>The member of <see cref="Named"/> that a session goes to when this message claims it: the e-mail, else the externalId, else the userId. Only where someone is named.</summary>
    public Identifier SessionGoesTo =>
        Named.FirstOrDefault(identifier => identifier.Kind is IdentifierKind.Email) ?? Named.FirstOrDefault(identifier => identifier.Kind is IdentifierKind.External) ?? Named[0];
}

/// <summary>One thing that happened.</summary>
public sealed record TrackedEvent : Message
{
    public required string Type { get; init; }

    /// <summary>UTF-8 JSON of an object, as it was sent; never changed.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>UTF-8 JSON of an object, as it was sent; empty if none was.</summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    /// <summary>What the User-Agent header said, for browsers.</summary>
    public Agent? Agent { get; init; }
}

/// <summary>What binding reads out of a browser's event: it belongs to its session, and says nothing about persons (B2).</summary>
/// <param name="IsBot">A bot sent it: it is stored, and counted apart (B16).</param>
/// <param name="Day">The UTC day of the visit; null for a bot's, which is no visit.</param>
public readonly record struct EventDecision(bool IsBot, long? Day)
{
    public static EventDecision Of(TrackedEvent tracked)
    {
        var isBot = tracked.Agent?.Bot ?? false;
        return new(isBot, isBot ? null : UtcDay.Of(tracked.Order.UnixMilliseconds));
    }
}

/// <summary>"This session is this person": it has a session, and names an e-mail, an externalId or both.</summary>
public sealed record Identify : Message
{
    public required Trust Trust { get; init; }

    /// <summary>Why no valid token stands behind it, where its company observes that.</summary>
    public TokenFault? WithoutToken { get; init; }

    public IReadOnlyList<Trait> Traits { get; init; } = [];

    /// <summary>UTF-8 JSON of the whole message, as it was sent but for its token, which is nobody's to read again.</summary>
    public ReadOnlyMemory<byte> Said { get; init; }
}

/// <param name="Name">The trait's name; a person's name is the trait <c>name</c>.</param>
/// <param name="Json">Its value as JSON text, as it was sent.</param>
public sealed record Trait(string Name, string Json);

/// <summary>All that is kept of a User-Agent (B16).</summary>
public sealed record Agent(string Browser, string System, string Device, bool Bot);

/// <summary>What became of one message, once it is in a committed, fsynced transaction.</summary>
/// <param name="Duplicate">Its eventId had been stored before; nothing changed (B10).</param>
/// <param name="Reused">The stored message of that eventId says something else.</param>
/// <param name="UnknownUserId">It named a userId that no identifier has turned up for yet (B4).</param>
/// <param name="MoneyUnreadable">Its type pays or refunds, but no amount or currency can be made out; it is kept and earns nothing.</param>
/// <param name="JoinsStopped">It named several identifiers that do not become one person, and why (B13).</param>
/// <param name="ProfileId">Whose timeline it is on; null while its session is nobody's (B6).</param>
/// <param name="ServerSessionId">Of a server's event: the session that holds it now (B7).</param>
/// <param name="Suppressed">It named somebody who was erased and is to stay away: nothing of it was kept but that it came.</param>
public sealed record Receipt(
    bool Duplicate,
    bool Reused = false,
    bool UnknownUserId = false,
    bool MoneyUnreadable = false,
    IReadOnlyList<JoinStop>? JoinsStopped = null,
    ProfileId? ProfileId = null,
    string? ServerSessionId = null,
    bool Suppressed = false);
