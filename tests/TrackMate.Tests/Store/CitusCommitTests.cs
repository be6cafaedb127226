using Npgsql;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>
/// What Citus is asked for. A commit in two phases leaves a transaction prepared on the worker if somebody dies in the middle, and holds its company until Citus finds it
/// (citus.recover_2pc_interval); so nothing that senders send may need one.
/// </summary>
[OwnStore]
public sealed class CitusCommitTests
{
    [Fact]
    public async Task What_senders_send_is_committed_in_one_phase()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("TRACKMATE_TEST_CITUS") is not null, "It needs a Citus cluster (TRACKMATE_TEST_CITUS).");
        await using var schema = await PostgresSchema.CreateAsync();
        var name = RunningServer.Unique("phases_");
        await using var servers = await SharedServers.StartAsync(1, new NpgsqlConnectionStringBuilder(schema.Connection) { ApplicationName = name }.ConnectionString);
        var started = await PreparedAsync(schema, name);

        var traffic = new Traffic(senders: 4);
        var isEnough = false;
        var sending = traffic.SendToAsync([servers[0].Http], () => Volatile.Read(ref isEnough));
        await traffic.AcknowledgedAsync(300, sending);
        Volatile.Write(ref isEnough, true);
        Assert.Empty(await sending);
        await traffic.AssertKeptAsync(servers[0].Http);

        // Citus forgets those that it has looked after, so there may be fewer.
        Assert.Subset(started, await PreparedAsync(schema, name));
    }

    /// <summary>The transactions that connections of this name have committed in two phases: Citus writes each down on the coordinator, with the process that began it.</summary>
    private static async Task<HashSet<string>> PreparedAsync(PostgresSchema schema, string name) => [.. ((string)(await schema.AskAsync($"""
        SELECT coalesce(string_agg(t.gid, ' '), '') FROM pg_dist_transaction t JOIN pg_stat_activity a ON t.gid LIKE 'citus\_%\_' || a.pid || '\_%' WHERE a.application_name = '{name}'
        """))!).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}
