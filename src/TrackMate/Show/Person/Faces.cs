using System.Globalization;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>The names, lines and initials by which pages show a person.</summary>
internal static class Faces
{
    private const int MaxName = 200;

    public static string NameOf(ProfileDocument profile) =>
        Shortened(string.IsNullOrWhiteSpace(profile.Name) ? profile.Email ?? (profile.Identifiers is [var first, ..] ? first.Value : profile.Id) : profile.Name.Trim(), profile.Id);

    public static string Shortened(string? name, Person person) =>
        Shortened(string.IsNullOrWhiteSpace(name) ? person.Email ?? person.Identifiers[0].Identifier.Value : name.Trim(), person.Id.ToString());

    private static string Shortened(string name, string id) =>
        name.Length <= MaxName ? name : StringInfo.GetNextTextElement(name) is { Length: > MaxName } ? id : name[..(MaxName - 1)] + "…";

    /// <summary>The person's other identifiers. The identifier for which the name was sent comes first, so that after a merge a name does not stand beside somebody else's e-mail.</summary>
    public static string LineOf(ProfileDocument profile, string name, int most = 2) =>
        string.Join(", ", IdentifiersOf(profile).Select(identifier => identifier.Value).Where(value => value != name).Take(most)) is { Length: > 0 } line ? line : profile.Id;

    private static IEnumerable<IdentifierDocument> IdentifiersOf(ProfileDocument profile) =>
        profile.NamedBy is { } named ? profile.Identifiers.OrderByDescending(identifier => identifier.Id == named.Id) : profile.Identifiers;

    /// <summary>Up to two initials, as whole visible characters.</summary>
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
