using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>All pages of the dashboard, full and empty, for tests that go through them.</summary>
internal static class EveryPage
{
    /// <summary>Something to show on each page of a company.</summary>
    /// <returns>The ids of two persons of one session.</returns>
    public static async Task<(string Person, string Other)> FillAsync(Shop shop)
    {
        var shopper = shop.NewShopper("s_shared");
        for (var i = 0; i < 6; i++) await shopper.TrackAsync("page_view", new { address = "https://shop.com/" + i }, $"2025-10-18T10:0{i}:00Z", $"shared_{i}");
        var person = (await shopper.IdentifyAsync("axe@example.com", "Ada Axe", at: "2025-10-18T10:08:00Z"))["profileId"]!;
        var other = (await shopper.IdentifyAsync("other@example.com", "Ada Axe", at: "2025-10-18T10:30:00Z"))["profileId"]!;
        await shopper.TrackAsync("scroll", at: "2025-10-18T10:31:00Z", eventId: "other_1");
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 79.99, currency = "USD", paymentId = "p1" }, email: "axe@example.com", at: "2025-10-18T10:12:00Z", eventId: "paid");
        await shop.Backend.WebhookAsync("payment_processed", new { currency = "USD", paymentId = "p2" }, email: "axe@example.com", at: "2025-10-18T10:13:00Z", eventId: "unreadable");
        await shop.Backend.WebhookAsync("x", email: "not an address", eventId: "bad_1");
        await shop.NewShopper("s_stranger").TrackAsync("page_view", new { address = "https://shop.com/" });
        await shop.Backend.PostAsync($"/api/profiles/{person}/freeze", "{}");
        return (person, other);
    }

    /// <param name="shop">A company that <see cref="FillAsync"/> filled.</param>
    /// <param name="empty">A company without any messages.</param>
    /// <param name="person">The first of the two persons.</param>
    /// <param name="other">The second one.</param>
    /// <param name="rejected">The path of the page of what was not accepted.</param>
    public static string[] PathsOf(Shop shop, Shop empty, string person, string other, string rejected) =>
    [
        .. new[] { "people", "people/duplicates", "visitors", "live", "ingestion", "ingestion?tab=warnings", "ingestion?tab=stitch", "get-started", "audit" }.SelectMany(page => new[] { $"/c/{shop.CompanyId}/{page}", $"/c/{empty.CompanyId}/{page}" }),
        $"/c/{shop.CompanyId}/people/{person}", $"/c/{shop.CompanyId}/people/{person}?event=server:paid", $"/c/{shop.CompanyId}/people/{person}?event=client:gone&q=shop",
        .. new[] { "claims", "traits", "revenue", "raw" }.Select(tab => $"/c/{shop.CompanyId}/people/{person}?tab={tab}"),
        $"/c/{shop.CompanyId}/people/{person}/merge", $"/c/{shop.CompanyId}/people/{person}/merge?q=other", $"/c/{shop.CompanyId}/people/{person}/merge?with={other}",
        $"/c/{shop.CompanyId}/people?q=nobody", $"/c/{shop.CompanyId}/visitors/session?id=s_shared", $"/c/{shop.CompanyId}/visitors/session?id=s_shared&event=client:shared_1",
        $"/c/{shop.CompanyId}/act?do=unbind&id=s_shared", $"/c/{shop.CompanyId}/act?do=freeze&id={person}", $"/c/{shop.CompanyId}/ingestion?view=each", $"/c/{shop.CompanyId}/ingestion?eventId=bad_1", rejected,
        "/nowhere", "/login",
    ];
}
