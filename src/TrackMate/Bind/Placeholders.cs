using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace TrackMate.Bind;

/// <summary>
/// Values that senders put where they know nobody (B11): they count as not given, so that strangers never meet on <c>undefined</c>. What programs print for nothing is
/// known in the quotes and brackets that they print it in, too.
/// </summary>
public static class Placeholders
{
    private const string Opening = "([{<\"'`´‘’‚‛“”„‟«»‹›＂＇";
    private const string Closing = ")]}>\"'`´‘’‚‛“”„‟«»‹›＂＇";

    /// <summary>Zeros and dashes of every length; a zero with decimals is one.</summary>
    private static readonly SearchValues<char> Zeros = SearchValues.Create("0.-‐‑‒–—―−");

    private static readonly FrozenSet<string> Everywhere =
        new[]
        {
            "null", "undefined", "none", "nan", "anonymous", "guest", "unknown", "true", "false", "-1", "object object",
            "nil", "n/a", "n / a", "#n/a", "#null!", "n.a", "n. a", "not set", "not available", "not applicable", "empty", "dbnull", "system.dbnull", "nonetype",
        }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What templates print for a missing part: <c>undefined-undefined</c>.</summary>
    private static readonly FrozenSet<string> Nothing = new[] { "null", "undefined", "none", "nan", "nil" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsPlaceholder(string value, CompanySettings settings)
    {
        var trimmed = value.AsSpan().Trim();
        if (IsOneOf(settings.Placeholders, trimmed)) return true;
        if (trimmed.IndexOfAnyExcept(Zeros) < 0) return true;
        // The usual identifier is none at a glance: it is longer than all of them.
        if (trimmed.Length > MaxLength) return false;
        var bare = Bare(trimmed);
        return bare.IndexOfAnyExcept(Zeros) < 0 || trimmed is "\\N" || Everywhere.GetAlternateLookup<ReadOnlySpan<char>>().Contains(bare) || IsNothingInParts(bare);
    }

    private static bool IsNothingInParts(ReadOnlySpan<char> bare)
    {
        foreach (var part in bare.SplitAny(" -_:|/,.@"))
        {
            if (!Nothing.GetAlternateLookup<ReadOnlySpan<char>>().Contains(bare[part])) return false;
        }

        return true;
    }

    /// <summary>Of what may be a placeholder: enough for one in many quotes.</summary>
    private const int MaxLength = 40;

    /// <summary>Without what cannot be seen, and without the quotes, brackets and escapes around it; a full stop at its end is none of it.</summary>
    private static ReadOnlySpan<char> Bare(ReadOnlySpan<char> value)
    {
        if (IsPlain(value)) return value;
        var seen = new StringBuilder(value.Length);
        foreach (var rune in value.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            // A zero-width space, a byte order mark, a soft hyphen; a no-break space is a space.
            if (category is UnicodeCategory.Format or UnicodeCategory.Control) continue;
            seen.Append(Rune.IsWhiteSpace(rune) || category is UnicodeCategory.SpaceSeparator || rune.Value is 0x2800 or 0x3164 or 0x115F or 0x1160 or 0xFFA0 ? " " : rune.ToString());
        }

        ReadOnlySpan<char> bare = seen.ToString();
        while (true)
        {
            var before = bare.Length;
            bare = bare.Trim().TrimEnd('.').TrimStart('\\');
            if (bare.Length > 0 && Opening.Contains(bare[0], StringComparison.Ordinal)) bare = bare[1..];
            bare = bare.TrimEnd('\\');
            if (bare.Length > 0 && Closing.Contains(bare[^1], StringComparison.Ordinal)) bare = bare[..^1];
            if (bare.Length == before) return bare;
        }
    }

    /// <summary>Nothing is to be taken off: letters and digits at both ends, and nothing but plain characters between.</summary>
    private static bool IsPlain(ReadOnlySpan<char> value) =>
        value.Length > 0 && char.IsAsciiLetterOrDigit(value[0]) && char.IsAsciiLetterOrDigit(value[^1]) && value.IndexOfAnyExceptInRange(' ', '~') < 0;

    private static bool IsOneOf(IReadOnlyList<string> more, ReadOnlySpan<char> trimmed)
    {
        foreach (var placeholder in more)
        {
            if (trimmed.Equals(placeholder, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
