using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>The text of a rejected message for fixing. Except for white space it is exactly what was sent, since it may be sent again.</summary>
internal static class MendText
{
    private const string Null = "null";

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    /// <summary>
    /// The body, indented. One event of a batch gets the fields of its batch, so that it can be sent alone. A missing eventId or timestamp is added, so that pressing the
    /// button twice stores the message once, with the time at which it was received.
    /// </summary>
    public static string Of(RejectedRow row)
    {
        try
        {
            return Indented(Encoding.UTF8.GetBytes(Alone(row)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON; that may be the fault to fix.
            return Encoding.UTF8.GetString(row.Body.Span);
        }
    }

    /// <summary>Removes the indentation, which could make an event exceed its size limit. A text that is not JSON stays as it is, so that the error names the right line.</summary>
    public static string ToSend(string text)
    {
        try
        {
            return Written(Encoding.UTF8.GetBytes(text), indent: false);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }
    }

    private static string Indented(byte[] json) => Written(json, indent: true);

    private static string Alone(RejectedRow row)
    {
        var text = Encoding.UTF8.GetString(row.Body.Span);
        if (Members(text) is not { } members || members.ContainsKey("events")) return text;
        var envelope = row.Envelope is null ? null : Members(row.Envelope);
        var whole = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in envelope ?? []) whole[name] = value;
        foreach (var (name, value) in members) whole[name] = value;
        if (whole.GetValueOrDefault("eventId", Null) == Null) whole["eventId"] = $"\"{GivenEventIds.New(row.ReceivedAt)}\"";
        // The sender's sentAt if given, since the timestamp is corrected by it.
        if (whole.GetValueOrDefault("timestamp", Null) == Null)
            whole["timestamp"] = whole.GetValueOrDefault("sentAt") is { } sentAt && WrittenTime.TryParse(sentAt.Trim('"'), out _) ? sentAt : $"\"{Shown.Time(row.ReceivedAt)}\"";
        return "{" + string.Join(',', whole.Select(member => $"{JsonSerializer.Serialize(member.Key, JsonAnswer.Problems.String)}:{member.Value}")) + "}";
    }

    /// <summary>The members of an object, each value exactly as it was sent. Null for anything else, and for a duplicate member, since that is the fault to fix.</summary>
    private static OrderedDictionary<string, string>? Members(string json)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(utf8, Options);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject) return null;
        var members = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!members.TryAdd(name, Encoding.UTF8.GetString(utf8.AsSpan(start, (int)reader.BytesConsumed - start)))) return null;
        }

        // Text after the object is the fault to fix.
        return reader.Read() ? null : members;
    }

    /// <summary>Each token exactly as it was sent, with new white space between the tokens.</summary>
    private static string Written(byte[] json, bool indent)
    {
        var text = new StringBuilder();
        var reader = new Utf8JsonReader(json, Options);
        var last = JsonTokenType.None;
        while (reader.Read())
        {
            var type = reader.TokenType;
            var ends = type is JsonTokenType.EndObject or JsonTokenType.EndArray;
            var begins = last is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (!ends && !begins && last is not (JsonTokenType.None or JsonTokenType.PropertyName)) text.Append(',');
            if (indent && last is not (JsonTokenType.None or JsonTokenType.PropertyName) && !(ends && begins)) text.Append('\n').Append(' ', 2 * reader.CurrentDepth);
            text.Append(Encoding.UTF8.GetString(json.AsSpan((int)reader.TokenStartIndex, TokenLength(ref reader))));
            if (type is JsonTokenType.PropertyName) text.Append(indent ? ": " : ":");
            last = type;
        }

        return text.ToString();
    }

    /// <summary>The length with quotation marks, and without the colon after a name.</summary>
    private static int TokenLength(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.PropertyName or JsonTokenType.String => reader.ValueSpan.Length + 2,
        JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.EndObject or JsonTokenType.EndArray => 1,
        _ => reader.ValueSpan.Length,
    };
}
