using System.Net;
using System.Net.Sockets;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>Ready means that the next message is taken.</summary>
public sealed class ReadinessTests
{
    private const int Starts = 4;

    /// <summary>Polled from before its port is open: no answer of a start may be one that makes a sender drop its message.</summary>
    [Fact]
    public async Task A_new_server_never_answers_that_its_key_is_unknown()
    {
        for (var start = 0; start < Starts; start++)
        {
            var url = $"http://127.0.0.1:{FreePort()}";
            using var http = new HttpClient { BaseAddress = new(url) };
            var backend = new ShopBackend(http, ServerProcess.ApiKey);
            using var started = new CancellationTokenSource();
            var answers = AskAsync(backend, started.Token);
            await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_URLS"] = url });
            await started.CancelAsync();

            var seen = await answers;
            Assert.DoesNotContain(HttpStatusCode.Unauthorized, seen);
            Assert.All(seen, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, status.ToString()));
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready")).StatusCode);
            (await backend.WebhookAsync("first", email: "first@example.com")).AssertOk();
        }
    }

    [EmbeddedOnly]
    [Fact]
    public async Task A_data_folder_that_is_moved_away_is_not_written_and_the_server_says_so()
    {
        using var folder = new TemporaryFolder();
        var (data, away) = (folder.PathOf("data"), folder.PathOf("away"));
        await using var server = await ServerProcess.StartAsync(data);
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        (await backend.WebhookAsync("before", email: "before@example.com")).AssertOk();

        Directory.Move(data, away);
        await AssertRejectsAsync(server, backend);

        // A folder with another store at its place is not that store.
        Directory.CreateDirectory(data);
        foreach (var file in Directory.EnumerateFiles(away, "trackmate.db*")) File.Copy(file, Path.Combine(data, Path.GetFileName(file)));
        await AssertRejectsAsync(server, backend);
        await server.PrintsAsync("was deleted, moved or replaced while the server runs");

        Directory.Delete(data, recursive: true);
        Directory.Move(away, data);
        await Eventually.TrueAsync(async () => (await backend.WebhookAsync("after", email: "after@example.com")).Status is HttpStatusCode.OK, () => "It takes nothing though its folder is back.");
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/ready")).StatusCode);
        Assert.NotNull(await backend.ProfileOfAsync("before@example.com"));
    }

    /// <summary>The log beside the database holds what was acknowledged last: without it that is lost at the next start.</summary>
    [EmbeddedOnly]
    [Theory]
    [InlineData("trackmate.db")]
    [InlineData("trackmate.db-wal")]
    public async Task A_file_that_is_deleted_turns_it_red(string file)
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        (await backend.WebhookAsync("before", email: "before@example.com")).AssertOk();

        File.Delete(Path.Combine(server.DataFolder, file));

        await AssertRejectsAsync(server, backend);
        await server.PrintsAsync("was deleted, moved or replaced while the server runs");
    }

    private static async Task AssertRejectsAsync(ServerProcess server, ShopBackend backend)
    {
        var ready = await Answer.OfAsync(await server.Http.GetAsync("/health/ready"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.Status);
        Assert.Contains("data folder", ready["detail"]);
        var answer = await backend.WebhookAsync("during", email: "during@example.com");
        answer.AssertRefused(503);
        Assert.Matches("^[1-9][0-9]*$", answer.Response.Headers.GetValues("Retry-After").Single());
    }

    private static async Task<List<HttpStatusCode>> AskAsync(ShopBackend backend, CancellationToken stop)
    {
        var seen = new List<HttpStatusCode>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                seen.Add((await backend.WebhookAsync("early", email: "early@example.com")).Status);
            }
            catch (HttpRequestException)
            {
                // Nobody listens yet.
                await Task.Yield();
            }
        }

        return seen;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
