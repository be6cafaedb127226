using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>The text that an identifier is found by, the words of a query, and the grams by which an index finds one with the other.</summary>
public static class SearchText
{
    /// <summary>Longest text that is searched, in characters: a longer name is found by its beginning.</summary>
    private const int MaxLength = 600;

    /// <summary>Words of a query that are looked at.</summary>
    private const int MaxWords = 16;

    /// <summary>What people type in one go, such as a name: three characters are searched by an index. Of scripts whose characters are syllables or words, two are.</summary>
    private const int GramLength = 3;

    /// <param name="value">The identifier as it is compared.</param>
    /// <param name="name">The name of its person, as it was sent.</param>
    public static string Of(string value, string? name)
    {
        var folded = Folding.Fold(name is null ? value : $"{value} {(name.Length > MaxLength ? name[..MaxLength] : name)}");
        return folded.Length > MaxLength ? folded[..MaxLength] : folded;
    }

    /// <summary>The name in the trait <c>name</c>; null where it is no text.</summary>
    public static string? NameIn(string json) => JsonElement.Parse(json) is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;

    /// <summary>The words of a query, folded. A word that is part of another one adds nothing and is left out.</summary>
    public static IReadOnlyList<string> WordsOf(string query)
    {
        var words = Folding.Fold(query.Length > MaxLength ? query[..MaxLength] : query).Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Take(MaxWords).ToList();
        return [.. words.Where(word => !words.Exists(other => other.Length > word.Length && other.Contains(word, StringComparison.Ordinal)))];
    }

    public static bool HasAll(string text, IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (!text.Contains(words[i], StringComparison.Ordinal)) return false;
        }

        return true;
    }

    /// <summary>The grams of a folded text, as hashes: two grams of one hash only cost a look at a text that does not match.</summary>
    public static HashSet<uint> GramsOf(string text)
    {
        var grams = new HashSet<uint>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == ' ') continue;
            if (i + 1 < text.Length && IsSyllable(text[i]) && IsSyllable(text[i + 1])) grams.Add(Hash(text[i], text[i + 1], '\0'));
            if (i + GramLength <= text.Length && text[i + 1] != ' ' && text[i + 2] != ' ') grams.Add(Hash(text[i], text[i + 1], text[i + 2]));
        }

        return grams;
    }

    /// <summary>Han, Kana, Hangul and their like: names of two characters are usual there.</summary>
    private static bool IsSyllable(char c) => c is >= '\u2E80' and <= '\uD7A3';

    private static uint Hash(char one, char two, char three)
    {
        unchecked
        {
            var hash = ((((one * 0x9E3779B1u) ^ two) * 0x85EBCA6Bu) ^ three) * 0xC2B2AE35u;
            return hash ^ (hash >> 15);
        }
    }
}
