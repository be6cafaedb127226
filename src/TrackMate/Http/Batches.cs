using System.Text;
using System.Text.Json;

namespace TrackMate.Http;

/// <summary>What the batches of browsers and of back ends share: one bad event refuses itself only.</summary>
internal static class Batches
{
    /// <summary>Events in one batch.</summary>
    public const int MaxEvents = 500;

    /// <summary>Bytes of one event, as JSON.</summary>
    public const int MaxEventBytes = 32 * 1024;

    /// <summary>Bytes of what is kept of a batch's context beside each refused event of it.</summary>
    private const int MaxEnvelopeMember = 4 * 1024;

    /// <exception cref="RejectionException">The element is too large or not a valid object.</exception>
    public static WireObject Read(ReadOnlyMemory<byte> json, int index) =>
        json.Length > MaxEventBytes ? throw TooLarge($"events[{index}]") : WireObject.Read(json, new(index, null, null));

    public static RejectionException TooLarge(string what) => new(Reason.TooLarge, $"{what} is larger than {MaxEventBytes / 1024} KiB; send less in eventData.");

    /// <summary>What a browser's batch says for all of its events, as a JSON object: with it, one of them can be sent alone.</summary>
    public static string EnvelopeOf(WireObject wire)
    {
        var members = new[] { Member.CompanyId, Member.SessionId, Member.SentAt, Member.Context }.Where(member => wire.Raw(member).Length is > 0 and <= MaxEnvelopeMember);
        return "{" + string.Join(',', members.Select(member => $"\"{wire.PathOf(member)}\":{Encoding.UTF8.GetString(wire.Raw(member).Span)}")) + "}";
    }

    /// <summary>The eventIds of the events in a body, as far as it can be read; none where it holds no batch.</summary>
    public static List<string> EventIdsIn(ReadOnlySpan<byte> json)
    {
        var eventIds = new List<string>();
        var reader = new Utf8JsonReader(json, JsonRules.ReaderOptions);
        try
        {
            // Down to the array of events, then each eventId that stands directly in one of them.
            while (reader.Read() && eventIds.Count < MaxEvents)
            {
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 } || !reader.ValueTextEquals("events"u8)) continue;
                while (reader.Read() && !(reader is { TokenType: JsonTokenType.EndArray, CurrentDepth: 1 }) && eventIds.Count < MaxEvents)
                {
                    if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 3 } || !reader.ValueTextEquals("eventId"u8)) continue;
                    reader.Read();
                    if (WireObject.IdIn(ref reader) is { } eventId) eventIds.Add(eventId);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What comes before it was read.
        }

        return eventIds;
    }

    /// <summary>The event of an eventId as it stands in a batch's body; null where it cannot be read, or lies beyond what was kept.</summary>
    public static ReadOnlyMemory<byte>? EventIn(ReadOnlyMemory<byte> json, string eventId)
    {
        var reader = new Utf8JsonReader(json.Span, isFinalBlock: true, new(JsonRules.ReaderOptions));
        try
        {
            for (var start = 0L; reader.Read();)
            {
                if (reader is { TokenType: JsonTokenType.StartObject, CurrentDepth: 2 }) start = reader.TokenStartIndex;
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 3 } || !reader.ValueTextEquals("eventId"u8)) continue;
                reader.Read();
                if (WireObject.IdIn(ref reader) != eventId) continue;
                while (reader.CurrentDepth > 2 || reader.TokenType is not JsonTokenType.EndObject) reader.Read();
                return json[(int)start..(int)reader.BytesConsumed];
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Cut before its end, or never whole.
        }

        return null;
    }

    /// <summary>The sender's eventId, to name a refused event by; null where that too is wrong.</summary>
    public static string? EventIdOf(WireObject wire)
    {
        try
        {
            return wire.TextOrInteger(Member.EventId);
        }
        catch (RejectionException)
        {
            return null;
        }
    }
}
