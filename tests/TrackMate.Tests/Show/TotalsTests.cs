using System.Text.Json.Nodes;
using CsCheck;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Totals of a profile: exact, and what its timeline adds up to.</summary>
public sealed class TotalsTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>One row per payment: tellers that share any key are one, directly or through others, and the earliest speaks.</summary>
    [Fact]
    public async Task Tellers_of_one_payment_are_counted_once()
    {
        var shop = await running.NewShopAsync();
        await PayAsync(shop, "payment_processed", """{"amount":79.99,"currency":"USD","orderId":"order-1"}""", 2);
        await PayAsync(shop, "payment_processed", """{"amount":"80.50","currency":"usd","payment_intent":"pi-1"}""", 3);
        Assert.Equal("USD 160.49", await RevenueAsync(shop));

        // A third teller shows that both were one payment; the earliest gives the amount.
        await PayAsync(shop, "Order Completed", """{"revenue":1000,"order_id":"order-1","charge":"pi-1"}""", 4);
        Assert.Equal("USD 79.99", await RevenueAsync(shop));
        await PayAsync(shop, "payment_processed", """{"amount":78,"currency":"USD","paymentId":"pi-1"}""", 1);
        Assert.Equal("USD 78.00", await RevenueAsync(shop));
    }

    /// <summary>F2: three customers, whose payments and orders are numbered one after the other.</summary>
    [Theory]
    [InlineData("{0}", "{0}")]
    [InlineData("\"{0}\"", "{0}")]
    [InlineData("\"9000000000000000000000000000000000000000000{0}\"", "\"9000000000000000000000000000000000000000000{0}\"")]
    public async Task Equal_numbers_of_different_sequences_are_no_payment_in_common(string payment, string order)
    {
        var shop = await running.NewShopAsync();
        for (var customer = 1; customer <= 3; customer++)
        {
            var (paymentId, orderId) = (string.Format(payment, customer + 1), string.Format(order, customer));
            await shop.Backend.WebhookAsync("payment_processed", JsonNode.Parse($$"""{"amount":10,"paymentId":{{paymentId}},"orderId":{{orderId}}}"""), email: $"customer{customer}@example.com", at: $"2025-10-18T10:0{customer}:00Z");
        }

        for (var customer = 1; customer <= 3; customer++)
            Assert.Equal("10.00", (await shop.Backend.ProfileOfAsync($"customer{customer}@example.com"))!["totals"]!["revenue"]![0]!["amount"]!.ToString());
    }

    [Fact]
    public async Task A_gift_card_and_a_card_are_two_payments_of_one_order_and_the_order_event_none()
    {
        var shop = await running.NewShopAsync();
        await PayAsync(shop, "Order Completed", """{"total":100,"order_id":"o-1"}""", 0);
        Assert.Equal("USD 100.00", await RevenueAsync(shop));
        await PayAsync(shop, "payment_processed", """{"amount":30,"orderId":"o-1","paymentId":"gift-1"}""", 1);
        await PayAsync(shop, "payment_processed", """{"amount":70,"orderId":"o-1","paymentId":"card-1"}""", 2);
        // The order is the earliest that tells of the gift card's payment, so its amount stands for that.
        Assert.Equal("USD 170.00", await RevenueAsync(shop));
        await PayAsync(shop, "payment_refunded", """{"amount":"-20","paymentId":"card-1"}""", 3);
        await PayAsync(shop, "payment_refunded", """{"amount":5,"orderId":"o-1"}""", 4);
        Assert.Equal("USD 145.00", await RevenueAsync(shop));
    }

    [Fact]
    public async Task Payments_without_a_key_stand_alone_and_currencies_are_kept_apart()
    {
        var shop = await running.NewShopAsync(new() { Currency = "EUR" });
        for (var i = 0; i < 3; i++) await PayAsync(shop, "payment_processed", """{"amount":0.1}""", i);
        await PayAsync(shop, "payment_processed", """{"total":"1200","currency":"JPY"}""", 4);
        await PayAsync(shop, "payment_processed", """{"amount":1.005,"currency":"KWD"}""", 5);
        await PayAsync(shop, "payment_processed", """{"amount":0.30,"currency":"EUR"}""", 6);
        Assert.Equal("EUR 0.60, JPY 1200, KWD 1.005", await RevenueAsync(shop));
    }

    [Fact]
    public async Task Refunds_subtract_once_each()
    {
        var shop = await running.NewShopAsync();
        await PayAsync(shop, "payment_processed", """{"amount":100,"orderId":"o"}""", 0);
        await PayAsync(shop, "payment_refunded", """{"amount":10,"orderId":"o","refundId":"r1"}""", 1);
        await PayAsync(shop, "refund_processed", """{"amount":10,"orderId":"o","refund_id":"r1"}""", 2);
        Assert.Equal("USD 90.00", await RevenueAsync(shop));
        await PayAsync(shop, "Order Refunded", """{"total":"5.5","order_id":"o"}""", 3);
        await PayAsync(shop, "Order Refunded", """{"total":"5.5","order_id":"o"}""", 4);
        Assert.Equal("USD 79.00", await RevenueAsync(shop));
    }

    [Fact]
    public async Task Which_types_pay_is_a_setting_of_the_company()
    {
        var shop = await running.NewShopAsync();
        await PayAsync(shop, "invoice_paid", """{"amount":7}""", 0);
        await PayAsync(shop, "order_shipped", """{"amount":9}""", 1);
        Assert.Equal("", await RevenueAsync(shop));
        await shop.ChangeAsync(settings => settings with { PaymentTypes = ["invoice_paid"] });
        Assert.Equal("USD 7.00", await RevenueAsync(shop));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"amount":"a lot"}""")]
    [InlineData("""{"amount":-5}""")]
    [InlineData("""{"amount":"1,299.00"}""")]
    [InlineData("""{"amount":5,"currency":"dollars"}""")]
    [InlineData("""{"amount":{"value":5}}""")]
    [InlineData("""{"amount":1e300}""")]
    public async Task Money_that_cannot_be_read_is_kept_earns_nothing_and_warns(string eventData)
    {
        var shop = await running.NewShopAsync();
        var answer = await PayAsync(shop, "payment_processed", eventData, 0);
        Assert.Contains("amount_unreadable", answer.AssertOk().Text);
        Assert.Equal("", await RevenueAsync(shop));
        Assert.Equal(1, (int)(await shop.Backend.ProfileOfAsync("a@example.com"))!["totals"]!["events"]!);
    }

    /// <summary>A payment is the person's whom its earliest teller names, and moves with the session that it came through.</summary>
    [Fact]
    public async Task A_payment_goes_with_its_event()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("shared");
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 5, orderId = "o" }, sessionId: "shared", at: At(20));
        await shopper.IdentifyAsync("a@example.com", at: At(0));
        Assert.Equal("USD 5.00", await RevenueAsync(shop));
        await shopper.IdentifyAsync("b@example.com", at: At(10));
        Assert.Equal("", await RevenueAsync(shop));
        Assert.Equal("USD 5.00", await RevenueAsync(shop, "b@example.com"));
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 6, orderId = "o" }, email: "a@example.com", at: At(1));
        Assert.Equal("USD 6.00", await RevenueAsync(shop));
        Assert.Equal("", await RevenueAsync(shop, "b@example.com"));
    }

    /// <summary>Whatever happened, the totals are what the whole timeline adds up to: with shared devices, sessions over many days, bots, webhooks by session and money.</summary>
    [Fact]
    public async Task Totals_equal_what_the_timeline_adds_up_to()
    {
        string[] emails = ["a@example.com", "b@example.com", "c@example.com"];
        var history = Gen.Select(Gen.Int[0, 6], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 4000], (kind, person, session, minute) => (kind, person, session, minute)).Array[30, 60];
        for (var seed = 1; seed <= 8; seed++)
        {
            var shop = await running.NewShopAsync();
            Shopper Browser(int session) => new(running.Http, shop.CompanyId, $"s{session}") { UserAgent = session == 2 ? "Googlebot/2.1" : null };
            foreach (var (kind, person, session, minute) in history.Generate(new PCG((uint)seed), null, out _))
            {
                // Ten minutes apart at least, so that webhooks fall on both sides of the gap; few sessions and three days, so that spans begin and end in the middle of many.
                var at = At(minute / 10 * 10);
                var answer = kind switch
                {
                    0 or 1 => await Browser(session).TrackAsync("view", at: at),
                    2 => await Browser(session).IdentifyAsync(emails[person], at: at),
                    3 => await shop.Backend.WebhookAsync("shipped", email: emails[person], at: at),
                    4 => await shop.Backend.WebhookAsync("payment_processed", new { amount = minute, orderId = $"{person}" }, sessionId: $"s{session}", at: at),
                    5 => await shop.Backend.WebhookAsync("shipped", email: emails[person], sessionId: $"s{session}", at: at),
                    _ => await Browser(session).TrackAsync(minute % 7 == 0 ? "user_registered" : "click", at: at),
                };
                answer.AssertOk();
            }

            foreach (var email in emails)
            {
                if (await shop.Backend.ProfileOfAsync(email) is not { } profile) continue;
                var timeline = await shop.Backend.TimelineAsync(profile["id"]!.ToString());
                Assert.Equal(timeline.Count, (int)profile["totals"]!["events"]!);
                Assert.Equal(SessionsOf(timeline, "client"), (int)profile["totals"]!["sessions"]!["client"]!);
                Assert.Equal(SessionsOf(timeline, "server"), (int)profile["totals"]!["sessions"]!["server"]!);
                Assert.Equal((timeline.Count == 0 ? null : timeline[0]["timestamp"])?.ToString(), profile["firstSeen"]?.ToString());
                Assert.Equal((timeline.Count == 0 ? null : timeline[^1]["timestamp"])?.ToString(), profile["lastActive"]?.ToString());
                Assert.Equal(timeline.Select(found => found["eventId"]!.ToString()).Distinct().Count(), timeline.Count);
                Assert.All(timeline, found => Assert.Equal(profile["id"]!.ToString(), found["userId"]!.ToString()));
            }
        }
    }

    private static int SessionsOf(IEnumerable<JsonNode> timeline, string source) =>
        timeline.Where(found => found["source"]!.ToString() == source).Select(found => found["sessionId"]!.ToString()).Distinct().Count();

    private static Task<Answer> PayAsync(Shop shop, string type, string eventData, int minute) =>
        shop.Backend.WebhookAsync(type, JsonNode.Parse(eventData), email: "a@example.com", at: At(minute));

    private static async Task<string> RevenueAsync(Shop shop, string email = "a@example.com") =>
        string.Join(", ", (await shop.Backend.ProfileOfAsync(email))!["totals"]!["revenue"]!.AsArray().Select(row => $"{row!["currency"]} {row["amount"]}"));

    private static string At(int minute) => new DateTime(2025, 10, 18, 10, 0, 0, DateTimeKind.Utc).AddMinutes(minute).ToString("yyyy-MM-ddTHH:mm:ssZ");
}
