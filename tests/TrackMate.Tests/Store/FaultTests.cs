using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A disk that is full or read-only: senders are told to come again, readers read on, and it recovers by itself.</summary>
[EmbeddedOnly]
public sealed class FaultTests
{
    private const string SessionId = "session_1729260000_abc123";

    [Fact]
    public async Task A_full_disk_is_a_503_until_there_is_room_again()
    {
        using var disk = new SmallDisk(mebibytes: 8);
        // Without a reserve, which would stop browsers before the disk is full.
        await using var server = await ServerProcess.StartAsync(disk.Folder, new Dictionary<string, string?> { ["TRACKMATE_DISK_RESERVE"] = "off" });
        await AssertFaultIsSurvived(server, disk.Fill, disk.MakeRoom);
    }

    /// <summary>Not the folder alone but its files, since a running server holds them open: writing to them is refused, as on a file system that went read-only.</summary>
    [Fact]
    public async Task Files_that_became_read_only_are_a_503_until_they_can_be_written_again()
    {
        await using var server = await ServerProcess.StartAsync();
        var files = new[] { "trackmate.db", "trackmate.db-wal" }.Select(name => Path.Combine(server.DataFolder, name)).ToArray();
        void Change(string attribute) => Commands.Run("chattr", [attribute, .. files], "make files immutable: run it as root with CAP_LINUX_IMMUTABLE, its temporary folder on ext4, xfs or btrfs");
        try
        {
            await AssertFaultIsSurvived(server, () => Change("+i"), () => Change("-i"));
        }
        finally
        {
            Change("-i");
        }
    }

    [Fact]
    public async Task A_start_on_a_read_only_folder_says_why_and_ends()
    {
        using var disk = new SmallDisk(mebibytes: 8);
        await (await ServerProcess.StartAsync(disk.Folder)).DisposeAsync();
        Commands.Run("mount", ["-o", "remount,ro", disk.Folder], "mount a file system read-only: run it as root");
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["serve"], new Dictionary<string, string?> { ["TRACKMATE_DATA"] = disk.Folder, ["TRACKMATE_URLS"] = "http://127.0.0.1:0" });
        Assert.Equal(1, exitCode);
        Assert.Contains($"The data folder {disk.Folder} cannot be used", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    private static async Task AssertFaultIsSurvived(ServerProcess server, Action breakDisk, Action mendDisk)
    {
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId, SessionId);
        var stored = new List<string>();
        await SendAsync(shopper, "before", stored);
        await AssertReadable(server, stored);
        Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "ready"));

        breakDisk();
        var refused = new List<string>();
        for (var i = 0; refused.Count < 5 && i < 1000; i++)
        {
            // Room that was taken before may still take a little.
            var eventId = $"during-{i}";
            var answer = await SendAsync(shopper, eventId, stored);
            if (answer.Status is HttpStatusCode.OK) continue;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
            Assert.Matches("^[1-9][0-9]*$", answer.Response.Headers.GetValues("Retry-After").Single());
            Assert.Contains("nothing of this was stored", answer["detail"]);
            refused.Add(eventId);
        }

        Assert.Equal(5, refused.Count);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync(server, "ready"));
            Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "live"));
        }

        // Of a refused request of many messages there is none.
        await AssertReadable(server, stored);
        await server.PrintsAsync("cannot be written");

        mendDisk();
        Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "ready"));
        foreach (var eventId in refused) Assert.Equal(HttpStatusCode.OK, (await SendAsync(shopper, eventId, stored)).Status);
        await AssertReadable(server, stored);
        await server.PrintsAsync("is written again");

        await server.KillAsync();
        await using var next = await ServerProcess.StartAsync(server.DataFolder);
        await AssertReadable(next, stored);
    }

    /// <summary>Sends three events of 20 KiB in one request, and notes what was acknowledged.</summary>
    private static async Task<Answer> SendAsync(Shopper shopper, string eventId, List<string> stored)
    {
        var eventIds = Enumerable.Range(0, 3).Select(i => $"{eventId}-{i}").ToList();
        var answer = await shopper.SendAsync("/api/events", new JsonObject
        {
            ["company_id"] = ServerProcess.CompanyId,
            ["sessionId"] = shopper.SessionId,
            ["events"] = new JsonArray([.. eventIds.Select(eventId => new JsonObject
            {
                ["eventType"] = "page_view",
                ["eventData"] = new JsonObject { ["text"] = new string('x', 20 * 1024) },
                ["eventId"] = eventId,
                ["timestamp"] = "2025-10-18T10:00:00Z",
            })]),
        });
        if (answer.Status is HttpStatusCode.OK) stored.AddRange(eventIds);
        return answer;
    }

    private static async Task AssertReadable(ServerProcess server, List<string> stored)
    {
        var session = await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync($"/api/sessions/{SessionId}?limit=1000");
        Assert.Equal(HttpStatusCode.OK, session.Status);
        Assert.Equal(stored.Order(StringComparer.Ordinal), session.Body!["events"]!.AsArray().Select(shown => shown!["eventId"]!.ToString()).Order(StringComparer.Ordinal));
    }

    private static async Task<HttpStatusCode> HealthAsync(ServerProcess server, string what)
    {
        using var answer = await server.Http.GetAsync("/health/" + what);
        return answer.StatusCode;
    }
}
