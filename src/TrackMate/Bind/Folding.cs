using System.Globalization;
using System.Text;

namespace TrackMate.Bind;

/// <summary>
/// The one way in which text that people type is compared, such as names in a search. It ignores case, accents, compatibility forms and extra blanks. A database's
/// <c>lower</c> is never asked: engines differ. Identifiers are not compared this way: two addresses that differ by an accent are two persons (see <see cref="EmailAddress"/>).
/// </summary>
public static class Folding
{
    /// <summary>
    /// NFKD, lower case, accents and invisible characters removed, blanks trimmed and collapsed, then NFC. Total, and folding twice changes nothing. The result can be
    /// longer than the text (<c>ß</c> is <c>ss</c>), so apply length limits to the result.
    /// </summary>
    public static string Fold(string text)
    {
        if (Ascii.IsValid(text)) return Collapse(text.ToLowerInvariant().Replace('`', '\''));
        // Half a surrogate pair and U+FFFE become U+FFFD first, since Normalize would throw.
        var whole = string.Concat(text.EnumerateRunes()).Replace('\uFFFE', '\uFFFD').Normalize(NormalizationForm.FormC);
        // Quotes are spelled before NFKD makes a blank with an accent of them; lower case can open what decomposes again, hence the second pass.
        var once = Map(string.Concat(whole.EnumerateRunes().Select(Spelled)).Normalize(NormalizationForm.FormKD));
        return Collapse(Map(once.Normalize(NormalizationForm.FormKD))).Normalize(NormalizationForm.FormC);
    }

    // Through upper case: a few letters have two lower ones, such as the final sigma.
    private static string Map(string decomposed)
    {
        var mapped = new StringBuilder(decomposed.Length);
        foreach (var rune in decomposed.EnumerateRunes())
        {
            if (!IsLeftOut(rune)) mapped.Append(Spelled(Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune))));
        }

        return mapped.ToString();
    }

    /// <summary>Letters without a decomposition, as people write them on a keyboard that lacks them; and one form of each quote and dash.</summary>
    private static string Spelled(Rune rune) => rune.Value switch
    {
        'ß' or 'ẞ' => "ss",
        'æ' or 'Æ' => "ae",
        'œ' or 'Œ' => "oe",
        'ø' or 'Ø' => "o",
        'đ' or 'Đ' or 'ð' or 'Ð' => "d",
        'ħ' or 'Ħ' => "h",
        'ı' => "i",
        'ł' or 'Ł' => "l",
        'ŧ' or 'Ŧ' => "t",
        'þ' or 'Þ' => "th",
        '‘' or '’' or 'ʼ' or '´' or '`' or '′' => "'",
        '“' or '”' or '„' or '″' => "\"",
        '‐' or '‑' or '‒' or '–' or '—' or '−' => "-",
        _ => rune.ToString(),
    };

    /// <summary>
    /// Accents, and vowel points that writers leave out (Hebrew, Arabic). Marks of other scripts, such as the vowel signs of Devanagari or the voicing mark of
    /// Japanese, are letters to their readers and stay.
    /// </summary>
    private static bool IsLeftOut(Rune rune) => rune.Value switch
    {
        (>= 0x0300 and <= 0x036F) or (>= 0x1AB0 and <= 0x1AFF) or (>= 0x1DC0 and <= 0x1DFF) or (>= 0x20D0 and <= 0x20FF) or (>= 0xFE20 and <= 0xFE2F) => true,
        (>= 0x0591 and <= 0x05C7) or (>= 0x0610 and <= 0x061A) or (>= 0x064B and <= 0x065F) or 0x0670 or (>= 0x06D6 and <= 0x06ED) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark,
        // The tatweel only stretches a word, the variation selectors only choose a glyph.
        0x0640 or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF) => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format,
    };

    private static string Collapse(string text)
    {
        if (IsCollapsed(text)) return text;
        var collapsed = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!IsBlank(c)) collapsed.Append(c);
            else if (collapsed.Length > 0 && collapsed[^1] is not ' ') collapsed.Append(' ');
        }

        return collapsed.ToString().TrimEnd(' ');
    }

    private static bool IsCollapsed(string text)
    {
        var afterBlank = true;
        foreach (var c in text)
        {
            if (IsBlank(c) && (c is not ' ' || afterBlank)) return false;
            afterBlank = c is ' ';
        }

        return text.Length == 0 || !afterBlank;
    }

    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || char.IsControl(c);
}
