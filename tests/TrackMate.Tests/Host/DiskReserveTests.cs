using System.Net;
using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>Strangers do not fill the last of the disk.</summary>
[EmbeddedOnly]
public sealed class DiskReserveTests
{
    [Fact]
    public async Task Below_the_reserve_browsers_wait_while_back_ends_and_erasures_go_on()
    {
        using var disk = new SmallDisk(mebibytes: 64);
        await using var server = await ServerProcess.StartAsync(disk.Folder, new Dictionary<string, string?> { ["TRACKMATE_DISK_RESERVE"] = "48 MiB" });
        var (shopper, backend) = (new Shopper(server.Http, ServerProcess.CompanyId), new ShopBackend(server.Http, ServerProcess.ApiKey));
        (await shopper.IdentifyAsync("early@example.com")).AssertOk();

        disk.Take(mebibytes: 30);
        await Eventually.TrueAsync(async () => (await shopper.TrackAsync("page_view")).Status is HttpStatusCode.ServiceUnavailable, () => "Browsers are still taken.");
        foreach (var rejected in new[] { await shopper.TrackAsync("page_view"), await shopper.IdentifyAsync("late@example.com") })
        {
            rejected.AssertRefused(503);
            Assert.Contains("disk", rejected["detail"]);
            Assert.True(rejected.Response.Headers.Contains("Retry-After"));
        }

        (await backend.WebhookAsync("payment_processed", email: "early@example.com")).AssertOk();
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/ready")).StatusCode);
        var metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Matches(@"trackmate_disk_reserve_bytes\S* 50331648\b", metrics);
        Assert.Matches(@"trackmate_disk_free_bytes\S* \d+", metrics);
        using (var admin = new DashboardClient())
        {
            await admin.LogInAsync(server);
            var page = await (await admin.GetAsync(server, $"/c/{ServerProcess.CompanyId}/people")).Content.ReadAsStringAsync();
            Assert.Contains("disk is nearly full", page);
        }

        var profile = (await backend.ProfileOfAsync("early@example.com"))!["id"]!.ToString();
        using (var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/profiles/{profile}"))
        {
            request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
            Assert.Equal(HttpStatusCode.OK, (await server.Http.SendAsync(request)).StatusCode);
        }

        Assert.Null(await backend.ProfileOfAsync("early@example.com"));

        disk.MakeRoom();
        await Eventually.TrueAsync(async () => (await shopper.TrackAsync("page_view")).Status is HttpStatusCode.OK, () => "Browsers are not taken though there is room.");
    }

    [Theory]
    [InlineData("5%", 5_000_000_000)]
    [InlineData("0.5 %", 500_000_000)]
    [InlineData("2GiB", 2_147_483_648)]
    [InlineData("500 MB", 500_000_000)]
    [InlineData("1048576", 1_048_576)]
    [InlineData("off", 0)]
    [InlineData("90%", 90_000_000_000)]
    public void A_reserve_is_a_share_or_a_size(string text, long bytes) => Assert.Equal(bytes, DiskReserve.Parse(text)!.BytesOf(100_000_000_000));

    [Theory]
    [InlineData("much")]
    [InlineData("-1")]
    [InlineData("95%")]
    [InlineData("1e9")]
    [InlineData("5 apples")]
    [InlineData("%")]
    [InlineData("99999999999999999999GiB")]
    public void What_is_neither_is_rejected(string text) => Assert.Null(DiskReserve.Parse(text));

    [Fact]
    public void The_default_is_a_twentieth_and_at_most_two_gibibytes()
    {
        Assert.Equal(500_000_000, DiskReserve.Default.BytesOf(10_000_000_000));
        Assert.Equal(2L << 30, DiskReserve.Default.BytesOf(10_000_000_000_000));
    }
}
