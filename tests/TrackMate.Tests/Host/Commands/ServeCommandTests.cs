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
        using var folder = new TemporaryFolder();
        var traffic = new Traffic(senders: 8);
        await using (var server = await ServerProcess.StartAsync(folder.Path))
        {
            var sending = traffic.SendAsync(server.Http);
            await traffic.AcknowledgedAsync(300, sending);
            Assert.Equal(0, await server.StopAsync(signal));
            await sending;
        }

        Assert.False(File.Exists(Path.Combine(folder.Path, "trackmate.db-wal")), "The log was not moved into the database.");
        await using var again = await ServerProcess.StartAsync(folder.Path);
        Assert.Equal(traffic.Acknowledged, await traffic.AssertKeptAsync(again.Http));
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
        foreach (var secret in new[] { "Company", "API key", "Password" }) await later.PrintsAsync(secret);
        Assert.Matches(@"Company +TM-DEMO\s", later.Output);
        Assert.Matches(@"API key +tm_live_\S{38}\s", later.Output);
        Assert.Matches(@"Password +\S{20}\s", later.Output);
    }

    [Fact]
    public async Task A_server_that_is_killed_holds_nothing()
    {
        using var folder = new TemporaryFolder();
        await using (var server = await ServerProcess.StartAsync(folder.Path)) await server.KillAsync();

        await using var again = await ServerProcess.StartAsync(folder.Path);
        Assert.Equal(HttpStatusCode.OK, (await again.Http.GetAsync("/health/ready")).StatusCode);
    }
}
