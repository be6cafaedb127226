using TrackMate.Bind;
using TrackMate.Http;

namespace TrackMate.Receive;

/// <summary>What a request says once for all its messages: who sends, when we got it, and how far the sender's clock is off (B14).</summary>
/// <param name="SentAt">The sender's clock at sending, unix milliseconds.</param>
internal sealed record Envelope(Company Company, Origin Origin, long ReceivedAt, long? SentAt, string? SessionId, ReadOnlyMemory<byte> Context, Agent? Agent);

/// <summary>Objects of the wire in, accepted messages out: every rule of a message's fields stands here.</summary>
internal static class MessageReader
{
    /// <summary>2000-01-01, unix milliseconds.</summary>
    public const long Earliest = 946_684_800_000;

    /// <summary>Of times that are our own: 2200-01-01, unix milliseconds.</summary>
    public const long Latest = 7_258_118_400_000;

    /// <summary>So far ahead of ours may a sender's clock be.</summary>
    public const long FutureMilliseconds = 24 * 3_600_000;

    private const long ClockToleranceMilliseconds = 60_000;
    private const int MaxTraitLength = 2048;
    private const int MaxNameLength = 500;

    /// <summary>Reads one event.</summary>
    /// <param name="index">Its index in the batch; 0 for a single one.</param>
    /// <exception cref="RejectionException">What has to be mended.</exception>
    public static TrackedEvent Event(WireObject wire, Envelope envelope, int index, IReadOnlyList<Identifier> named, string? sessionId)
    {
        var type = wire.RequiredText(Member.EventType);
        var data = wire.Object(Member.EventData);
        var context = wire.Object(Member.Context);
        return new()
        {
            Company = envelope.Company,
            EventId = EventIdOf(wire, envelope),
            Order = OrderOf(wire, envelope, index),
            ReceivedAt = envelope.ReceivedAt,
            SessionId = sessionId,
            Named = named,
            Type = type,
            Data = data.IsEmpty ? "{}"u8.ToArray() : data,
            Context = context.IsEmpty ? envelope.Context : context,
            Agent = envelope.Agent,
        };
    }

    /// <summary>Reads an identify.</summary>
    /// <exception cref="RejectionException">What has to be mended, such as that it names nobody.</exception>
    public static Identify Identify(WireObject wire, Envelope envelope)
    {
        List<Identifier> named = [];
        if (EmailOf(wire, envelope.Company) is { } email) named.Add(email);
        if (ExternalIdOf(wire, envelope.Company) is { } external) named.Add(external);
        if (named.Count == 0) throw NamesNobody("email or externalId", wire.PathOf(Member.Email));

        return new()
        {
            Company = envelope.Company,
            EventId = EventIdOf(wire, envelope),
            Order = OrderOf(wire, envelope, index: 0),
            ReceivedAt = envelope.ReceivedAt,
            SessionId = envelope.SessionId,
            Named = named,
            Trust = Trust.Claimed,
            Traits = TraitsOf(wire),
            Said = wire.JsonWithout(Member.Token),
        };
    }

    /// <summary>Reads a webhook's identifier: the person in the order userId, email, externalId (B4), and the session.</summary>
    /// <exception cref="RejectionException">No identifier is left once placeholders are taken out, or one is malformed.</exception>
    public static (IReadOnlyList<Identifier> Named, string? SessionId) IdentifierOf(WireObject wire, Company company, FieldPath path)
    {
        var json = wire.Object(Member.Identifier);
        if (json.IsEmpty) throw new RejectionException(Reason.MissingField, $"{wire.PathOf(Member.Identifier)} is missing; name the person by email, sessionId, userId or externalId.", wire.PathOf(Member.Identifier).ToString());

        var identifier = WireObject.Read(json, path.Of("identifier"));
        List<Identifier> named = [];
        if (Given(identifier.AnyText(Member.UserId), company) is { } userId)
        {
            if (!ProfileId.TryParse(userId.Trim(), out var id))
                throw new RejectionException(Reason.BadValue, $"{identifier.PathOf(Member.UserId)} is not a profile's id; send its 24 hex digits, or your own id as externalId.", identifier.PathOf(Member.UserId).ToString());
            named.Add(Identifier.Bare(id));
        }

        if (EmailOf(identifier, company) is { } email) named.Add(email);
        if (ExternalIdOf(identifier, company) is { } external) named.Add(external);
        var sessionId = Given(identifier.AnyText(Member.SessionId), company) is null ? null : identifier.Text(Member.SessionId);
        if (named.Count == 0 && sessionId is null) throw NamesNobody("email, sessionId, userId or externalId", wire.PathOf(Member.Identifier));
        return (named, sessionId);
    }

