using System.Net;
using System.Net.Sockets;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary>How a server starts and ends.</summary>
public sealed class ServeCommandTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_stop_answers_all_it_took_and_ends_with_0(string signal)
    {
        var folder = Directory.CreateTempSubdirectory("trackmate-stop-").FullName;
        try
        {
            var acknowledged = new List<string>();
            await using (var server = await ServerProcess.StartAsync(folder))
            {
                var shopper = new Shopper(server.Http, ServerProcess.CompanyId, "session_stop");
                var enough = new TaskCompletionSource();
                async Task SendUntilRefusedAsync(int sender)
                {
                    for (var i = 0; ; i++)
                    {
                        var eventId = $"stop_{sender}_{i}";
                        try
                        {
                            var answer = await shopper.TrackAsync("tick", eventId: eventId);
                            Assert.True(answer.Status is HttpStatusCode.OK, $"A server that stops answered {answer.Status}.");
                        }
                        catch (HttpRequestException)
                        {
                            return;
                        }

                        lock (acknowledged)
                        {
                            acknowledged.Add(eventId);
                            if (acknowledged.Count == 200) enough.TrySetResult();
                        }
                    }
                }

                var senders = Enumerable.Range(0, 8).Select(SendUntilRefusedAsync).ToList();
                await enough.Task.WaitAsync(TimeSpan.FromSeconds(30));
                Assert.Equal(0, await server.StopAsync(signal));
                await Task.WhenAll(senders);
            }

            Assert.False(File.Exists(Path.Combine(folder, "trackmate.db-wal")), "The log was not moved into the database.");
            await using var again = await ServerProcess.StartAsync(folder);
            var stored = new List<string>();
            string? cursor = null;
            do
            {
                var page = (await new ShopBackend(again.Http, ServerProcess.ApiKey).GetAsync("/api/sessions/session_stop?limit=1000" + (cursor is null ? "" : $"&cursor={cursor}"))).Body!;
                stored.AddRange(page["events"]!.AsArray().Select(found => found!["eventId"]!.ToString()));
                cursor = page["nextCursor"]?.ToString();
            }
            while (cursor is not null);

            Assert.Empty(acknowledged.Except(stored));
            Assert.Equal(stored.Count, stored.Distinct().Count());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [EmbeddedOnly]
    [Fact]
    public async Task A_second_server_on_a_folder_refuses()
    {
        await using var server = await ServerProcess.StartAsync();
        var trackmate = new CommandLineRunner(server) { Environment = { ["TRACKMATE_URLS"] = "http://127.0.0.1:0" } };

        Assert.StartsWith($"Another TrackMate server is running on the data folder {server.DataFolder}; stop that one", await trackmate.FailAsync("serve", 1));

        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/ready")).StatusCode);
    }

    [Fact]
    public async Task A_port_in_use_is_said_and_no_secret_is_lost()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var trackmate = new CommandLineRunner { Environment = { ["TRACKMATE_URLS"] = $"http://{other.LocalEndpoint}" } };

        var sentence = await trackmate.FailAsync("serve", 1);

        Assert.Contains("address already in use. Is another program listening there? Choose another address with TRACKMATE_URLS.", sentence);
        await using var later = await ServerProcess.StartAsync(trackmate.DataFolder, new Dictionary<string, string?> { ["TRACKMATE_COMPANY"] = null, ["TRACKMATE_API_KEY"] = null, ["TRACKMATE_ADMIN_PASSWORD"] = null });
        Assert.Matches(@"Company +TM-DEMO\s", later.Output);
        Assert.Matches(@"API key +tm_live_\S{38}\s", await Eventually.BecomesAsync(() => Task.FromResult(later.Output), output => output.Contains("API key", StringComparison.Ordinal)));
        Assert.Matches(@"Password +\S{20}\s", later.Output);
    }

    [Fact]
    public async Task A_server_that_is_killed_holds_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("trackmate-kill-").FullName;
        await using (var server = await ServerProcess.StartAsync(folder)) await server.KillAsync();

        await using (var again = await ServerProcess.StartAsync(folder)) Assert.Equal(HttpStatusCode.OK, (await again.Http.GetAsync("/health/ready")).StatusCode);

        Directory.Delete(folder, recursive: true);
    }
}
