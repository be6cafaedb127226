using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// The workers of a Citus cluster, and where each company lies among them. A transaction of one company runs on its worker, on the shards themselves: the coordinator
/// plans nothing then, and one machine commits (docs/decisions/0013). Where that cannot be done, it goes through the coordinator.
/// </summary>
internal sealed class CitusWorkers(NpgsqlConnectionStringBuilder settings) : IDisposable
{
    /// <summary>How long one is left alone that could not be connected to, while the coordinator is asked instead.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);

    /// <summary>The same for one that this server has never reached, as the network may not lead there, or that holds a company and cannot be asked.</summary>
    private static readonly TimeSpan Unreached = TimeSpan.FromSeconds(60);

    /// <summary>How long a company goes through the coordinator after something that only the coordinator can do.</summary>
    private static readonly TimeSpan Detour = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<long, CompanyShards> companies = new();
    private readonly ConcurrentDictionary<long, long> detours = new();
    private readonly ConcurrentDictionary<(string Host, int Port), Worker> workers = new();

    private sealed class Worker(NpgsqlDataSource source)
    {
        public NpgsqlDataSource Source { get; } = source;

        public volatile bool WasReached;

        private long leftAloneUntil;

        public bool IsLeftAlone => Stopwatch.GetTimestamp() < Volatile.Read(ref leftAloneUntil);

        public void LeaveAlone(TimeSpan duration) => Volatile.Write(ref leftAloneUntil, After(duration));
    }

    /// <summary>Where a company lies; null where it is to be asked of the coordinator.</summary>
    /// <param name="coordinator">Asked where that is not known yet.</param>
    public CompanyShards? Of(long company, PostgresPipe coordinator)
    {
        if (detours.TryGetValue(company, out var until))
        {
            if (Stopwatch.GetTimestamp() < until) return null;
            detours.TryRemove(company, out _);
        }

        if (!companies.TryGetValue(company, out var shards))
        {
            if (Find(company, coordinator) is not { } found)
            {
                detours[company] = After(Unreached);
                return null;
            }

            companies[company] = shards = found;
        }

        return WorkerOf(shards).IsLeftAlone ? null : shards;
    }

    /// <summary>A company has been moved away from where it was, or its worker does not know where it lies.</summary>
    public void Forget(long company) => companies.TryRemove(company, out _);

    /// <summary>Sends a company's next transactions through the coordinator.</summary>
    public void GoAround(long company) => detours[company] = After(Detour);

    /// <summary>Connects to the worker that holds a company.</summary>
    /// <returns>Null where it cannot be reached from here, so that the coordinator is to be asked.</returns>
    /// <exception cref="NpgsqlException">It was there and does not answer.</exception>
    public PostgresPipe? Connect(CompanyShards shards, bool readOnly)
    {
        var worker = WorkerOf(shards);
        for (var again = false; ; again = true)
        {
            try
            {
                var connection = worker.Source.OpenConnection();
                worker.WasReached = true;
                return new(worker.Source, connection, readOnly);
            }
            catch (NpgsqlException e) when (!again && e is not PostgresException && e.InnerException is not TimeoutException)
            {
                // One that lay idle may have lost what it was connected to.
                worker.Source.Clear();
            }
            catch (NpgsqlException e) when (!worker.WasReached || e.InnerException is not TimeoutException)
            {
                worker.LeaveAlone(worker.WasReached ? AfterFault : Unreached);
                return null;
            }
        }
    }

    public void Dispose()
    {
        foreach (var worker in workers.Values) worker.Source.Dispose();
    }

    /// <summary>Of each machine, how it is reached.</summary>
    public NpgsqlConnectionStringBuilder SettingsOf(string host, int port)
    {
        var own = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host, Port = port };
        own.Remove("Target Session Attributes");
        own.Remove("Load Balance Hosts");
        // What is done to shards is done under the lock that Citus takes for it (PostgresDatabase), which is more than it asks for.
        own.Options = $"{own.Options} -c citus.enable_manual_changes_to_shards=on";
        return own;
    }

    private static long After(TimeSpan duration) => Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);

    private Worker WorkerOf(CompanyShards shards) =>
        workers.GetOrAdd(shards.Machine, machine => new(new NpgsqlDataSourceBuilder(SettingsOf(machine.Host, machine.Port).ConnectionString).Build()));

    private static CompanyShards? Find(long company, PostgresPipe coordinator)
    {
        var rows = coordinator.Query(
            """
            SELECT n.nodename, n.nodeport, n.groupid, anchor.shardid, c.relname::text, s.shardid
            FROM pg_dist_shard anchor
            JOIN pg_dist_placement p ON p.shardid = anchor.shardid
            JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary' AND n.isactive AND n.hasmetadata AND n.metadatasynced
            JOIN pg_dist_partition of_anchor ON of_anchor.logicalrelid = anchor.logicalrelid
            JOIN pg_dist_partition t ON t.colocationid = of_anchor.colocationid
            JOIN pg_dist_shard s ON s.logicalrelid = t.logicalrelid AND s.shardminvalue = anchor.shardminvalue
            JOIN pg_class c ON c.oid = t.logicalrelid AND c.relnamespace = current_schema()::regnamespace
            WHERE anchor.shardid = get_shard_id_for_distribution_column(to_regclass('message'), $1)
            """,
            [PostgresDatabase.Parameter(company)]);
        if (rows.Count == 0 || rows.Any(row => (int)row[2]! != (int)rows[0][2]!)) return null;
        var tables = rows.ToFrozenDictionary(row => (string)row[4]!, row => string.Create(CultureInfo.InvariantCulture, $"{row[4]}_{row[5]}"), StringComparer.Ordinal);
        var (host, port, group, shard) = ((string)rows[0][0]!, (int)rows[0][1]!, (int)rows[0][2]!, (long)rows[0][3]!);
        // The coordinator may hold companies too; it is where we are connected to, by whatever name.
        return group == 0 ? null : new(host, port, group, shard, tables);
    }
}
