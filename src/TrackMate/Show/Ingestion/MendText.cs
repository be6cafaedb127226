using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>What was refused as a text to mend: whatever it holds comes out as it was sent but for white space, since it may be sent again.</summary>
internal static class MendText
{
    private const string Null = "null";

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    /// <summary>
    /// The body, indented. One event of a batch gets what the batch said for it, so that it can be sent alone. One without an eventId or a timestamp gets them, so
    /// that pressing the button twice stores it once, at the time when it came.
    /// </summary>
    public static string Of(RejectedRow row)
    {
        try
        {
            return Indented(Encoding.UTF8.GetBytes(Alone(row)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, which may be what has to be mended.
            return Encoding.UTF8.GetString(row.Body.Span);
        }
    }

    /// <summary>Takes the indentation out again, by which an event could grow past its limit; what is no JSON stays, so that the answer names its line.</summary>
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
        // By the sender's clock where it told that, since it is corrected by it.
        if (whole.GetValueOrDefault("timestamp", Null) == Null)
            whole["timestamp"] = whole.GetValueOrDefault("sentAt") is { } sentAt && WrittenTime.TryParse(sentAt.Trim('"'), out _) ? sentAt : $"\"{Shown.Time(row.ReceivedAt)}\"";
        return "{" + string.Join(',', whole.Select(member => $"{JsonSerializer.Serialize(member.Key, JsonAnswer.Problems.String)}:{member.Value}")) + "}";
    }

    /// <summary>The members of an object, each value as it was sent; null for anything else, and where one stands twice, which is what has to be mended.</summary>
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

        // Whatever follows the object is what has to be mended.
        return reader.Read() ? null : members;
    }

    /// <summary>Each token as it stands, with other white space between.</summary>
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

    /// <summary>With its quotation marks, and without the colon that a name is read with.</summary>
    private static int TokenLength(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.PropertyName or JsonTokenType.String => reader.ValueSpan.Length + 2,
        JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.EndObject or JsonTokenType.EndArray => 1,
        _ => reader.ValueSpan.Length,
    };
}
