using System.Globalization;

namespace TrackMate.Show;

/// <summary>What to call a person on a page.</summary>
internal static class Faces
{
    private const int MaxName = 200;

    public static string NameOf(ProfileDocument profile)
    {
        var name = string.IsNullOrWhiteSpace(profile.Name) ? profile.Email ?? (profile.Identifiers is [var first, ..] ? first.Value : profile.Id) : profile.Name.Trim();
        return name.Length <= MaxName ? name : StringInfo.GetNextTextElement(name) is { Length: > MaxName } ? profile.Id : name[..(MaxName - 1)] + "…";
    }

    /// <summary>Up to two first letters, whole characters as people see them.</summary>
    public static string InitialsOf(string name)
    {
        var words = name.Split('@')[0].Split([' ', '.', '-', '_'], StringSplitOptions.RemoveEmptyEntries);
        var letters = words.Select(word => StringInfo.GetNextTextElement(word)).Where(letter => letter.Length <= 8).ToList();
        return letters.Count switch
        {
            0 => "?",
            1 => letters[0].ToUpperInvariant(),
            _ => (letters[0] + letters[^1]).ToUpperInvariant(),
        };
    }
}
