using System.Text.Encodings.Web;
using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>The traits that an identify says: when it is received, and when what follows from it is derived anew.</summary>
public static class SaidTraits
{
    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="said">UTF-8 JSON of the whole message, as it was sent; empty says nothing.</param>
    public static IReadOnlyList<Trait> Of(ReadOnlySpan<byte> said)
    {
        var traits = new List<Trait>();
        if (said.IsEmpty) return traits;
        var message = JsonElement.Parse(said);
        if (message.TryGetProperty("traits", out var given) && given.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in given.EnumerateObject()) traits.Add(new(member.Name, member.Value.GetRawText()));
        }

        // A name of its own wins over one among the traits.
        if (message.TryGetProperty("name", out var name) && name.ValueKind is JsonValueKind.String && name.GetString() is { Length: > 0 } text)
        {
            traits.RemoveAll(trait => trait.Name == "name");
            traits.Add(new("name", Quoted(text)));
        }

        return traits;
    }

    private static string Quoted(string text)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Written)) writer.WriteStringValue(text);
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
