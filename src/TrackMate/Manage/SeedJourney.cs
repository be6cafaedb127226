namespace TrackMate.Manage;

/// <summary>One message of the sample journey, as it is sent.</summary>
/// <param name="Path">The call. Webhooks are sent with the API key.</param>
/// <param name="Body">JSON, with <c>{company}</c> in place of the company's id.</param>
internal sealed record JourneyMessage(string Path, string Body)
{
    public const string Webhooks = "/api/webhooks/events";

    public bool FromServer => Path == Webhooks;
}

/// <summary>Sarah's journey from an anonymous page view to the receipt in her mailbox. The eventIds are fixed, so playing it twice changes nothing.</summary>
internal static class SeedJourney
{
    public const string Email = "sarah@example.com";

    private const string Headphones = """[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]""";

    public static readonly IReadOnlyList<JourneyMessage> Messages =
    [
        FromBrowser("page_view", """{"address":"https://shop.com/homepage"}""", "10:00"),
        FromBrowser("add_to_cart", $$"""{"address":"https://shop.com/product/headphones","productInfos":{{Headphones}}}""", "10:05"),
        new("/api/profile", """
            {"company_id":"{company}","sessionId":"session_1729260000_abc123","eventId":"demo_identify","timestamp":"2025-10-18T10:08:00Z",
             "name":"Sarah Johnson","email":"sarah@example.com"}
            """),
        FromBrowser("checkout_started", $$"""{"address":"https://shop.com/checkout","productInfos":{{Headphones}}}""", "10:10"),
        FromServer(
            "payment_processed",
            $$"""{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD","paymentMethod":"card","productInfos":{{Headphones}}}""",
            "10:12"),
        FromServer("order_shipped", """{"orderId":"ch_abc123stripe","trackingNumber":"USPS12345","carrier":"USPS","estimatedDelivery":"2025-10-20"}""", "10:15"),
        FromServer("email_delivered", """{"emailType":"order_confirmation","provider":"SendGrid","eventId":"sg_event_abc123"}""", "10:16"),
    ];

    private static JourneyMessage FromBrowser(string type, string data, string time) => new("/api/events", $$"""
        {"company_id":"{company}","sessionId":"session_1729260000_abc123","eventId":"demo_{{type}}","timestamp":"2025-10-18T{{time}}:00Z","eventType":"{{type}}","eventData":{{data}}}
        """);

    private static JourneyMessage FromServer(string type, string data, string time) => new(JourneyMessage.Webhooks, $$"""
        {"company_id":"{company}","identifier":{"email":"sarah@example.com"},"eventId":"demo_{{type}}","timestamp":"2025-10-18T{{time}}:00Z","eventType":"{{type}}","eventData":{{data}}}
        """);
}
