using System.Globalization;
using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>What a teller tells of; the numbers are stored.</summary>
public enum MoneyKind
{
    Payment = 1,
    Refund = 2,
}

/// <summary>What a server's event says about money.</summary>
/// <param name="Amount">Not negative; exact.</param>
/// <param name="Currency">ISO 4217 code in capitals.</param>
/// <param name="PaymentKeys">Ids that name the payment, as <see cref="PaymentKey"/> compares them. Empty: the event stands alone.</param>
/// <param name="PaymentId">That of them which is the payment's own, if the sender gave one: two of these are two payments.</param>
/// <param name="RefundId">Names the refund within its payment, if the sender did.</param>
public sealed record Money(MoneyKind Kind, decimal Amount, string Currency, IReadOnlyList<string> PaymentKeys, string? PaymentId, string? RefundId)
{
    /// <summary>15 digits before the point and 9 after it: sums of a billion of them are still exact in a decimal.</summary>
    private const decimal MaxAmount = 999_999_999_999_999m;
    private const int MaxDecimals = 9;
    private const int MaxDigits = 15 + MaxDecimals;

    private static readonly string[] RefundIdNames = ["refundId", "refund_id", "refund"];
    private static readonly string[] PaidAmountNames = ["amount", "revenue", "total"];
    private static readonly string[] RefundedAmountNames = ["amount", "total"];

    /// <summary>Reads the money out of a server's event.</summary>
    /// <param name="unreadable">True where the type is one that pays or refunds but no amount or currency can be made out: it earns nothing, and the sender is told.</param>
    /// <returns>Null where the type neither pays nor refunds, and where it is unreadable.</returns>
    public static Money? Read(CompanySettings settings, string eventType, ReadOnlyMemory<byte> eventData, out bool unreadable)
    {
        unreadable = false;
        MoneyKind kind;
        if (settings.PaymentTypes.Contains(eventType)) kind = MoneyKind.Payment;
        else if (settings.RefundTypes.Contains(eventType)) kind = MoneyKind.Refund;
        else return null;

        using var document = JsonDocument.Parse(eventData);
        var data = document.RootElement;
        var amount = First(data, kind is MoneyKind.Payment ? PaidAmountNames : RefundedAmountNames) is { } text ? ParseAmount(kind is MoneyKind.Refund ? Unsigned(text) : text) : null;
        var currency = First(data, ["currency"]) is { } code ? ParseCurrency(code) : settings.Currency;
        if (amount is null || currency is null)
        {
            unreadable = true;
            return null;
        }

        var keys = PaymentKey.Of(data, settings, out var paymentId);
        var refundId = First(data, RefundIdNames)?.Trim();
        return new(kind, amount.Value, currency, keys, paymentId, refundId is null || Placeholders.IsPlaceholder(refundId, settings) ? null : refundId);
    }

    /// <summary>An amount as people write it in its currency: <c>79.99</c> for USD, <c>80</c> for JPY; more decimals only where there are more.</summary>
    public static string Format(decimal amount, string currency) =>
        amount.ToString(MinorDigits(currency) switch { 0 => "0.#########", 3 => "0.000######", _ => "0.00#######" }, CultureInfo.InvariantCulture);

    /// <summary>Decimals that a currency is counted in (ISO 4217).</summary>
    public static int MinorDigits(string currency) => currency switch
    {
        "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "VND" or "VUV" or "XAF" or "XOF" or "XPF" => 0,
        "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
        _ => 2,
    };

    public static bool IsCurrency(string code) => code.Length == 3 && code.All(char.IsAsciiLetterUpper);

    /// <summary>A refund subtracts its amount whichever sign its sender writes money back with: <c>-16.13</c>, <c>−16.13</c>, <c>16.13-</c>, <c>(16.13)</c>.</summary>
    private static string Unsigned(string text)
    {
        text = text.Trim();
        if (text is ['(', .. var inner, ')']) text = inner.Trim();
        return text is ['-' or '+' or '\u2212' or '\u2013', .. var behind] ? behind.Trim() : text is [.. var before, '-' or '\u2212'] ? before.Trim() : text;
    }

    private static string? ParseCurrency(string code) => code.Trim().ToUpperInvariant() is var upper && IsCurrency(upper) ? upper : null;

    /// <summary>
    /// Reads an amount, rounded to nine decimals: senders that add up binary floats tell of <c>239.96999999999997</c>, and mean 239.97. What would round to
    /// nothing is not an amount.
    /// </summary>
    private static decimal? ParseAmount(string text) =>
        decimal.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount)
        && amount is >= 0 and <= MaxAmount
        && IsWhole(text.Trim(), amount)
        && decimal.Round(amount, MaxDecimals) is var rounded
        && rounded == 0 == (amount == 0)
            ? rounded
            : null;

    /// <summary>Whether nothing was lost in reading: a decimal quietly rounds what it cannot hold, down to zero.</summary>
    private static bool IsWhole(string text, decimal amount)
    {
        var exponent = text.AsSpan().IndexOfAny('e', 'E');
        var mantissa = (exponent < 0 ? text : text.AsSpan(0, exponent)).Trim("+-0.");
        var digits = mantissa.Length - mantissa.Count('.');
        return digits <= MaxDigits && digits > 0 == (amount != 0);
    }

    /// <summary>The first of these members that holds a string or a number, as text.</summary>
    private static string? First(JsonElement data, string[] names)
    {
        foreach (var name in names)
        {
            if (!data.TryGetProperty(name, out var value)) continue;
            if (value.ValueKind is JsonValueKind.Number) return value.GetRawText();
            if (value.ValueKind is JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text;
        }

        return null;
    }
}
