using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>
/// Two servers on a real Citus cluster, and two companies on two of its workers. One company has traffic of all kinds while something happens to its worker, the other
/// goes on; in the end everything that was acknowledged is there once.
/// </summary>
[OwnStore]
[Collection(nameof(CitusFaultTests))]
public sealed class CitusFaultTests
{
    private const string Other = "TM-OTHER";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What happens, and for how many seconds longer than that the company may be out.</summary>
    public static TheoryData<string, int> Faults => new() { { "quick restart", 3 }, { "kill", 3 }, { "hang", 8 }, { "coordinator restart", 3 }, { "isolate", 8 }, { "rebalance", 8 }, { "add a worker", 8 } };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Whatever_becomes_of_a_worker_nothing_acknowledged_is_lost_or_doubled(string fault, int longer)
    {
        CitusCluster.Require();
        await using var schema = await PostgresSchema.CreateAsync();
        await using var servers = await SharedServers.StartAsync(2, schema.Connection);
        var (company, worker, other) = await CompaniesAsync(servers, schema);
        var traffic = new Traffic(senders: 4);
        var isEnough = false;
        var sending = traffic.SendToAsync([.. servers.All.Select(server => server.Http)], () => Volatile.Read(ref isEnough));
        using var stop = new CancellationTokenSource();
        var watched = WatchAsync(servers[0].Http, ServerProcess.CompanyId, stop.Token);
        var beside = WatchAsync(servers[1].Http, other, stop.Token);
        await traffic.AcknowledgedAsync(100, sending);
        await Task.Delay(3000, Cancel);

        var began = Stopwatch.GetTimestamp();
        try
        {
            await HappenAsync(fault, schema, company, worker);
        }
        finally
        {
            await CitusCluster.DoAsync("start-worker", worker.ToString(CultureInfo.InvariantCulture));
        }

        var ended = Stopwatch.GetTimestamp();

        await traffic.AcknowledgedAsync(traffic.Acknowledged + 100, sending);
        await Task.Delay(3000, Cancel);
        Volatile.Write(ref isEnough, true);
        Assert.Empty(await sending);
        await stop.CancelAsync();
        var (own, quiet) = (await watched, await beside);

        var lasted = Stopwatch.GetElapsedTime(began, ended).TotalSeconds;
        var failed = own.Where(answer => !answer.IsOk).ToList();
        // Of a request that failed, the time at which the one after it succeeded.
        var back = failed.Count == 0 ? 0 : Stopwatch.GetElapsedTime(began, own.First(answer => answer.IsOk && answer.Ended > failed[^1].Ended).Ended).TotalSeconds;
        var (before, during) = (P99(quiet.Where(answer => answer.Ended < began)), P99(quiet.Where(answer => answer.Ended >= began && answer.Ended <= ended)));
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{fault}: lasted {lasted:0.0} s; {failed.Count} of {own.Count} of its company failed, the last was followed by an answer {back:0.0} s after it began; of the other {quiet.Count(answer => !answer.IsOk)} of {quiet.Count} failed, p99 {before:0} ms before and {during:0} ms during"));
        Assert.True(back <= lasted + longer, $"The company was out until {back:0.0} s after it began, which lasted {lasted:0.0} s.");
        if (fault is not ("coordinator restart" or "isolate")) Assert.DoesNotContain(quiet, answer => !answer.IsOk);

        await traffic.SendAgainAsync(servers[1].Http, allKnown: true);
        await traffic.AssertKeptAsync(servers[0].Http);
        foreach (var server in servers.All) Assert.DoesNotContain("please report this", server.Output);
        using var trackmate = servers.Beside(servers[0]);
        Assert.All((await trackmate.DoAsync("doctor")).Trim().Split('\n'), line => Assert.StartsWith("ok ", line));
    }

