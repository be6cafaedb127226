using System.Text;
using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>Why two identifiers look like one person's. The numbers are stored.</summary>
public enum LikenessKind
{
    /// <summary>Two spellings of one mailbox: mail to either arrives in the same place.</summary>
    Mailbox = 1,

    /// <summary>External ids that differ in case, accents or blanks only.</summary>
    ExternalId = 2,

    /// <summary>One name, and e-mails that are the same up to the @, dots and tags apart.</summary>
    NameAndMailbox = 3,

    /// <summary>One name, and one phone number, birthday or postal address.</summary>
    NameAndTrait = 4,
}

/// <summary>What an identifier is compared by with others that may be the same person's: those that share a text are alike.</summary>
public readonly record struct Likeness(LikenessKind Kind, string Text)
{
    private const int LeastPhoneDigits = 7;
    private const int MaxLength = 300;

    /// <summary>Traits beside the name that tell two people of one name apart, by what they are.</summary>
    private static readonly (string What, string[] Names)[] Telling =
    [
        ("phone", ["phone", "phoneNumber", "phone_number", "mobile"]),
        ("birthday", ["birthday", "birthdate", "birth_date", "dateOfBirth", "date_of_birth"]),
        ("postal", ["postalCode", "postal_code", "postcode", "zip"]),
        ("address", ["address", "street"]),
    ];

    /// <summary>The traits that an identifier's likenesses rest on, besides its name.</summary>
    public static IReadOnlyList<string> TraitNames { get; } = [.. Telling.SelectMany(telling => telling.Names)];

    /// <param name="identifier">In its compared form.</param>
    /// <param name="traits">Names and values (JSON) of <see cref="TraitNames"/>, and <c>name</c>.</param>
    public static IReadOnlyCollection<Likeness> Of(IdentifierKind kind, string identifier, IReadOnlyDictionary<string, string> traits)
    {
        var alike = new HashSet<Likeness>();
        var email = kind is IdentifierKind.Email ? identifier : kind is IdentifierKind.External && EmailAddress.TryNormalize(identifier, out var address) ? address : null;
        if (email is not null) alike.Add(new(LikenessKind.Mailbox, MailboxOf(email)));
        else if (kind is IdentifierKind.External) Add(alike, LikenessKind.ExternalId, Folding.Fold(identifier).Replace(" ", "", StringComparison.Ordinal));
        // As it is searched by: what changes no text must change nothing here.
        if (!traits.TryGetValue("name", out var json) || SearchText.NameIn(json) is not { Length: <= MaxLength } named || Folding.Fold(named) is not { Length: > 0 } name) return alike;

        if (email is not null && LocalPartOf(email) is { Length: > 1 } local) Add(alike, LikenessKind.NameAndMailbox, $"{name}|{local}");
        foreach (var (what, names) in Telling)
        {
            if (names.Select(trait => traits.TryGetValue(trait, out var value) ? TextOf(value) : "").FirstOrDefault(value => value.Length > 0) is not { } text) continue;
            var compared = what == "phone" ? DigitsOf(text) : text;
            if (what != "phone" || compared.Length >= LeastPhoneDigits) Add(alike, LikenessKind.NameAndTrait, $"{name}|{what}|{compared}");
        }

        return alike;
    }

    /// <summary>
    /// A mailbox as its provider reads the address: Gmail leaves dots and what follows a plus out and is googlemail too; most others know the plus; Yahoo's tags
    /// follow a hyphen; Proton and Yandex have several domains for one account, and so has iCloud. Of a domain nobody knows, only the plus is taken for a tag.
    /// </summary>
    /// <param name="email">As <see cref="EmailAddress.TryNormalize"/> returns it.</param>
    public static string MailboxOf(string email)
    {
        var at = email.IndexOf('@', StringComparison.Ordinal);
        var (local, domain) = (email[..at], email[(at + 1)..].TrimEnd('.'));
        (domain, var dropped, var tag) = domain switch
        {
            "gmail.com" or "googlemail.com" => ("gmail.com", ".", '+'),
            "icloud.com" or "me.com" or "mac.com" => ("icloud.com", "", '+'),
            "proton.me" or "protonmail.com" or "pm.me" or "protonmail.ch" => ("proton.me", ".-_", '+'),
            "yandex.ru" or "yandex.com" or "ya.ru" or "yandex.by" or "yandex.kz" or "yandex.ua" => ("yandex.ru", "", '+'),
            "fastmail.com" or "fastmail.fm" => (domain, "", '+'),
            _ when IsYahoo(domain) => (domain, "", '-'),
            _ => (domain, "", '+'),
        };
        if (local.IndexOf(tag, StringComparison.Ordinal) is > 0 and var tagged) local = local[..tagged];
        if (domain == "yandex.ru") local = local.Replace('.', '-');
        foreach (var character in dropped) local = local.Replace(character.ToString(), "", StringComparison.Ordinal);
        // What is left of an address that is dots only is no mailbox of anybody else.
        return local.Length == 0 ? email : $"{local}@{domain}";
    }

    private static bool IsYahoo(string domain) => domain is "ymail.com" or "rocketmail.com" || domain.StartsWith("yahoo.", StringComparison.Ordinal);

    /// <summary>What stands before the @, without a tag and the signs that people put between their names.</summary>
    private static string LocalPartOf(string email)
    {
        var local = email[..email.IndexOf('@', StringComparison.Ordinal)];
        if (local.IndexOf('+', StringComparison.Ordinal) is > 0 and var tagged) local = local[..tagged];
        return local.Replace(".", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
    }

    /// <summary>A trait as people compare it: a text or a number; an address's members in their order.</summary>
    private static string TextOf(string json)
    {
        if (json.Length > 4 * MaxLength) return "";
        var value = JsonElement.Parse(json);
        return value.ValueKind switch
        {
            JsonValueKind.String => Folding.Fold(value.GetString()!),
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.Object => Folding.Fold(string.Join(' ', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal)
                .Where(member => member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number).Select(member => member.Value.ToString()))),
            _ => "",
        };
    }

    private static string DigitsOf(string text)
    {
        var digits = new StringBuilder();
        foreach (var c in text.Where(char.IsAsciiDigit)) digits.Append(c);
        // Two leading zeros are the plus that some countries dial.
        return digits.ToString().TrimStart('0');
    }

    private static void Add(HashSet<Likeness> alike, LikenessKind kind, string text)
    {
        if (text.Length is > 0 and <= MaxLength) alike.Add(new(kind, text));
    }
}
