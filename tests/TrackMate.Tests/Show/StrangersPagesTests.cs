using System.Text.Json.Nodes;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>The pages on which an operator sees what strangers claim, and undoes it, fit every screen.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StrangersPagesTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    [NoStore]
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(1360, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    public async Task No_page_scrolls_sideways(int width, ColorScheme scheme)
    {
        var shop = await running.NewShopAsync();
        var email = $"{new string('k', 40)}@example.com";
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 20, currency = "USD" }, email: email, externalId: new string('o', 100), at: "2025-10-18T10:00:00Z");
        for (var i = 0; i < 3; i++)
        {
            var stranger = shop.NewShopper($"session_{new string('s', 100)}_{i}");
            await stranger.TrackAsync("page_view", at: "2025-10-18T11:00:00Z");
            await stranger.SendAsync("/api/profile", JsonNode.Parse($$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{stranger.SessionId}}","email":"{{email}}","externalId":"strange-{{i}}","name":"Mallory","timestamp":"2025-10-18T11:01:00Z"}""")!);
        }

        var id = (await shop.Backend.ProfileOfAsync(email))!["id"];
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, width, scheme);
        foreach (var (name, path) in new[] { ("people", "people"), ("undo-claims", $"claims/undo?identifier={email}"), ("undo-claims-empty", "claims/undo"), ("get-started", "get-started"), ("person", $"people/{id}"), ("traits", $"people/{id}?tab=traits") })
        {
            await viewer.GoAsync($"/c/{shop.CompanyId}/{path}");
            Assert.False(await viewer.ScrollsSidewaysAsync(), path);
            Assert.True(await viewer.Page.EvaluateAsync<bool>("[...document.querySelectorAll('.bind')].every(row => row.getBoundingClientRect().right <= row.parentElement.getBoundingClientRect().right + 1)"), "What binds a session covers what is beside the timeline.");
            await ShootAsync(viewer, $"{name}-{width}-{scheme}");
        }

        await viewer.GoAsync($"/c/{shop.CompanyId}/claims/undo?identifier={email}");
        await viewer.Page.ClickAsync("button:has-text('Undo 3 claims')");
        Assert.False(await viewer.ScrollsSidewaysAsync());
        await ShootAsync(viewer, $"audit-{width}-{scheme}");
        Assert.Empty(viewer.Complaints);
    }

    /// <summary>Leaves a picture where somebody wants to look at the pages.</summary>
    private static async Task ShootAsync(Viewer viewer, string name)
    {
        if (Environment.GetEnvironmentVariable("TRACKMATE_PICTURES") is { Length: > 0 } folder) await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }
}
