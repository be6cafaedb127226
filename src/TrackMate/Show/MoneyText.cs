using System.Globalization;
using System.Text.Json;
using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>Money as people read it, by its ISO currency and never by a culture: <c>$79.99</c>, <c>¥80</c>, <c>79.990 KWD</c>.</summary>
internal static class MoneyText
{
    /// <summary>Beyond this a number is not money; it is shown with the data, as it was sent.</summary>
    private const decimal MaxShown = 999_999_999_999_999m;

    public static string Of(decimal amount, string currency)
    {
        var sign = amount < 0 ? "−" : "";
        var digits = Grouped(Money.Format(Math.Abs(amount), currency));
        return SymbolOf(currency) is { } symbol ? sign + symbol + digits : $"{sign}{digits} {currency}";
    }

    /// <summary>A number, or a text that is one, if it can be money.</summary>
    public static decimal? Read(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => value.GetString()!.Trim(),
            _ => null,
        };
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount)
            && Math.Abs(amount) <= MaxShown
                ? amount
                : null;
    }

    private static string Grouped(string number)
    {
        var point = number.IndexOf('.');
        var whole = point < 0 ? number : number[..point];
        for (var i = whole.Length - 3; i > 0; i -= 3) whole = whole.Insert(i, ",");
        return point < 0 ? whole : whole + number[point..];
    }

    // Only signs that mean one currency to nearly everybody; the rest are told by their code.
    private static string? SymbolOf(string currency) => currency switch
    {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        _ => null,
    };
}
