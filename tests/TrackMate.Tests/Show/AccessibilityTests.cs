using System.Text.Json;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Every page, full and empty, in both colour schemes, before axe-core. It is installed with the browser SDK's other tools and never shipped.</summary>
[Collection(BrowserCollection.Name)]
[NoStore]
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
        var (person, other) = await EveryPage.FillAsync(shop);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, scheme: scheme);
        await viewer.GoAsync($"/c/{shop.CompanyId}/ingestion");
        var rejected = await viewer.Page.Locator("tbody a.row-link").First.GetAttributeAsync("href");

        var violations = new List<string>();
        foreach (var page in EveryPage.PathsOf(shop, empty, person, other, rejected!))
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
        var (person, _) = await EveryPage.FillAsync(shop);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/{person}");

        Assert.Equal(1, await viewer.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("payment_processed.*from a server, 18 Oct 2025, 10:12:00") }).CountAsync());
        await viewer.GoAsync($"/c/{shop.CompanyId}/live");
        Assert.Equal(1, await viewer.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("payment_processed.*from a server, 18 Oct 2025, 10:12:00") }).CountAsync());
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "TrackMate.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }
}
