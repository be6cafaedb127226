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
        var folded = Fold(text.Trim());
        var at = folded.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || at == folded.Length - 1 || folded.LastIndexOf('@') != at || folded.AsSpan().ContainsAny(WhiteSpace)) return false;

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

    private static readonly System.Buffers.SearchValues<char> WhiteSpace = System.Buffers.SearchValues.Create(" \t\r\n\u00a0\u2003\u3000");

    private static string Fold(string text) =>
        Ascii.IsValid(text) ? text.ToLowerInvariant() : text.Normalize(NormalizationForm.FormC).ToLowerInvariant().Replace('ς', 'σ').Normalize(NormalizationForm.FormC);
}
