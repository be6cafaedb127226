using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Checks that a database fulfils what TrackMate relies on (docs/scaling.md); with Citus, on each machine. Each sentence of a failed check says what to do.</summary>
internal sealed class PostgresChecks(NpgsqlConnectionStringBuilder settings)
{
    private const int LeastVersion = 150_000;

    /// <summary>The connections of one server: its writers, its background work and its readers at most.</summary>
    private const int ConnectionsOfServer = 80;

    private static readonly Version LeastCitus = new(11, 2);
    private static readonly TimeSpan MostApart = TimeSpan.FromSeconds(2);

    /// <summary>The settings of one machine.</summary>
    private sealed record Answer(string Version, int VersionNumber, string Encoding, string SynchronousCommit, string WalLevel, int Connections, string? Citus, TimeSpan ClockAhead);

    /// <exception cref="NpgsqlException">The database itself cannot be reached. An unreachable worker is a finding instead.</exception>
    public IEnumerable<(bool Good, string Sentence)> Run()
    {
        using var connection = new NpgsqlConnection(settings.ConnectionString);
        connection.Open();
        var answer = SettingsOf(connection);
        var name = answer.Citus is null ? "The database" : "The coordinator";
        foreach (var finding in Judge(name, answer, answer.Citus is not null)) yield return finding;
        if (answer.Citus is not { } citus) yield break;

        if (!IsDistributed(connection))
            yield return (false, "Citus was installed after TrackMate made its tables, so no company lies on a worker. Take an empty database that has the extension, and bring everything there: trackmate move.");

        using var workers = new CitusWorkers(settings);
        var machines = WorkersOf(connection);
        if (machines.Count == 0)
        {
            yield return (true, "The cluster has no workers yet; all companies lie on the coordinator.");
            yield break;
        }

        var areAllReached = true;
        foreach (var (host, port) in machines)
        {
            var worker = $"Worker {host}:{port.ToString(CultureInfo.InvariantCulture)}";
            Answer? of = null;
            NpgsqlException? reason = null;
            try
            {
                using var straight = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(workers.SettingsOf(host, port).ConnectionString) { Pooling = false }.ConnectionString);
                straight.Open();
                of = SettingsOf(straight);
            }
            catch (NpgsqlException e)
            {
                reason = e;
            }

            if (of is null)
            {
                areAllReached = false;
                yield return (false, $"{worker} cannot be reached from here: {StoreUnavailableException.CauseOf(reason!)}. {RemedyOf(reason!)}");
                continue;
            }

            foreach (var finding in Judge(worker, of, isDistributed: true)) yield return finding;
            if (of.Citus is null) yield return (false, $"{worker} does not have the extension citus in this database, so nothing of its companies is found there. If it was lost, restore this machine from a backup.");
            else if (of.Citus != citus) yield return (false, $"{worker} has Citus {of.Citus}, and the coordinator {citus}. Bring both to the same version: ALTER EXTENSION citus UPDATE.");
        }

        // The cluster check waits 30 s for an unreachable machine.
        if (!areAllReached) yield break;
        foreach (var (from, to) in Unreached(connection))
            yield return (false, $"{from} does not reach {to} as {settings.Username}, so no company moves there. Its log says why; check .pgpass there and pg_hba.conf on the others (docs/scaling.md).");
    }

    private static string RemedyOf(NpgsqlException reason) => reason is PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidPassword }
        ? "Let this machine and the role in there; until then its companies go through the coordinator, which costs several times as much."
        : "Start it if it does not run, since its companies get 503. If it runs, open the way from this machine to it; until then they go through the coordinator, which costs several times as much.";

    private static IEnumerable<(bool Good, string Sentence)> Judge(string name, Answer answer, bool isDistributed)
    {
        yield return answer.VersionNumber >= LeastVersion
            ? (true, $"{name} is PostgreSQL {answer.Version}{(answer.Citus is { } citus ? $" with Citus {citus}" : "")}.")
            : (false, $"{name} is PostgreSQL {answer.Version}; use 15 or newer.");
        if (answer.Citus is { } found && Version.TryParse(found.Replace('-', '.'), out var version) && version < LeastCitus)
            yield return (false, $"{name} has Citus {found}; use 11.2 or newer.");
        if (answer.Encoding != "UTF8")
            yield return (false, $"{name} has the encoding {answer.Encoding}. Text is kept right only in UTF8: make the database anew there, with ENCODING 'UTF8' TEMPLATE template0 (docs/scaling.md).");
        if (answer.SynchronousCommit == "off")
            yield return (false, $"{name} has synchronous_commit off, so a power cut takes what was acknowledged. Set it to on for this role and database.");
        if (isDistributed && answer.WalLevel != "logical")
            yield return (false, $"{name} has wal_level {answer.WalLevel}; set it to logical and restart it, or shards cannot move while they are written.");
        if (answer.Connections < ConnectionsOfServer)
            yield return (false, $"{name} takes {answer.Connections.ToString(CultureInfo.InvariantCulture)} connections, and one server uses up to {ConnectionsOfServer.ToString(CultureInfo.InvariantCulture)}. Raise max_connections to that many for each server.");
        if (answer.ClockAhead.Duration() > MostApart)
            yield return (false, $"The clock of {name[..1].ToLowerInvariant()}{name[1..]} is {answer.ClockAhead.Duration().TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s {(answer.ClockAhead > TimeSpan.Zero ? "ahead of" : "behind")} this machine's. Keep all clocks in step (NTP).");
    }

    private static Answer SettingsOf(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            """
            SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('synchronous_commit'), current_setting('wal_level'),
              current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, (SELECT extversion FROM pg_extension WHERE extname = 'citus'),
              extract(epoch FROM clock_timestamp())::float8
            """, connection);
        var asked = Stopwatch.GetTimestamp();
        using var row = command.ExecuteReader();
        row.Read();
        var middle = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) - (Stopwatch.GetElapsedTime(asked) / 2);
        var ahead = TimeSpan.FromSeconds(row.GetDouble(7)) - (middle - DateTimeOffset.UnixEpoch);
        return new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetInt32(5), row.IsDBNull(6) ? null : row.GetString(6), ahead);
    }

    private static List<(string Host, int Port)> WorkersOf(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' AND isactive AND groupid <> 0 ORDER BY nodeid", connection);
        using var rows = command.ExecuteReader();
        var workers = new List<(string Host, int Port)>();
        while (rows.Read()) workers.Add((rows.GetString(0), rows.GetInt32(1)));
        return workers;
    }

    /// <summary>Whether companies lie on workers, or no tables exist yet.</summary>
    private static bool IsDistributed(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT to_regclass('message') IS NULL OR EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass('message'))", connection);
        return (bool)command.ExecuteScalar()!;
    }

    /// <summary>Pairs of machines of which the first cannot connect to the second as this role.</summary>
    private static List<(string From, string To)> Unreached(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            """
            SELECT from_nodename || ':' || from_nodeport, string_agg(to_nodename || ':' || to_nodeport, ', ' ORDER BY to_nodename, to_nodeport)
            FROM citus_check_cluster_node_health() WHERE result IS NOT true GROUP BY from_nodename, from_nodeport ORDER BY 1
            """, connection);
        using var rows = command.ExecuteReader();
        var unreached = new List<(string From, string To)>();
        while (rows.Read()) unreached.Add((rows.GetString(0), rows.GetString(1)));
        return unreached;
    }
}
