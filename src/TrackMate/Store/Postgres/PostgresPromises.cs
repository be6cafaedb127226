using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>Looks whether a database promises what TrackMate relies on (docs/scaling.md), on Citus each of its machines. Every sentence says what to do where it does not.</summary>
internal sealed class PostgresPromises(NpgsqlConnectionStringBuilder settings)
{
    private const int LeastVersion = 150_000;

    /// <summary>A server's writers and the like, and its readers at most.</summary>
    private const int ConnectionsOfServer = 80;

    private static readonly Version LeastCitus = new(11, 2);
    private static readonly TimeSpan MostApart = TimeSpan.FromSeconds(2);

    /// <summary>A machine as it answered.</summary>
    private sealed record Answer(string Version, int VersionNumber, string SynchronousCommit, string WalLevel, int Connections, string? Citus, TimeSpan ClockAhead);

    /// <exception cref="NpgsqlException">The database itself cannot be reached; of a worker that is a finding.</exception>
    public IEnumerable<(bool Good, string Sentence)> Look()
    {
        using var connection = new NpgsqlConnection(settings.ConnectionString);
        connection.Open();
        var answer = Ask(connection);
        var name = answer.Citus is null ? "The database" : "The coordinator";
        foreach (var finding in Judge(name, answer, answer.Citus is not null)) yield return finding;
        if (answer.Citus is not { } citus) yield break;

        using var workers = new CitusWorkers(settings);
        foreach (var (host, port) in WorkersOf(connection))
        {
            var worker = $"Worker {host}:{port.ToString(CultureInfo.InvariantCulture)}";
            Answer? of = null;
            string? reason = null;
            try
            {
                using var straight = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(workers.SettingsOf(host, port).ConnectionString) { Pooling = false }.ConnectionString);
                straight.Open();
                of = Ask(straight);
            }
            catch (NpgsqlException e)
            {
                reason = StoreUnavailableException.CauseOf(e);
            }

            if (of is null)
            {
                yield return (false, $"{worker} cannot be reached from here: {reason}. Let this machine and the role in there; until then its companies go through the coordinator, which costs several times as much.");
                continue;
            }

            foreach (var finding in Judge(worker, of, isDistributed: true)) yield return finding;
            if (of.Citus != citus) yield return (false, $"{worker} has Citus {of.Citus ?? "not installed"}, and the coordinator {citus}. Bring both to the same version: ALTER EXTENSION citus UPDATE.");
        }
    }

    private static IEnumerable<(bool Good, string Sentence)> Judge(string name, Answer answer, bool isDistributed)
    {
        yield return answer.VersionNumber >= LeastVersion
            ? (true, $"{name} is PostgreSQL {answer.Version}{(answer.Citus is { } citus ? $" with Citus {citus}" : "")}.")
            : (false, $"{name} is PostgreSQL {answer.Version}; use 15 or newer.");
        if (answer.Citus is { } found && Version.TryParse(found.Replace('-', '.'), out var version) && version < LeastCitus)
            yield return (false, $"{name} has Citus {found}; use 11.2 or newer.");
        if (answer.SynchronousCommit == "off")
            yield return (false, $"{name} has synchronous_commit off, so a power cut takes what was acknowledged. Set it to on for this role and database.");
        if (isDistributed && answer.WalLevel != "logical")
            yield return (false, $"{name} has wal_level {answer.WalLevel}; set it to logical and restart it, or shards cannot move while they are written.");
        if (answer.Connections < ConnectionsOfServer)
            yield return (false, $"{name} takes {answer.Connections.ToString(CultureInfo.InvariantCulture)} connections, and one server uses up to {ConnectionsOfServer.ToString(CultureInfo.InvariantCulture)}. Raise max_connections to that many for each server.");
        if (answer.ClockAhead.Duration() > MostApart)
            yield return (false, $"The clock of {name[..1].ToLowerInvariant()}{name[1..]} is {answer.ClockAhead.Duration().TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s {(answer.ClockAhead > TimeSpan.Zero ? "ahead of" : "behind")} this machine's. Keep all clocks in step (NTP).");
    }

    private static Answer Ask(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            """
            SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('synchronous_commit'), current_setting('wal_level'),
              current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, (SELECT extversion FROM pg_extension WHERE extname = 'citus'),
              extract(epoch FROM clock_timestamp())::float8
            """, connection);
        var asked = Stopwatch.GetTimestamp();
        using var row = command.ExecuteReader();
        row.Read();
        var middle = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) - (Stopwatch.GetElapsedTime(asked) / 2);
        var ahead = TimeSpan.FromSeconds(row.GetDouble(6)) - (middle - DateTimeOffset.UnixEpoch);
        return new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.IsDBNull(5) ? null : row.GetString(5), ahead);
    }

    private static List<(string Host, int Port)> WorkersOf(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' AND isactive AND groupid <> 0 ORDER BY nodeid", connection);
        using var rows = command.ExecuteReader();
        var workers = new List<(string Host, int Port)>();
        while (rows.Read()) workers.Add((rows.GetString(0), rows.GetInt32(1)));
        return workers;
    }
}
