using System.Net;
using System.Text.RegularExpressions;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Every page, full and empty, is drawn. Many tests of what a page looks like are left out on PostgreSQL: this one asks it for all that pages read.</summary>
public sealed partial class EveryPageTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_page_is_drawn_from_the_store()
    {
        var shop = await running.NewShopAsync();
        var empty = await running.NewShopAsync();
        var (person, other) = await EveryPage.FillAsync(shop);
        using var dashboard = new DashboardClient();
        Assert.Equal(HttpStatusCode.Redirect, await dashboard.LogInAsync(running.Server));
        var rejected = WebUtility.HtmlDecode(RowLink().Match(await TextAsync($"/c/{shop.CompanyId}/ingestion")).Groups[1].Value);
        Assert.NotEqual("", rejected);

        foreach (var path in EveryPage.PathsOf(shop, empty, person, other, rejected))
        {
            // Who is logged in is led on from the login.
            if (path is "/login") continue;
            Assert.Contains("</html>", await TextAsync(path));
        }

        async Task<string> TextAsync(string path)
        {
            using var answer = await dashboard.GetAsync(running.Server, path);
            var expected = path is "/nowhere" ? HttpStatusCode.NotFound : HttpStatusCode.OK;
            Assert.True(answer.StatusCode == expected, $"{path} answers {(int)answer.StatusCode}.");
            return await answer.Content.ReadAsStringAsync(Cancel);
        }
    }

    [GeneratedRegex("class=\"row-link\" href=\"([^\"]+)\"")]
    private static partial Regex RowLink();
}
