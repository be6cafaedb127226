using System.Buffers;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>Whether an event holds what a reader looks for. Data is read as JSON, since a sender may escape any letter of it.</summary>
internal static class EventWords
{
    /// <summary>Most words of one search that are looked for.</summary>
    private const int Most = 8;

    /// <summary>The words of a search, folded; null where it has none.</summary>
    public static IReadOnlyList<string>? Of(string? search) =>
        search is not null && Folding.Fold(search).Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words ? words.Distinct(StringComparer.Ordinal).Take(Most).ToArray() : null;

    /// <summary>Whether each word occurs in the type, the id, or a text, number or flag in the data.</summary>
    public static bool Hold(IReadOnlyList<string> words, string type, string eventId, ReadOnlySpan<byte> data)
    {
        var missing = (1 << words.Count) - 1;
        missing &= ~Found(words, type) & ~Found(words, eventId);
        if (missing == 0 || data.IsEmpty) return missing == 0;
        if (Lacks(words, missing, data)) return false;
        var reader = new Utf8JsonReader(data);
        while (missing != 0 && reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String) missing &= ~Found(words, reader.GetString()!);
            else if (reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False) missing &= ~Found(words, Encoding.UTF8.GetString(reader.ValueSpan));
        }

        return missing == 0;
    }

    /// <summary>Most events are told at a glance: plain ASCII without escapes that does not hold a word anywhere holds it in no text.</summary>
    private static bool Lacks(IReadOnlyList<string> words, int missing, ReadOnlySpan<byte> data)
    {
        if (!Ascii.IsValid(data) || data.Contains((byte)'\\')) return false;
        var lower = ArrayPool<char>.Shared.Rent(data.Length);
        try
        {
            Ascii.ToLower(data, lower, out var length);
            for (var i = 0; i < words.Count; i++)
            {
                if ((missing & (1 << i)) != 0 && !lower.AsSpan(0, length).Contains(words[i], StringComparison.Ordinal)) return true;
            }

            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(lower);
        }
    }

    private static int Found(IReadOnlyList<string> words, string text)
    {
        var folded = Folding.Fold(text);
        var found = 0;
        for (var i = 0; i < words.Count; i++)
        {
            if (folded.Contains(words[i], StringComparison.Ordinal)) found |= 1 << i;
        }

        return found;
    }
}
