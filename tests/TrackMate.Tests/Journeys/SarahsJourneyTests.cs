using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Journeys;

/// <summary>The story that TrackMate exists for: one shopper from an anonymous page view to the receipt in her mailbox, with its own ids and times.</summary>
public sealed class SarahsJourneyTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string SessionId = "session_1729260000_abc123";
    private const string Email = "sarah@example.com";

    private static readonly object[] Headphones = [new { productId = "PROD-001", productName = "Wireless Headphones", price = 79.99 }];

    [Fact]
    public async Task Her_seven_events_are_one_timeline()
    {
        var browser = running.NewShopper(SessionId);
        var backend = running.Backend;

        await browser.TrackAsync("page_view", new { address = "https://shop.com/homepage" }, "2025-10-18T10:00:00Z", "evt_1");
        await browser.TrackAsync("add_to_cart", new { address = "https://shop.com/product/headphones", productInfos = Headphones }, "2025-10-18T10:05:00Z", "evt_2");
        var anonymous = await backend.GetAsync($"/api/sessions/{SessionId}");
        Assert.Null(anonymous.Body!["userId"]);
        Assert.Equal(["page_view", "add_to_cart"], TypesOf(anonymous.Body["events"]!.AsArray()));

        var identified = await browser.IdentifyAsync(Email, "Sarah Johnson", at: "2025-10-18T10:08:00Z", eventId: "evt_3");
        var profileId = identified["profileId"]!;
        await browser.TrackAsync("checkout_started", new { address = "https://shop.com/checkout", productInfos = Headphones }, "2025-10-18T10:10:00Z", "evt_4");

        var payment = await backend.WebhookAsync(
            "payment_processed", new { orderId = "ch_abc123stripe", amount = 79.99, currency = "USD", paymentMethod = "card", productInfos = Headphones },
            email: Email, at: "2025-10-18T10:12:00Z", eventId: "evt_5");
        var shipping = await backend.WebhookAsync(
            "order_shipped", new { orderId = "ch_abc123stripe", trackingNumber = "USPS12345", carrier = "USPS", estimatedDelivery = "2025-10-20" },
            email: Email, at: "2025-10-18T10:15:00Z", eventId: "evt_6");
        var delivery = await backend.WebhookAsync(
            "email_delivered", new { emailType = "order_confirmation", provider = "SendGrid", eventId = "sg_1" },
            email: Email, at: "2025-10-18T10:16:00Z", eventId: "evt_7");

        foreach (var webhook in new[] { payment, shipping, delivery })
        {
            Assert.Equal(HttpStatusCode.OK, webhook.Status);
            Assert.Equal(profileId, webhook["profileId"]);
            Assert.Equal(payment["sessionId"], webhook["sessionId"]);
        }

        var timeline = await backend.TimelineAsync(profileId);
        Assert.Equal(["page_view", "add_to_cart", "user_registered", "checkout_started", "payment_processed", "order_shipped", "email_delivered"], TypesOf(timeline));
        Assert.Equal(["client", "client", "client", "client", "server", "server", "server"], timeline.Select(found => found["source"]!.ToString()));
        Assert.Equal(
            ["10:00", "10:05", "10:08", "10:10", "10:12", "10:15", "10:16"],
            timeline.Select(found => DateTimeOffset.Parse(found["timestamp"]!.ToString()).ToString("HH:mm")));
        Assert.All(timeline.Take(4), found => Assert.Equal(SessionId, found["sessionId"]!.ToString()));
        Assert.All(timeline.Skip(4), found => Assert.StartsWith("webhook_", found["sessionId"]!.ToString()));

        var profile = (await backend.GetAsync($"/api/profiles/{profileId}")).Body!;
        Assert.Equal("Sarah Johnson", profile["name"]!.ToString());
        Assert.Equal(Email, profile["email"]!.ToString());
        Assert.Equal("2025-10-18T10:08:00Z", profile["createdAt"]!.ToString());
        Assert.Equal("2025-10-18T10:16:00Z", profile["lastActive"]!.ToString());
        Assert.Equal(7, (int)profile["totals"]!["events"]!);
        Assert.Equal(1, (int)profile["totals"]!["sessions"]!["client"]!);
        Assert.Equal(1, (int)profile["totals"]!["sessions"]!["server"]!);
        Assert.Equal("""[{"currency":"USD","amount":"79.99"}]""", profile["totals"]!["revenue"]!.ToJsonString());

        // The same profile by e-mail, by session and by id.
        Assert.Equal(profileId, (await backend.ProfileOfAsync(Email))!["id"]!.ToString());
        var bySession = await backend.WebhookAsync("support_call", sessionId: SessionId, at: "2025-10-18T10:16:00Z");
        Assert.Equal(profileId, bySession["profileId"]);
        var byId = await backend.WebhookAsync("support_call", userId: profileId, at: "2025-10-18T10:16:00Z");
        Assert.Equal(profileId, byId["profileId"]);
        Assert.Equal(profileId, (await backend.GetAsync($"/api/sessions/{SessionId}"))["userId"]);
        Assert.Equal(profileId, (await backend.GetAsync($"/api/sessions/{payment["sessionId"]}"))["userId"]);
    }

    private static IEnumerable<string> TypesOf(IEnumerable<JsonNode?> events) => events.Select(found => found!["eventType"]!.ToString());
}
