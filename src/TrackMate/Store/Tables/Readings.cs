using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>
/// The texts that bytes kept unread can stand for: as UTF-8, Latin-1 and UTF-16, and with the escapes of JSON, addresses, mails and HTML undone, also when they are
/// nested. Nothing here throws, whatever the bytes are: what cannot be read becomes <see cref="Damage"/>.
/// </summary>
internal static class Readings
{
    /// <summary>Stands for bytes or an escape that mean no character, and for the end, where the text may have been cut.</summary>
    public const char Damage = '\uFFFD';

    /// <summary>Escapes within escapes are undone so often.</summary>
    private const int MostRounds = 5;

    /// <summary>Texts looked at for one body.</summary>
    private const int MostTexts = 10;

    private static readonly SearchValues<char> EscapeMarks = SearchValues.Create("\\%=&");

    /// <summary>Every reading in the form in which names are compared; the first one is the plain text.</summary>
    public static IEnumerable<string> Of(ReadOnlySpan<byte> bytes)
    {
        var texts = new List<string>();
        var plain = Encoding.UTF8.GetString(bytes);
        Add(texts, plain);
        if (plain.Contains(Damage)) Add(texts, Encoding.Latin1.GetString(bytes));
        if (bytes.Contains((byte)0))
        {
            Add(texts, Encoding.Unicode.GetString(bytes));
            Add(texts, Encoding.BigEndianUnicode.GetString(bytes));
        }

        for (var (round, first) = (0, 0); round < MostRounds && first < texts.Count; round++)
        {
            var last = texts.Count;
            for (; first < last; first++)
            {
                var text = texts[first];
                if (text.AsSpan().IndexOfAny(EscapeMarks) < 0) continue;
                Add(texts, WithoutEscapes(text));
                if (text.Contains('=')) Add(texts, WithoutQuotedPrintable(text));
                if (text.Contains('&')) Add(texts, WebUtility.HtmlDecode(text));
            }
        }

        return texts.SelectMany(Compared);
    }

    /// <summary>As e-mails are compared (B11); half a surrogate pair is damage.</summary>
    public static string Fold(string text)
    {
        if (Ascii.IsValid(text)) return text.ToLowerInvariant();
        return Normalized(Normalized(WithoutLoneSurrogates(text), NormalizationForm.FormC).ToLowerInvariant().Replace('ς', 'σ').Replace('。', '.').Replace('．', '.').Replace('｡', '.'), NormalizationForm.FormC);
    }

    /// <summary>What may be e-mails in one of these texts.</summary>
    public static IEnumerable<string> EmailsIn(string text)
    {
        for (var at = text.IndexOf('@'); at > 0; at = text.IndexOf('@', at + 1))
        {
            var start = text.AsSpan(0, at).LastIndexOfAny(NoPartOfEmail) + 1;
            var length = text.AsSpan(at + 1).IndexOfAny(NoPartOfEmail);
            yield return text[start..(length < 0 ? text.Length : at + 1 + length)];
        }
    }

    private static readonly SearchValues<char> NoPartOfEmail = SearchValues.Create(['"', '\\', '@', ' ', '\t', '\r', '\n', ',', ';', ':', '<', '>', '(', ')', '[', ']', '{', '}', '/', '?', '&', '=', Damage]);

    private static void Add(List<string> texts, string text)
    {
        if (texts.Count < MostTexts && !texts.Contains(text, StringComparer.Ordinal)) texts.Add(text);
    }

    /// <summary>A text as it stands, and without what may have been put between the characters of a name: damage, what cannot be seen, then spaces and quotes too.</summary>
    private static IEnumerable<string> Compared(string text)
    {
        var folded = Fold(text);
        yield return folded;
        if (!Ascii.IsValid(folded)) yield return Folding.Fold(folded);
        var visible = Without(folded, c => c is Damage || IsInvisible(c));
        if (visible.Length < folded.Length) yield return visible;
        yield return Bare(visible);
    }

    /// <summary>Without spaces and quotes.</summary>
    public static string Bare(string text) => Without(text, c => c is '"' or '\'' or '\\' || char.IsWhiteSpace(c));

