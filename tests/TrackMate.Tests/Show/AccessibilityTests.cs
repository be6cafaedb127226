using System.Text.Json;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Every page, full and empty, in both colour schemes, before axe-core. It is installed with the browser SDK's other tools and never shipped.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AccessibilityTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task No_page_has_a_violation(ColorScheme scheme)
    {
        var axe = await File.ReadAllTextAsync(Path.Combine(Root(), "clients", "browser", "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken);
        var shop = await running.NewShopAsync();
        var empty = await running.NewShopAsync();
        var (person, other) = await FillAsync(shop);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, scheme: scheme);
        await viewer.GoAsync($"/c/{shop.CompanyId}/ingestion");
        var rejected = await viewer.Page.Locator("tbody a.row-link").First.GetAttributeAsync("href");
        string[] pages =
        [
            .. new[] { "people", "people/duplicates", "visitors", "live", "ingestion", "ingestion?tab=warnings", "ingestion?tab=stitch", "get-started", "audit" }.SelectMany(page => new[] { $"/c/{shop.CompanyId}/{page}", $"/c/{empty.CompanyId}/{page}" }),
            $"/c/{shop.CompanyId}/people/{person}", $"/c/{shop.CompanyId}/people/{person}?event=server:paid", $"/c/{shop.CompanyId}/people/{person}?event=client:gone&q=shop",
            .. new[] { "claims", "traits", "revenue", "raw" }.Select(tab => $"/c/{shop.CompanyId}/people/{person}?tab={tab}"),
            $"/c/{shop.CompanyId}/people/{person}/merge", $"/c/{shop.CompanyId}/people/{person}/merge?q=other", $"/c/{shop.CompanyId}/people/{person}/merge?with={other}",
            $"/c/{shop.CompanyId}/people?q=nobody", $"/c/{shop.CompanyId}/visitors/session?id=s_shared", $"/c/{shop.CompanyId}/visitors/session?id=s_shared&event=client:shared_1",
            $"/c/{shop.CompanyId}/act?do=unbind&id=s_shared", $"/c/{shop.CompanyId}/act?do=freeze&id={person}", $"/c/{shop.CompanyId}/ingestion?view=each", $"/c/{shop.CompanyId}/ingestion?eventId=bad_1", rejected!,
            "/nowhere", "/login",
        ];

        var violations = new List<string>();
        foreach (var page in pages)
        {
            if (page == "/login") await viewer.Page.Context.ClearCookiesAsync();
            await viewer.Page.GotoAsync(new Uri(running.Server.Address, page).ToString());
            await viewer.Page.EvaluateAsync(axe);
            var found = await viewer.Page.EvaluateAsync<JsonElement>("axe.run().then(result => result.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).slice(0, 3).join(' | ')))");
            violations.AddRange(found.EnumerateArray().Select(violation => $"{page.Replace(shop.CompanyId, "full").Replace(empty.CompanyId, "empty")} {violation}"));
        }

        Assert.Equal("", string.Join('\n', violations));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task The_name_of_an_event_s_link_holds_its_time()
    {
        var shop = await running.NewShopAsync();
        var (person, _) = await FillAsync(shop);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{person}");

        Assert.Equal(1, await viewer.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("payment_processed.*from a server, 18 Oct 2025, 10:12:00") }).CountAsync());
        await viewer.GoAsync($"/c/{shop.CompanyId}/live");
        Assert.Equal(1, await viewer.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("payment_processed.*from a server, 18 Oct 2025, 10:12:00") }).CountAsync());
    }

    private static async Task<(string Person, string Other)> FillAsync(Shop shop)
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

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "TrackMate.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }
}
