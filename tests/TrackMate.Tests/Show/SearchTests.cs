using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Who is found by what people know of them, over the read API.</summary>
public sealed class SearchTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static async Task<string[]> FindAsync(Shop shop, string query) =>
        [.. (await shop.Backend.GetAsync("/api/profiles?q=" + Uri.EscapeDataString(query))).AssertOk().Body!["profiles"]!.AsArray().Select(profile => profile!["id"]!.ToString())];

    [Theory]
    [InlineData("Jose\u0301", "jos\u00e9")]
    [InlineData("Jos\u00e9", "JOSE\u0301")]
    [InlineData("José", "jose")]
    [InlineData("José García", " garcía josé ")]
    [InlineData("José García", "\tgarc\u00a0jos")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("strasse", "straße")]
    [InlineData("İpek IŞIK", "ipek ışık")]
    [InlineData("ﬁona", "fiona")]
    [InlineData("Ｓａｒａｈ", "sarah")]
    [InlineData("Οδυσσεύς", "ΟΔΥΣΣΕΥΣ")]
    [InlineData("Zoë 🎉", "🎉 zoe")]
    [InlineData("שרה כהן", "כהן שרה")]
    [InlineData("Nguyễn Văn Đạt", "nguyen dat")]
    [InlineData("김철수", "\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e")]
    [InlineData("\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e", "철수")]
    [InlineData("王伟", "王伟")]
    [InlineData("O’Neil", "o'neil")]
    public async Task A_name_is_found_however_it_is_typed(string name, string query)
    {
        var shop = await running.NewShopAsync();
        var id = (await shop.NewShopper().IdentifyAsync("somebody@example.com", name))["profileId"]!;
        await shop.NewShopper().IdentifyAsync("other@example.com", "Bob");
        Assert.Equal([id], await FindAsync(shop, query));
    }

    [Fact]
    public async Task A_person_is_found_by_each_number_that_leads_to_them_and_once()
    {
        var shop = await running.NewShopAsync();
        var sarah = shop.NewShopper();
        var session = sarah.SessionId;
        await sarah.TrackAsync("page_view", eventId: "evt-browser-1");
        var id = (await sarah.IdentifyAsync("sarah@example.com", "Sarah Jones"))["profileId"]!;
        var shipped = await shop.Backend.WebhookAsync("order_shipped", new { order_id = "ORD-1001", trackingNumber = "1Z 999 AA1" }, email: "sarah@example.com", eventId: "evt-server-1");
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 5, currency = "USD", orderId = "ORD-1001", paymentId = "pay-7", payment_intent = "pi_3A", charge = "ch_3B" }, externalId: "customer-42");
        await shop.Backend.WebhookAsync("linked", email: "sarah@example.com", externalId: "customer-42");
        await shop.Backend.WebhookAsync("order_shipped", new { orderId = 1002 }, email: "bob@example.com");

        foreach (var query in new[]
        {
            id, id.ToUpperInvariant(), session, shipped["sessionId"]!, "evt-browser-1", "evt-server-1", "ORD-1001", "ord-1001", "pay-7", "pi_3A", "ch_3B", "1Z999AA1", "1z 999 aa1", " 1Z 999 AA1 ",
            "sarah@example.com", "SARAH@EXAMPLE.COM", "customer-42", "sarah", "jones sarah", "mer-42", "sarah customer-42", "42 jones", "sar", "reg_" + id,
        }) Assert.Equal([id], await FindAsync(shop, query));
        Assert.Single(await FindAsync(shop, "1002"));
        foreach (var query in new[] { "ORD-100", "evt-server", session[..^1], id[..^1], "unknown", "0", "%", "_", "sarah bob" }) Assert.Empty(await FindAsync(shop, query));
        Assert.Equal(2, (await FindAsync(shop, "example")).Length);
        Assert.Equal(2, (await FindAsync(shop, "  ")).Length);
    }

    [Fact]
    public async Task Everybody_who_had_a_shared_session_is_found_by_it()
    {
        var shop = await running.NewShopAsync();
        var tablet = shop.NewShopper();
        var ann = (await tablet.IdentifyAsync("ann@example.com", at: "2025-10-18T10:00:00Z"))["profileId"]!;
        var bob = (await tablet.IdentifyAsync("bob@example.com", at: "2025-10-18T11:00:00Z"))["profileId"]!;
        Assert.Equal([bob, ann], await FindAsync(shop, tablet.SessionId));
    }

    [Fact]
    public async Task A_cursor_leads_through_all_and_a_damaged_one_is_refused()
    {
        var shop = await running.NewShopAsync();
        for (var i = 0; i < 5; i++) await shop.NewShopper().IdentifyAsync($"anna{i}@example.com", "Lee");
        await shop.Backend.WebhookAsync("order_placed", new { orderId = "anna" }, email: "zoe@example.com");
        foreach (var (query, count) in new[] { ("anna", 6), ("lee anna", 5), ("an", 5), ("e", 6) })
        {
            var (seen, cursor) = (new List<string>(), "");
            do
            {
                var page = (await shop.Backend.GetAsync($"/api/profiles?limit=2&q={Uri.EscapeDataString(query)}{cursor}")).AssertOk();
                seen.AddRange(page.Body!["profiles"]!.AsArray().Select(profile => profile!["id"]!.ToString()));
                cursor = page["nextCursor"] is { } next ? "&cursor=" + next : null;
            }
            while (cursor is not null);
            Assert.Equal(count, seen.Distinct().Count());
            Assert.Equal(count, seen.Count);
        }

        var first = (await shop.Backend.GetAsync("/api/profiles?limit=1&q=anna"))["nextCursor"]!;
        (await shop.Backend.GetAsync("/api/profiles?q=anna&cursor=" + first[..^1])).AssertRefused(400, "cursor");
        (await shop.Backend.GetAsync("/api/profiles?cursor=" + first)).AssertRefused(400, "cursor");
        var other = await running.NewShopAsync();
        (await other.Backend.GetAsync("/api/profiles?q=anna&cursor=" + first)).AssertRefused(400, "cursor");
    }

    [Fact]
    public async Task A_name_that_an_operator_took_back_is_not_found_and_the_one_before_is()
    {
        var shop = await running.NewShopAsync();
        await shop.NewShopper().IdentifyAsync("x@example.com", "Former Name", at: "2025-10-18T10:00:00Z");
        await shop.NewShopper().IdentifyAsync("x@example.com", "Later Word", at: "2025-10-18T11:00:00Z");
        Assert.Empty(await FindAsync(shop, "former"));
        var id = Assert.Single(await FindAsync(shop, "later"));
        var claim = (await shop.Backend.GetAsync($"/api/profiles/{id}/claims")).AssertOk().Body!["claims"]!.AsArray().First(claim => claim!["at"]!.ToString() == "2025-10-18T11:00:00Z")!["id"]!.ToString();
        (await shop.Backend.PostAsync($"/api/claims/{claim}/revoke", "{}")).AssertOk();
        Assert.Empty(await FindAsync(shop, "later"));
        Assert.Equal([id], await FindAsync(shop, "former"));
    }
}