    private static async Task HappenAsync(string fault, PostgresSchema schema, long company, int worker)
    {
        var number = worker.ToString(CultureInfo.InvariantCulture);
        switch (fault)
        {
            case "quick restart" or "kill":
                await CitusCluster.DoAsync("kill-worker", number);
                if (fault == "kill") await Task.Delay(TimeSpan.FromSeconds(8), Cancel);
                break;
            case "hang":
                await CitusCluster.DoAsync("pause-worker", number);
                await Task.Delay(TimeSpan.FromSeconds(8), Cancel);
                await CitusCluster.DoAsync("resume-worker", number);
                break;
            case "coordinator restart":
                await CitusCluster.DoAsync("restart-coordinator");
                break;
            case "isolate":
                await CitusCluster.DoAsync("sql", string.Create(CultureInfo.InvariantCulture, $"SELECT isolate_tenant_to_new_shard('{schema.Name}.message', {company}, 'CASCADE', shard_transfer_mode => 'block_writes')"));
                break;
            case "rebalance":
                // The company goes to the other worker and comes back: what a rebalance does, of the company that is watched.
                await MoveAsync(schema, company, "block_writes");
                await MoveAsync(schema, company, "force_logical");
                break;
            case "add a worker":
                await CitusCluster.DoAsync("add-worker");
                await MoveAsync(schema, company, "force_logical");
                break;
            default:
                throw new ArgumentException($"{fault} is no fault.", nameof(fault));
        }
    }

    /// <summary>Moves a company to the newest worker that does not hold it.</summary>
    private static Task<string> MoveAsync(PostgresSchema schema, long company, string mode) =>
        CitusCluster.DoAsync("sql", string.Create(CultureInfo.InvariantCulture, $"""
            SELECT citus_move_shard_placement(p.shardid, o.nodename, o.nodeport, n.nodename, n.nodeport, shard_transfer_mode => '{mode}')
            FROM pg_dist_placement p JOIN pg_dist_node o ON o.groupid = p.groupid JOIN pg_dist_node n ON n.groupid NOT IN (0, p.groupid)
            WHERE p.shardid = get_shard_id_for_distribution_column('{schema.Name}.message', {company}) ORDER BY n.nodeid DESC LIMIT 1
            """));

    /// <summary>The company that every server has from its start, its worker, and a company on another worker.</summary>
    private static async Task<(long Company, int Worker, string Other)> CompaniesAsync(SharedServers servers, PostgresSchema schema)
    {
        var company = (long)(await schema.AskAsync($"SELECT id FROM company WHERE company_id = '{ServerProcess.CompanyId}'"))!;
        var worker = await CitusCluster.WorkerOfAsync(schema.Name, company);
        using var trackmate = servers.Beside(servers[0]);
        for (var number = 1; ; number++)
        {
            await trackmate.DoAsync($"company add {Other}{number}");
            var added = (long)(await schema.AskAsync($"SELECT id FROM company WHERE company_id = '{Other}{number}'"))!;
            // One that no writer of a server shares with the first.
            if (added % 8 == company % 8 || await CitusCluster.WorkerOfAsync(schema.Name, added) == worker) continue;
            await Eventually.TrueAsync(async () => (await new Shopper(servers[1].Http, $"{Other}{number}").TrackAsync("page_view")).Status is HttpStatusCode.OK, () => servers[1].Output);
            return (company, worker, $"{Other}{number}");
        }
    }

    /// <summary>One visitor of a company who does something twenty times a second.</summary>
    private static async Task<List<(long Ended, double Milliseconds, bool IsOk)>> WatchAsync(HttpClient http, string companyId, CancellationToken stop)
    {
        var seen = new ConcurrentQueue<(long Ended, double Milliseconds, bool IsOk)>();
        var shopper = new Shopper(http, companyId);
        while (!stop.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await shopper.TrackAsync("page_view");
            seen.Enqueue((Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(started).TotalMilliseconds, answer.Status is HttpStatusCode.OK));
            await Task.Delay(50, CancellationToken.None);
        }

        return [.. seen];
    }

    private static double P99(IEnumerable<(long Ended, double Milliseconds, bool IsOk)> answers)
    {
        var sorted = answers.Select(answer => answer.Milliseconds).Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, sorted.Count * 99 / 100)];
    }
}
