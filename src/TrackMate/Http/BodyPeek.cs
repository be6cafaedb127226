using System.Text;
using System.Text.Json;

namespace TrackMate.Http;

/// <summary>Reads single ids of a body that is not parsed: one that was refused, was cut, or has not had its turn.</summary>
internal static class BodyPeek
{
    /// <summary>A string member of a body that was refused as a whole, to keep the refusal where its sender looks; null where it cannot be read.</summary>
    public static string? TextOf(ReadOnlySpan<byte> json, Member member)
    {
        var reader = new Utf8JsonReader(json, JsonRules.ReaderOptions);
        try
        {
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var found = reader.ValueTextEquals(MemberNames.Utf8(member));
                reader.Read();
                if (found) return IdIn(ref reader);
                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What comes before it is not JSON, or not text.
        }

        return null;
    }

    /// <summary>The eventIds of the events in a body, as far as it can be read; none where it holds no batch.</summary>
    public static List<string> EventIdsIn(ReadOnlySpan<byte> json)
    {
        var eventIds = new List<string>();
        var reader = new Utf8JsonReader(json, JsonRules.ReaderOptions);
        try
        {
            // Down to the array of events, then each eventId that stands directly in one of them.
            while (reader.Read() && eventIds.Count < Batches.MaxEvents)
            {
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 } || !reader.ValueTextEquals("events"u8)) continue;
                while (reader.Read() && !(reader is { TokenType: JsonTokenType.EndArray, CurrentDepth: 1 }) && eventIds.Count < Batches.MaxEvents)
                {
                    if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 3 } || !reader.ValueTextEquals("eventId"u8)) continue;
                    reader.Read();
                    if (IdIn(ref reader) is { } eventId) eventIds.Add(eventId);
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
                if (IdIn(ref reader) != eventId) continue;
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

    /// <summary>The id that a reader stands on, as text or as a whole number; null where it can be none.</summary>
    private static string? IdIn(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString() is { Length: > 0 and <= WireObject.MaxLength } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null,
        JsonTokenType.Number => reader.ValueSpan.Length <= JsonRules.MaxDigits && WireObject.IsInteger(reader.ValueSpan) ? Encoding.UTF8.GetString(reader.ValueSpan) : null,
        _ => null,
    };
}
