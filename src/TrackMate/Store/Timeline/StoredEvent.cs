using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

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
    SourceOfEvents? Source)
{
    internal static StoredEvent Of(MessageRow row, SourceOfEvents? source) =>
        new(row.Number, row.EventId, row.Order, row.ReceivedAt, row.Type!, row.Data, row.Context, row.Agent, row.Session, row.NamedAs, source);
}

/// <summary>Where events of a person lie: a span of a session, or an identifier that webhooks named.</summary>
/// <param name="Session">Of a span: the session's number.</param>
/// <param name="Claim">Of a span: the claim that opened it.</param>
public sealed record SourceOfEvents(long Identifier, long? Session, long From, long To, long? Claim, Trust Trust)
{
    public bool Holds(long unixMilliseconds) => From <= unixMilliseconds && unixMilliseconds < To;
}
