using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>A person as the store holds it: a connected set of identifiers, known by the id of the one that stands for all (B9).</summary>
/// <param name="Id">The canonical id: that of the e-mail first named earliest, else of the externalId.</param>
/// <param name="Identifiers">All of them, the canonical first.</param>
public sealed record Person(Company Company, ProfileId Id, IReadOnlyList<KnownIdentifier> Identifiers)
{
    public string? Email => Identifiers.FirstOrDefault(identifier => identifier.Identifier.Kind is IdentifierKind.Email)?.Identifier.Value;

    /// <summary>Unix milliseconds of the earliest message that named it by e-mail or externalId; 0 where none has.</summary>
    public long CreatedAt => Identifiers.Min(identifier => identifier.FirstNamed) ?? 0;
}

/// <summary>Where a person stands among those of its company by when they were created: where the first of its identifiers does.</summary>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="Number">The store's own number of the identifier.</param>
public readonly record struct PersonPlace(long CreatedAt, long Number);

/// <param name="Number">The store's own number.</param>
/// <param name="FirstNamed">Unix milliseconds of the earliest message that named it; null for a bare id.</param>
public sealed record KnownIdentifier(long Number, Identifier Identifier, long? FirstNamed);

/// <summary>An event as it is read: what was sent, and what binds it now.</summary>
/// <param name="Source">The span or identifier through which its owner has it; null while it is nobody's.</param>
public sealed record StoredEvent(
    long Number,
    string EventId,
    EventOrder Order,
    long ReceivedAt,
    string Type,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Context,
    Agent? Agent,
    long? Session,
    IdentifierKind? NamedAs,
    SourceOfEvents? Source);

/// <summary>Where events of a person lie: a span of a session, or an identifier that webhooks named.</summary>
/// <param name="Session">Of a span: the session's number.</param>
/// <param name="Claim">Of a span: the claim that opened it.</param>
public sealed record SourceOfEvents(long Identifier, long? Session, long From, long To, long? Claim, Trust Trust)
{
    public bool Holds(long unixMilliseconds) => From <= unixMilliseconds && unixMilliseconds < To;
}

/// <summary>The claim that a binding rests on, as a chain shows it.</summary>
public sealed record ShownClaim(Origin Origin, ClaimMethod Method, Trust Trust, long UnixMilliseconds, string EventId, string? SessionId);

/// <summary>What a profile page counts (Totals of a profile).</summary>
/// <param name="FirstSeen">Unix milliseconds; null for a person with no event.</param>
/// <param name="Revenue">Payments less refunds by currency, exact.</param>
public sealed record Totals(
    long ClientEvents,
    long ServerEvents,
    long BotEvents,
    long ClientSessions,
    long ServerSessions,
    long? FirstSeen,
    long? LastActive,
    IReadOnlyList<(string Currency, decimal Amount)> Revenue,
    int Payments,
    int Refunds,
    long? VerifiedFirst = null,
    long? VerifiedLast = null)
{
    public long Events => ClientEvents + ServerEvents;
}

/// <summary>The derived <c>user_registered</c> of a person (B3): the earliest identify, in its session, whoever the session went to.</summary>
public sealed record Registration(ProfileId Person, long Identifier, long Session, long UnixMilliseconds, long ReceivedAt, long Claim, Trust Trust)
{
    public const string EventType = "user_registered";

    public string EventId => "reg_" + Person;

    public EventOrder Order => EventOrder.Of(UnixMilliseconds, Origin.Browser);

    public SourceOfEvents Source => new(Identifier, Session, long.MinValue, long.MaxValue, Claim, Trust);
}

/// <summary>Which events of a timeline are asked for.</summary>
/// <param name="From">Unix milliseconds, inclusive.</param>
/// <param name="To">Unix milliseconds, exclusive.</param>
/// <param name="Session">Only events of this session, by the store's number.</param>
/// <param name="Words">Folded words that must all occur in the event's type, id or data.</param>
public sealed record TimelineFilter(
    Origin? Origin = null, string? EventType = null, long From = long.MinValue, long To = long.MaxValue, long? Session = null, IReadOnlyList<string>? Words = null);

/// <summary>A page of a timeline.</summary>
/// <param name="Next">Where the next page begins; null at the end.</param>
/// <param name="IsCut">Whether the reader stopped because it had looked at enough events: the page may be short, and the next one may hold more.</param>
public sealed record EventPage(IReadOnlyList<StoredEvent> Events, EventCursor? Next, bool IsCut);

/// <summary>The last event of a page; the next page begins after it, whatever arrives meanwhile.</summary>
public sealed record EventCursor(EventOrder Order, string EventId);