    private static bool IsInvisible(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;

    private static string Without(string text, Func<char, bool> isLeftOut)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!isLeftOut(c)) kept.Append(c);
        }

        return kept.Length == text.Length ? text : kept.ToString();
    }

    private static string WithoutLoneSurrogates(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0) return text;
        var whole = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) whole.Append(rune);
        return whole.ToString();
    }

    private static string Normalized(string text, NormalizationForm form)
    {
        try
        {
            return text.Normalize(form);
        }
        catch (ArgumentException)
        {
            // Code points that Unicode has no rule for: compared as they are.
            return text;
        }
    }

    /// <summary>Undoes <c>\u0041</c>, <c>\x41</c>, <c>\n</c>, <c>%41</c> and <c>%u0041</c>, once; an escape that is broken, or cut by the end, becomes damage.</summary>
    private static string WithoutEscapes(string text)
    {
        var read = new StringBuilder(text.Length);
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            if (rest[0] == '%' && HexAt(rest, 1, 2) is { } first)
            {
                // A character may be several of them.
                bytes.Clear();
                for (int? value = first; value is { } unit; value = at < text.Length && text[at] == '%' ? HexAt(text.AsSpan(at), 1, 2) : null)
                {
                    bytes.Add((byte)unit);
                    at += 3;
                }

                read.Append(Encoding.UTF8.GetString([.. bytes]));
            }
            else if (rest[0] == '%' && rest.Length > 1 && rest[1] is 'u' or 'U')
            {
                at += AppendUnit(read, rest, 4);
            }
            else if (rest[0] == '%' && IsCut(rest[1..], 2))
            {
                read.Append(Damage);
                at = text.Length;
            }
            else if (rest[0] != '\\')
            {
                read.Append(rest[0]);
                at++;
            }
            else if (rest.Length == 1)
            {
                read.Append(Damage);
                at++;
            }
            else
            {
                switch (rest[1])
                {
                    case 'u' or 'U':
                        at += AppendUnit(read, rest, 4);
                        break;
                    case 'x' or 'X':
                        at += AppendUnit(read, rest, 2);
                        break;
                    case 'n' or 't' or 'r' or 'b' or 'f':
                        read.Append(' ');
                        at += 2;
                        break;
                    case var other:
                        read.Append(other);
                        at += 2;
                        break;
                }
            }
        }

        return read.ToString();
    }

    /// <returns>How many characters the escape takes.</returns>
    private static int AppendUnit(StringBuilder read, ReadOnlySpan<char> escape, int digits)
    {
        if (HexAt(escape, 2, digits) is { } unit)
        {
            read.Append(unit == 0 ? Damage : (char)unit);
            return 2 + digits;
        }

        read.Append(Damage);
        return IsCut(escape[2..], digits) ? escape.Length : 2;
    }

    /// <summary>Whether the text ends within the digits of an escape.</summary>
    private static bool IsCut(ReadOnlySpan<char> rest, int digits) => rest.Length < digits && rest.IndexOfAnyExcept(HexDigits) < 0;

    private static string WithoutQuotedPrintable(string text)
    {
        var read = new StringBuilder(text.Length);
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            if (rest.StartsWith("=\r\n")) at += 3;
            else if (rest.StartsWith("=\n")) at += 2;
            else if (rest[0] == '=' && HexAt(rest, 1, 2) is not null)
            {
                bytes.Clear();
                for (; at < text.Length && text[at] == '=' && HexAt(text.AsSpan(at), 1, 2) is { } unit; at += 3) bytes.Add((byte)unit);
                read.Append(Encoding.UTF8.GetString([.. bytes]));
            }
            else
            {
                read.Append(rest[0]);
                at++;
            }
        }

        return read.ToString();
    }

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    private static int? HexAt(ReadOnlySpan<char> text, int start, int digits) =>
        text.Length >= start + digits && text.Slice(start, digits).IndexOfAnyExcept(HexDigits) < 0 ? int.Parse(text.Slice(start, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : null;
}
