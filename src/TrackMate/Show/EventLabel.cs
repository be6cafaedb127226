using System.Text;
using System.Text.Json;

namespace TrackMate.Show;

/// <summary>What an event is about, in the words of its own data.</summary>
/// <param name="Subject">The first thing to say: a page, a product, a carrier; null where the data holds nothing to say.</param>
/// <param name="Detail">What stands behind the subject, after a comma.</param>
/// <param name="Amount">Money in its own currency, as <see cref="MoneyText"/> writes it.</param>
internal sealed record EventLabelParts(string? Subject, string? Detail, string? Amount)
{
    public string Line => Detail is null ? Subject ?? "" : $"{Subject}, {Detail}";
}

/// <summary>
/// A short line for an event. It goes by what the data holds more than by the event's type, since types are the senders' own. Everything in it is an outsider's
/// text: characters that steer a terminal or turn the direction of a line are taken out, and it is cut to a length.
/// </summary>
internal static class EventLabel
{
    private const int MaxLength = 120;
    private const string DefaultCurrency = "USD";

    private static readonly string[] AddressNames = ["address", "url", "path"];
    private static readonly string[] ProductListNames = ["productInfos", "products", "items"];
    private static readonly string[] ProductNames = ["productName", "name", "title", "productId"];
    private static readonly string[] AmountNames = ["amount", "revenue", "total"];
    private static readonly string[] ProviderNames = ["provider", "gateway", "processor"];
    private static readonly string[] PaymentIdNames = ["paymentId", "payment_intent", "charge", "orderId", "order_id"];
    private static readonly string[] TrackingNames = ["trackingNumber", "tracking_number"];
    private static readonly string[] MailNames = ["emailType", "subject", "template"];

    /// <param name="eventType">The sender's own type.</param>
    /// <param name="data">The event's data, an object.</param>
    /// <param name="currency">ISO 4217 code of money that names none.</param>
    public static EventLabelParts Of(string eventType, JsonElement data, string currency = DefaultCurrency)
    {
        if (IsRegistration(eventType)) return new("Account created", null, null);
        if (data.ValueKind is not JsonValueKind.Object) return new(null, null, null);
        var address = Text(data, AddressNames);
        if (IsPageView(eventType) && address is not null) return new(AddressText(address), null, null);

        var tracking = Text(data, TrackingNames);
        if (tracking is not null) return Parts(Text(data, ["carrier"]), "tracking " + tracking, null);

        var provider = Text(data, ProviderNames);
        if (Text(data, MailNames) is { } mail) return Parts(Sentence(mail), provider, null);

        var amount = AmountOf(eventType, data, currency);
        var products = ProductsOf(data);
        var payer = provider ?? PayerOf(data);
        var method = Text(data, ["paymentMethod", "payment_method"]);
        if (amount is not null) return Parts(payer, method, null) is { Subject: not null } paid ? paid with { Amount = amount } : new(Sentence(products ?? Text(data, PaymentIdNames)), null, amount);

        if (products is not null) return IsCart(eventType) ? new("Cart: " + products, null, CartTotal(data, currency)) : new(products, null, null);
        return address is not null ? new(AddressText(address), null, null) : Parts(FirstTexts(data), null, null);
    }

    /// <summary>The line as the journey's drawing has it: <c>Homepage</c>, <c>Cart: $79.99</c>, <c>USPS - Track: 12345</c>.</summary>
    public static string SeedLine(string eventType, JsonElement data, string currency = DefaultCurrency)
    {
        var parts = Of(eventType, data, currency);
        if (IsRegistration(eventType) || data.ValueKind is not JsonValueKind.Object) return parts.Line;
        if (IsPageView(eventType) && Text(data, AddressNames) is { } address) return PageName(address);
        if (Text(data, TrackingNames) is { } tracking)
        {
            if (Text(data, ["carrier"]) is not { } carrier) return "Track: " + tracking;
            var number = tracking.StartsWith(carrier, StringComparison.OrdinalIgnoreCase) && tracking.Length > carrier.Length ? tracking[carrier.Length..] : tracking;
            return $"{carrier} - Track: {number}";
        }

        if (parts.Amount is null) return parts.Subject ?? "";
        if (ProductsOf(data) is not null && IsCart(eventType)) return "Cart: " + parts.Amount;
        return parts.Subject is null ? parts.Amount : $"{parts.Subject} - {parts.Amount}";
    }

    private static bool IsRegistration(string eventType) => Word(eventType) is "user_registered" or "signed_up" or "account_created";

    private static bool IsPageView(string eventType) => Word(eventType) is "page_view" or "pageview" or "$pageview" or "page" or "page_viewed";

    private static bool IsCart(string eventType) => Word(eventType) is var word && (word.Contains("checkout") || word is "cart_viewed" or "view_cart" or "cart_abandoned");

    private static string Word(string eventType) => eventType.ToLowerInvariant().Replace(' ', '_').Replace('-', '_');

    private static EventLabelParts Parts(string? subject, string? detail, string? amount) => subject is null ? new(Sentence(detail), null, amount) : new(subject, detail, amount);

