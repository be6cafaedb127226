using System.Text.Json;
using TrackMate.Show;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

[NoStore]
public sealed class EventLabelTests
{
    private const string Headphones = """[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]""";

    [Theory]
    [InlineData("page_view", """{"address":"https://shop.com/homepage"}""", "Homepage", "shop.com/homepage", null)]
    [InlineData("add_to_cart", $$"""{"address":"https://shop.com/product/headphones","productInfos":{{Headphones}}}""", "Wireless Headphones", "Wireless Headphones", null)]
    [InlineData("user_registered", "{}", "Account created", "Account created", null)]
    [InlineData("checkout_started", $$"""{"address":"https://shop.com/checkout","productInfos":{{Headphones}}}""", "Cart: $79.99", "Cart: Wireless Headphones", "$79.99")]
    [InlineData("payment_processed", $$"""{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD","paymentMethod":"card","productInfos":{{Headphones}}}""", "Stripe - $79.99", "Stripe, card", "$79.99")]
    [InlineData("order_shipped", """{"orderId":"ch_abc123stripe","trackingNumber":"USPS12345","carrier":"USPS","estimatedDelivery":"2025-10-20"}""", "USPS - Track: 12345", "USPS, tracking USPS12345", null)]
    [InlineData("email_delivered", """{"emailType":"order_confirmation","provider":"SendGrid","eventId":"sg_1"}""", "Order confirmation", "Order confirmation, SendGrid", null)]
    public void The_journeys_events_read_as_it_draws_them(string eventType, string data, string drawn, string line, string? amount)
    {
        Assert.Equal(drawn, EventLabel.SeedLine(eventType, Json(data)));
        var parts = EventLabel.Of(eventType, Json(data));
        Assert.Equal((line, amount), (parts.Line, parts.Amount));
    }

    [Theory]
    [InlineData("page_view", """{"address":"https://shop.com/"}""", "shop.com", "Homepage")]
    [InlineData("page_view", """{"address":"https://shop.com"}""", "shop.com", "Homepage")]
    [InlineData("page_view", """{"address":"/"}""", "/", "Homepage")]
    [InlineData("page_view", """{"address":"/sale/summer-shoes.html?utm_source=x#top"}""", "/sale/summer-shoes.html?utm_source=x#top", "Summer shoes")]
    [InlineData("Page Viewed", """{"url":"https://shop.com/about_us/"}""", "shop.com/about_us", "About us")]
    [InlineData("Order Completed", """{"order_id":"50","revenue":"1234.5","currency":"eur","products":[{"name":"Lamp"},{"name":"Desk"},{"name":"Chair"}]}""", "Lamp, Desk and 1 more", "Lamp, Desk and 1 more - €1,234.50")]
    [InlineData("checkout_started", """{"productInfos":[{"productName":"Mug","price":4,"quantity":3}]}""", "Cart: Mug", "Cart: $12.00")]
    [InlineData("payment_refunded", """{"amount":20,"currency":"USD","provider":"Adyen"}""", "Adyen", "Adyen - −$20.00")]
    [InlineData("order_shipped", """{"trackingNumber":"1Z9"}""", "Tracking 1Z9", "Track: 1Z9")]
    [InlineData("order_shipped", """{"trackingNumber":"UPS","carrier":"UPS"}""", "UPS, tracking UPS", "UPS - Track: UPS")]
    [InlineData("plan_changed", """{"plan":"pro","seats":5,"trial":false}""", "plan: pro, seats: 5", "plan: pro, seats: 5")]
    [InlineData("support_call", "{}", "", "")]
    [InlineData("support_call", "[]", "", "")]
    [InlineData("payment_processed", """{"amount":1e300}""", "amount: 1e300", "amount: 1e300")]
    [InlineData("payment_processed", """{"amount":5}""", "", "$5.00")]
    [InlineData("nested", """{"a":{"b":1},"c":[1]}""", "", "")]
    public void Any_senders_data_says_something(string eventType, string data, string line, string drawn)
    {
        Assert.Equal(line, EventLabel.Of(eventType, Json(data)).Line);
        Assert.Equal(drawn, EventLabel.SeedLine(eventType, Json(data)));
    }

    [Theory]
    [InlineData("79.99", "USD", "$79.99")]
    [InlineData("80", "JPY", "¥80")]
    [InlineData("79.99", "KWD", "79.990 KWD")]
    [InlineData("1234567.5", "EUR", "€1,234,567.50")]
    [InlineData("999", "CHF", "999.00 CHF")]
    [InlineData("-20", "GBP", "−£20.00")]
    [InlineData("0.005", "USD", "$0.005")]
    [InlineData("0", "USD", "$0.00")]
    public void Money_is_written_by_its_currency(string amount, string currency, string written) =>
        Assert.Equal(written, MoneyText.Of(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), currency));

    [Fact]
    public void Money_without_a_currency_is_the_companys() =>
        Assert.Equal("€5.00", EventLabel.Of("payment_processed", Json("""{"amount":5}"""), "EUR").Amount);

    [Fact]
    public void Nothing_in_a_label_steers_a_terminal_or_turns_a_line()
    {
        var parts = EventLabel.Of("add_to_cart", Json("""{"productInfos":[{"productName":"a\u001b[31m\u202eb\n\tc"}]}"""));
        Assert.Equal("a [31mb c", parts.Line);
    }

    [Fact]
    public void A_long_text_is_cut_and_never_through_a_character()
    {
        var line = EventLabel.Of("add_to_cart", Json($$"""{"productInfos":[{"productName":"x{{string.Concat(Enumerable.Repeat("😀", 500))}}"}]}""")).Line;
        Assert.InRange(line.Length, 100, 120);
        Assert.EndsWith("😀…", line);
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
