using System.Globalization;
using System.Text;

namespace TrackMate.Bind;

/// <summary>The one way in which e-mail addresses are compared (B11). A database's <c>lower</c> is never asked: engines differ.</summary>
public static class EmailAddress
{
    /// <summary>Longest address, in characters after normalizing (RFC 5321 path limit).</summary>
    public const int MaxLength = 254;

    private static readonly IdnMapping Idn = new() { AllowUnassigned = true };

    /// <summary>Trimmed, NFC, case-folded, domain in punycode; exactly one <c>@</c> with something on both sides and no white space inside.</summary>
    public static bool TryNormalize(string text, out string normalized)
    {
        normalized = "";
        text = text.Trim();
        // No mailbox is reached by what cannot be seen, and half of it would make two addresses of one.
        if (text.EnumerateRunes().Any(IsInvisible)) return false;
        var folded = Fold(text);
        var at = folded.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || at == folded.Length - 1 || folded.LastIndexOf('@') != at) return false;

        if (!Ascii.IsValid(folded.AsSpan(at)))
        {
            try
            {
                folded = string.Concat(folded.AsSpan(0, at + 1), Idn.GetAscii(folded, at + 1).ToLowerInvariant());
            }
            catch (ArgumentException)
            {
                // Not a domain in any script: no mail reaches it, so it names nobody.
                return false;
            }
        }

        if (folded.Length > MaxLength) return false;
        normalized = folded;
        return true;
    }

    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Fold(string text) =>
        Ascii.IsValid(text) ? text.ToLowerInvariant() : text.Normalize(NormalizationForm.FormC).ToLowerInvariant().Replace('ς', 'σ').Normalize(NormalizationForm.FormC);
}
