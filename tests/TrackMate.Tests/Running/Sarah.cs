namespace TrackMate.Tests.Running;

/// <summary>The journey's messages with its own times, for a person of any e-mail and session.</summary>
public static class Sarah
{
    private static readonly object[] Headphones = [new { productId = "PROD-001", productName = "Wireless Headphones", price = 79.99 }];

    /// <returns>The profile's id.</returns>
    public static async Task<string> PlayAsync(RunningServer running, string email = "sarah@example.com", string sessionId = "session_1729260000_abc123")
    {
        var browser = running.NewShopper(sessionId);
        var backend = running.Backend;
        string Id(string name) => $"{name}_{email}";
        await browser.TrackAsync("page_view", new { address = "https://shop.com/homepage" }, "2025-10-18T10:00:00Z", Id("evt_1"));
        await browser.TrackAsync("add_to_cart", new { address = "https://shop.com/product/headphones", productInfos = Headphones }, "2025-10-18T10:05:00Z", Id("evt_2"));
        var identified = await browser.IdentifyAsync(email, "Sarah Johnson", at: "2025-10-18T10:08:00Z", eventId: Id("evt_3"));
        await browser.TrackAsync("checkout_started", new { address = "https://shop.com/checkout", productInfos = Headphones }, "2025-10-18T10:10:00Z", Id("evt_4"));
        await backend.WebhookAsync("payment_processed", new { orderId = "ch_abc123stripe" + email, amount = 79.99, currency = "USD", paymentMethod = "card", productInfos = Headphones }, email: email, at: "2025-10-18T10:12:00Z", eventId: Id("evt_5"));
        await backend.WebhookAsync("order_shipped", new { orderId = "ch_abc123stripe" + email, trackingNumber = "USPS12345", carrier = "USPS", estimatedDelivery = "2025-10-20" }, email: email, at: "2025-10-18T10:15:00Z", eventId: Id("evt_6"));
        await backend.WebhookAsync("email_delivered", new { emailType = "order_confirmation", provider = "SendGrid", eventId = "sg_1" }, email: email, at: "2025-10-18T10:16:00Z", eventId: Id("evt_7"));
        return identified["profileId"]!;
    }
}
