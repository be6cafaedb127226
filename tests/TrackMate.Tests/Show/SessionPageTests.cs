using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>The page of one browser session, which several people may have used one after another.</summary>
[Collection(BrowserCollection.Name)]
public sealed class SessionPageTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Each_part_of_a_shared_session_says_whose_it_is_and_no_fold_spans_two()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("s_shared");
        for (var i = 0; i < 10; i++) await shopper.TrackAsync("page_view", new { address = "https://shop.com/" + i }, $"2025-10-18T10:0{i}:00Z", $"view_{i}");
        var sam = (await shopper.IdentifyAsync("sam@example.com", "Sam", at: "2025-10-18T10:00:30Z"))["profileId"];
        var priya = (await shopper.IdentifyAsync("priya@example.com", "Priya", at: "2025-10-18T10:04:30Z"))["profileId"];
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/visitors/session?id=s_shared");

        Assert.StartsWith("2 people used this session.", await viewer.TextAsync(".bind-note"));
        Assert.Equal(["On the timeline of Sam", "On the timeline of Priya"], await viewer.TextsAsync(".part"));
        Assert.Equal(["5 page views", "5 page views"], await viewer.TextsAsync(".fold summary b"));
        Assert.Equal([$"/c/{shop.CompanyId}/people/{sam}", $"/c/{shop.CompanyId}/people/{priya}"], await viewer.Page.Locator(".part a").EvaluateAllAsync<string[]>("links => links.map(link => link.getAttribute('href'))"));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_part_that_is_un_bound_is_on_nobody_s_timeline()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper("s_partly");
        for (var i = 0; i < 3; i++) await shopper.TrackAsync("page_view", at: $"2025-10-18T10:0{i}:00Z", eventId: $"part_{i}");
        await shopper.IdentifyAsync("part@example.com", "Pat", at: "2025-10-18T10:05:00Z");
        await shopper.TrackAsync("scroll", at: "2025-10-18T10:06:00Z", eventId: "part_after");
        (await shop.Backend.PostAsync("/api/sessions/s_partly/unbind", """{"to":"2025-10-18T10:01:30Z"}""")).AssertOk();
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/visitors/session?id=s_partly");

        Assert.Equal(["These events are on nobody’s timeline.", "On the timeline of Pat"], await viewer.TextsAsync(".part"));
        await Expect(viewer.Page.Locator(".lane-heads")).ToHaveCountAsync(0);
    }
}
