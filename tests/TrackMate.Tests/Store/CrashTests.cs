using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A 200 means stored once, for ever: whatever becomes of the process afterwards.</summary>
public sealed class CrashTests : IDisposable
{
    private const int Kills = 6;

    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-test-").FullName;

    [Fact]
    public async Task Killed_under_load_again_and_again_it_loses_nothing_acknowledged_and_doubles_nothing()
    {
        var traffic = new Traffic(senders: 8);
        for (var round = 1; round <= Kills; round++)
        {
            await using var server = await ServerProcess.StartAsync(folder);
            if (round > 1) await traffic.AssertKeptAsync(server.Http);

            // In the middle of the load, at another place each time: the senders find out by the connection that breaks.
            var enough = traffic.Acknowledged + 150 + (37 * round);
            var kill = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sending = traffic.SendAsync(server.Http, acknowledged =>
            {
                if (acknowledged >= enough) kill.TrySetResult();
            });
            await Task.WhenAny(kill.Task, sending);
            Assert.True(kill.Task.IsCompleted, $"The senders ended before the kill.\n{server.Output}");
            await server.KillAsync();
            await sending;
        }

        await using var last = await ServerProcess.StartAsync(folder);
        await traffic.AssertKeptAsync(last.Http);
        await traffic.SendAgainAsync(last.Http, allKnown: false);
        await traffic.SendAgainAsync(last.Http, allKnown: true);
        await traffic.AssertKeptAsync(last.Http);
    }

    [Fact]
    public async Task Told_to_stop_under_load_it_answers_what_it_took_and_ends_well()
    {
        var traffic = new Traffic(senders: 8);
        await using (var server = await ServerProcess.StartAsync(folder))
        {
            var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sending = traffic.SendAsync(server.Http, acknowledged =>
            {
                if (acknowledged >= 300) stop.TrySetResult();
            });
            await Task.WhenAny(stop.Task, sending);
            Assert.Equal(0, await server.StopAsync());
            await sending;
        }

        Assert.False(new FileInfo(Path.Combine(folder, "trackmate.db-wal")) is { Exists: true, Length: > 0 }, "The log was not moved into the database.");
        await using var next = await ServerProcess.StartAsync(folder);
        Assert.Equal(traffic.Acknowledged, await traffic.AssertKeptAsync(next.Http));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