    private static string? AmountOf(string eventType, JsonElement data, string currency)
    {
        foreach (var name in AmountNames)
        {
            if (!data.TryGetProperty(name, out var value) || MoneyText.Read(value) is not { } amount) continue;
            var refund = Word(eventType).Contains("refund") && amount > 0;
            return MoneyText.Of(refund ? -amount : amount, CurrencyOf(data, currency));
        }

        return null;
    }

    private static string? CartTotal(JsonElement data, string currency)
    {
        decimal total = 0;
        var priced = false;
        foreach (var product in ProductList(data))
        {
            if (product.ValueKind is not JsonValueKind.Object || !product.TryGetProperty("price", out var price) || MoneyText.Read(price) is not { } each) continue;
            var quantity = product.TryGetProperty("quantity", out var count) && MoneyText.Read(count) is { } many and > 0 and < 1_000_000 ? many : 1;
            total += each * quantity;
            priced = true;
        }

        return priced ? MoneyText.Of(total, CurrencyOf(data, currency)) : null;
    }

    private static string CurrencyOf(JsonElement data, string currency) =>
        Text(data, ["currency"])?.ToUpperInvariant() is { } code && Bind.Money.IsCurrency(code) ? code : currency;

    private static string? ProductsOf(JsonElement data)
    {
        var names = ProductList(data).Select(product => product.ValueKind is JsonValueKind.Object ? Text(product, ProductNames) : Clean(product)).OfType<string>().ToList();
        return names.Count switch
        {
            0 => Text(data, ["productName"]),
            <= 2 => Cut(string.Join(", ", names)),
            _ => Cut($"{names[0]}, {names[1]} and {names.Count - 2} more"),
        };
    }

    private static JsonElement.ArrayEnumerator ProductList(JsonElement data)
    {
        foreach (var name in ProductListNames)
        {
            if (data.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array && list.GetArrayLength() > 0) return list.EnumerateArray();
        }

        return default;
    }

    /// <summary>Who took the money, told by the id that it gave: a back end rarely names its provider.</summary>
    private static string? PayerOf(JsonElement data) =>
        PaymentIdNames.Select(name => Text(data, [name])).OfType<string>().Any(id => id.StartsWith("ch_", StringComparison.Ordinal) || id.StartsWith("pi_", StringComparison.Ordinal) || id.StartsWith("py_", StringComparison.Ordinal))
            ? "Stripe"
            : null;

    private static string? FirstTexts(JsonElement data)
    {
        var texts = data.EnumerateObject()
            .Where(member => member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            .Take(2)
            .Select(member => Clean(member.Value) is { } text ? $"{Clean(member.Name)}: {text}" : null)
            .OfType<string>();
        return string.Join(", ", texts) is { Length: > 0 } line ? Cut(line) : null;
    }

    internal static string AddressText(string address)
    {
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var bare = scheme is > 0 and < 12 ? address[(scheme + 3)..] : address;
        return bare.Length > 1 ? bare.TrimEnd('/') : bare;
    }

    private static string PageName(string address)
    {
        var bare = AddressText(address).Split('?', '#')[0];
        var parts = bare.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var hasHost = address.Contains("://", StringComparison.Ordinal);
        if (parts.Length <= (hasHost ? 1 : 0)) return "Homepage";
        var last = parts[^1];
        return Sentence(last.LastIndexOf('.') is > 0 and var dot ? last[..dot] : last)!;
    }

    /// <summary>A word of a programmer's as a person writes it: <c>order_confirmation</c> is <c>Order confirmation</c>.</summary>
    private static string? Sentence(string? word)
    {
        if (string.IsNullOrEmpty(word)) return null;
        var spaced = word.Contains(' ') ? word : word.Replace('_', ' ').Replace('-', ' ');
        return char.ToUpperInvariant(spaced[0]) + spaced[1..];
    }

    private static string? Text(JsonElement data, string[] names)
    {
        foreach (var name in names)
        {
            if (data.TryGetProperty(name, out var value) && Clean(value) is { } text) return text;
        }

        return null;
    }

    /// <summary>An outsider's text as a page may show it.</summary>
    public static string? Shown(string? text) => text is null ? null : Clean(text);

    private static string? Clean(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Clean(value.GetString()!),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Clean(value.GetRawText()),
        _ => null,
    };

    private static string? Clean(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length > MaxLength) break;
            var category = Rune.GetUnicodeCategory(rune);
            // Zero-width joiners hold emoji and scripts together; the other format characters only hide or turn text.
            if (category is System.Globalization.UnicodeCategory.Format && rune.Value is not (0x200C or 0x200D)) continue;
            if (Rune.IsControl(rune) || Rune.IsWhiteSpace(rune)) clean.Append(clean.Length > 0 && clean[^1] != ' ' ? " " : "");
            else clean.Append(rune.ToString());
        }

        return clean.ToString().Trim() is { Length: > 0 } trimmed ? Cut(trimmed) : null;
    }

    private static string Cut(string text)
    {
        if (text.Length <= MaxLength) return text;
        var end = char.IsHighSurrogate(text[MaxLength - 2]) ? MaxLength - 2 : MaxLength - 1;
        return text[..end].TrimEnd() + "…";
    }
}
