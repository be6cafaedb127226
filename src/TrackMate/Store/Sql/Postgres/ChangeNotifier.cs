using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Notifies the other servers of the companies that have new messages, and receives their notifications, by LISTEN and NOTIFY on a connection of its own. Only live
/// pages depend on it. A notification that is sent while the connection is lost does not arrive; the company's next message causes another one.
/// </summary>
internal sealed class ChangeNotifier : IDisposable
{
    /// <summary>The least time between two notifications of this server. Notifications of other servers are passed on at once.</summary>
    private const int PauseMilliseconds = 200;

    private const int AgainMilliseconds = 1000;

    /// <summary>The most companies in one notification, which may have 8,000 bytes.</summary>
    private const int MostInOne = 300;

    private readonly NpgsqlDataSource source;
    private readonly Action<IReadOnlyCollection<long>> changed;
    private readonly string self = RandomNumberGenerator.GetHexString(16);
    private readonly Lock gate = new();
    private readonly HashSet<long> pending = [];
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;

    /// <param name="changed">Called with the companies that another server has notified us of.</param>
    public ChangeNotifier(NpgsqlDataSource source, Action<IReadOnlyCollection<long>> changed)
    {
        this.source = source;
        this.changed = changed;
        thread = new(Run) { Name = "store notifications", IsBackground = true };
        thread.Start();
    }

    public void Notify(IEnumerable<long> companies)
    {
        lock (gate) pending.UnionWith(companies);
    }

    public void Dispose()
    {
        stopping.Set();
        thread.Join();
        stopping.Dispose();
    }

    private void Run()
    {
        while (!stopping.IsSet)
        {
            try
            {
                using var connection = source.OpenConnection();
                Follow(connection);
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException or IOException)
            {
                // The writers report the lost database to the senders and in the log.
                stopping.Wait(AgainMilliseconds);
            }
        }
    }

    private void Follow(NpgsqlConnection connection)
    {
        // Each schema of a database is a separate installation.
        using var schema = new NpgsqlCommand("SELECT current_schema()", connection);
        var channel = $"trackmate_{schema.ExecuteScalar()}";
        using (var listen = new NpgsqlCommand($"LISTEN \"{channel}\"", connection)) listen.ExecuteNonQuery();
        connection.Notification += (_, notification) =>
        {
            if (notification.Payload.Split(' ') is [var from, var companies] && from != self)
                changed([.. companies.Split(',').Select(company => long.Parse(company, CultureInfo.InvariantCulture))]);
        };
        for (var sinceLast = Stopwatch.StartNew(); !stopping.IsSet;)
        {
            var left = PauseMilliseconds - (int)sinceLast.ElapsedMilliseconds;
            if (left > 0) connection.Wait(left);
            else
            {
                Notify(connection, channel);
                sinceLast.Restart();
            }
        }
    }

    private void Notify(NpgsqlConnection connection, string channel)
    {
        long[] companies;
        lock (gate)
        {
            companies = [.. pending];
            pending.Clear();
        }

        foreach (var some in companies.Chunk(MostInOne))
        {
            using var notify = new NpgsqlCommand("SELECT pg_notify($1, $2)", connection)
            {
                Parameters = { new() { Value = channel }, new() { Value = $"{self} {string.Join(',', some.Select(company => company.ToString(CultureInfo.InvariantCulture)))}" } },
            };
            notify.ExecuteNonQuery();
        }
    }
}
