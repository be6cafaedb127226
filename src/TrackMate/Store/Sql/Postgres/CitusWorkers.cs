using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// The workers of a Citus cluster, and the worker that holds each company. A transaction of one company runs directly on its worker and its shards: the coordinator then
/// plans nothing, and one machine commits (docs/decisions/0013). If the worker cannot be reached, the transaction goes through the coordinator.
/// </summary>
internal sealed class CitusWorkers(NpgsqlConnectionStringBuilder settings) : IDisposable
{
    /// <summary>How long an unreachable worker is not tried again. Its companies go through the coordinator meanwhile.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);

    /// <summary>The same for a worker that this server has never reached, since there may be no network route, and for a company whose worker cannot be determined.</summary>
    private static readonly TimeSpan Unreached = TimeSpan.FromSeconds(60);

    /// <summary>How long a company goes through the coordinator after a statement that only the coordinator can run.</summary>
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

    /// <summary>The worker and shards that hold a company; null if its transactions go through the coordinator.</summary>
    /// <param name="coordinator">Queried if the shards are not in memory yet.</param>
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

    /// <summary>Drops the cached shards of a company: they were moved to another worker, or the worker does not know them.</summary>
    public void Invalidate(long company) => companies.TryRemove(company, out _);

    /// <summary>Sends the next transactions of a company through the coordinator.</summary>
    public void GoAround(long company) => detours[company] = After(Detour);

    /// <summary>Connects to the worker that holds a company.</summary>
    /// <returns>Null if this server cannot reach the worker, so that the coordinator must be used.</returns>
    /// <exception cref="NpgsqlException">The worker accepts connections and does not answer.</exception>
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
                // An idle connection of the pool may be broken; try once with a new one.
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

    /// <summary>The connection settings of a machine of the cluster.</summary>
    public NpgsqlConnectionStringBuilder SettingsOf(string host, int port)
    {
        var own = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host, Port = port };
        own.Remove("Target Session Attributes");
        own.Remove("Load Balance Hosts");
        // Before we write to shards, PostgresDatabase takes the lock that Citus takes for such writes. That is more than Citus requires.
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
        // The coordinator may hold companies too. We are connected to it already, perhaps by another name.
        return group == 0 ? null : new(host, port, group, shard, tables);
    }
}
