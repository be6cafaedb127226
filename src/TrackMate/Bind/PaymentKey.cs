using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>
/// An id that names a payment, in the form in which two are compared: <c>:ch_1a</c>, or with its field where it may be the number of a sequence: <c>orderId:1042</c>.
/// Shops number orders and payments from 1 on, so such a number matches only within its own field; a provider's id matches in any.
/// </summary>
public static class PaymentKey
{
    /// <summary>Stands between keys where several are kept as one text; no key has one.</summary>
    public const char Separator = '\u001f';

    private static readonly (string Name, string Field)[] Fields =
        [("paymentId", "paymentId"), ("payment_intent", "payment_intent"), ("charge", "charge"), ("orderId", "orderId"), ("order_id", "orderId")];

    /// <summary>The keys that an event's data names, each once; the first is its paymentId if it has one.</summary>
    /// <param name="data">An object.</param>
    /// <param name="paymentId">That first one; null if there is none.</param>
    public static IReadOnlyList<string> Of(JsonElement data, CompanySettings settings, out string? paymentId)
    {
        var keys = new List<string>();
        paymentId = null;
        foreach (var (name, field) in Fields)
        {
            if (!data.TryGetProperty(name, out var value) || TextOf(value) is not { } text || Placeholders.IsPlaceholder(text, settings)) continue;
            // Without a letter it is a number, however it is written: 1042, #1042, 2025-0042.
            var key = text.EnumerateRunes().Any(Rune.IsLetter) ? ":" + text : field + ":" + text;
            if (name == "paymentId") paymentId = key;
            if (!keys.Contains(key)) keys.Add(key);
        }

        return keys;
    }

    /// <summary>The id as it was sent.</summary>
    public static string ShownOf(string key) => key[(key.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => Plain(value.GetRawText()),
        JsonValueKind.String => string.Concat(value.GetString()!.Where(c => !char.IsControl(c))).Trim(),
        _ => null,
    };

    /// <summary>A number without exponent and without zeros that say nothing: senders that compute with floats write the order 1042 as <c>1042.0</c> or <c>1.042e3</c>.</summary>
    private static string Plain(string number)
    {
        var sign = number[0] == '-' ? "-" : "";
        var exponentAt = number.AsSpan().IndexOfAny('e', 'E');
        var mantissa = (exponentAt < 0 ? number : number[..exponentAt]).TrimStart('-');
        var exponent = exponentAt < 0 ? 0 : int.Parse(number.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal) is var at and >= 0 ? at : mantissa.Length;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        point += exponent;
        if (point <= 0) (digits, point) = (new string('0', 1 - point) + digits, 1);
        if (point > digits.Length) digits += new string('0', point - digits.Length);
        var whole = digits[..point].TrimStart('0');
        var fraction = digits[point..].TrimEnd('0');
        return (whole.Length == 0 ? "0" : whole) is var left && fraction.Length == 0 ? (left == "0" ? left : sign + left) : $"{sign}{left}.{fraction}";
    }
}