    /// <summary>A browser's session, which every one of its messages has.</summary>
    public static string SessionIdOf(WireObject wire, Company company)
    {
        var sessionId = wire.RequiredText(Member.SessionId);
        return Given(sessionId, company)
            ?? throw new RejectionException(Reason.NoIdentifier, $"{wire.PathOf(Member.SessionId)} is a placeholder value that different visitors would share. Send the browser's own session id.", wire.PathOf(Member.SessionId).ToString());
    }

    private static Identifier? EmailOf(WireObject wire, Company company)
    {
        if (Given(wire.AnyText(Member.Email), company) is not { } text) return null;
        return EmailAddress.TryNormalize(text, out var normalized)
            ? Identifier.Email(company, normalized)
            : throw new RejectionException(Reason.BadValue, $"{wire.PathOf(Member.Email)} is not an e-mail address; send one with a single @ and at most {EmailAddress.MaxLength} characters.", wire.PathOf(Member.Email).ToString());
    }

    private static Identifier? ExternalIdOf(WireObject wire, Company company) =>
        wire.Has(Member.ExternalId) && !(wire.IsText(Member.ExternalId) && Given(wire.AnyText(Member.ExternalId), company) is null)
            && Given(wire.TextOrInteger(Member.ExternalId), company) is { } text
            ? Identifier.External(company, text)
            : null;

    private static string? Given(string? value, Company company) => value is null || Placeholders.IsPlaceholder(value, company.Settings) ? null : value;

    private static RejectionException NamesNobody(string what, FieldPath field) =>
        new(Reason.NoIdentifier, $"{field} identifies nobody: send {what}. Values such as null, undefined or guest are treated as missing.", field.WireName);

    private static string EventIdOf(WireObject wire, Envelope envelope)
    {
        var eventId = wire.TextOrInteger(Member.EventId) ?? NewEventId(envelope);
        return envelope.Origin is Origin.Browser && eventId.StartsWith("reg_", StringComparison.Ordinal) && ProfileId.TryParse(eventId[4..], out _)
            ? throw new RejectionException(Reason.BadValue, $"{wire.PathOf(Member.EventId)} is reserved by TrackMate (reg_ and a profile id). Use another id.", wire.PathOf(Member.EventId).ToString())
            : eventId;
    }

    private static string NewEventId(Envelope envelope) => GivenEventIds.New(envelope.ReceivedAt);

    /// <summary>A message's place in time: its own, corrected for a clock that is off, else ours in the order of the array (B14).</summary>
    private static EventOrder OrderOf(WireObject wire, Envelope envelope, int index)
    {
        if (wire.Time(Member.Timestamp) is not { } given) return EventOrder.Of(envelope.ReceivedAt, envelope.Origin, index);

        var offset = envelope.SentAt is { } sentAt ? envelope.ReceivedAt - sentAt : 0;
        var time = Math.Abs(offset) <= ClockToleranceMilliseconds ? given : given + offset;
        if (time < Earliest || time > envelope.ReceivedAt + FutureMilliseconds)
            throw new RejectionException(Reason.TimeOutOfRange, $"{wire.PathOf(Member.Timestamp)} is before the year 2000 or more than 24 hours ahead of the server's clock.", wire.PathOf(Member.Timestamp).ToString());
        return EventOrder.Of(time, envelope.Origin);
    }

    private static IReadOnlyList<Trait> TraitsOf(WireObject wire)
    {
        _ = wire.Object(Member.Traits);
        var name = wire.AnyText(Member.Name);
        if (name is { Length: > MaxNameLength }) throw new RejectionException(Reason.BadValue, $"name is longer than {MaxNameLength} characters.", "name");
        var traits = SaidTraits.Of(wire.Json.Span);
        return traits.Any(trait => trait.Json.Length > MaxTraitLength && !(trait.Name == "name" && name is { Length: > 0 }))
            ? throw new RejectionException(Reason.BadValue, $"One of the traits is longer than {MaxTraitLength} characters. Traits are short facts about a person; send longer data as an event.", "traits")
            : traits;
    }
}
