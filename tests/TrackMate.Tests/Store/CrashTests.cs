using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A 200 means stored once, for ever: whatever becomes of the process afterwards. What becomes of servers on PostgreSQL: <see cref="PostgresFaultTests"/>.</summary>
[EmbeddedOnly]
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
            var sending = traffic.SendAsync(server.Http);
            await traffic.AcknowledgedAsync(traffic.Acknowledged + 150 + (37 * round), sending);
            await server.KillAsync();
            await sending;
        }

        await using var last = await ServerProcess.StartAsync(folder);
        await traffic.AssertKeptAsync(last.Http);
        await traffic.SendAgainAsync(last.Http, allKnown: false);
        await traffic.SendAgainAsync(last.Http, allKnown: true);
        await traffic.AssertKeptAsync(last.Http);
    }

    /// <summary>With <c>./test.sh --long</c> a million events over two hundred kills.</summary>
    [Fact]
    public async Task Batches_survive_kill_after_kill()
    {
        var (kills, eventsBetween) = StoreUnderTest.IsLong ? (200, 5000) : (3, 2000);
        var ledger = new BatchLedger(senders: 8, eventsPerBatch: 50);
        for (var kill = 1; kill <= kills; kill++)
        {
            await using var server = await ServerProcess.StartAsync(folder);
            if (kill > 1) await ledger.AssertKeptAsync(server.Http, run: kill - 1);
            var sending = ledger.SendAsync(server.Http, run: kill);
            await ledger.AcknowledgedAsync((long)kill * eventsBetween, sending);
            await server.KillAsync();
            await sending;
        }

        await using var last = await ServerProcess.StartAsync(folder);
        var stored = await ledger.AssertKeptAsync(last.Http);
        TestContext.Current.SendDiagnosticMessage($"{kills} kills: {ledger.Acknowledged} events acknowledged, {stored} stored, 0 lost, 0 doubled.");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
