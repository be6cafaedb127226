using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Tells the other servers which companies have received something, and hears it from them, through LISTEN and NOTIFY on a connection of its own. Only live pages
/// wait for it: what is told while the connection is gone is lost, and the next message is told again.
/// </summary>
internal sealed class ChangeNotifier : IDisposable
{
    /// <summary>How often it tells at most. In between a notification of another server is handed on at once.</summary>
    private const int PauseMilliseconds = 200;

    private const int AgainMilliseconds = 1000;

    /// <summary>Companies in one notification, which holds 8,000 bytes.</summary>
    private const int MostInOne = 300;

    private readonly NpgsqlDataSource source;
    private readonly Action<IReadOnlyCollection<long>> heard;
    private readonly string self = RandomNumberGenerator.GetHexString(16);
    private readonly Lock gate = new();
    private readonly HashSet<long> untold = [];
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;

    /// <param name="heard">Called with the companies of which another server tells.</param>
    public ChangeNotifier(NpgsqlDataSource source, Action<IReadOnlyCollection<long>> heard)
    {
        this.source = source;
        this.heard = heard;
        thread = new(Run) { Name = "store news", IsBackground = true };
        thread.Start();
    }

    public void Tell(IEnumerable<long> companies)
    {
        lock (gate) untold.UnionWith(companies);
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
                // The writers say that the database is away, and to whom it matters.
                stopping.Wait(AgainMilliseconds);
            }
        }
    }

    private void Follow(NpgsqlConnection connection)
    {
        // Schemas of one database are installations of their own.
        using var schema = new NpgsqlCommand("SELECT current_schema()", connection);
        var channel = $"trackmate_{schema.ExecuteScalar()}";
        using (var listen = new NpgsqlCommand($"LISTEN \"{channel}\"", connection)) listen.ExecuteNonQuery();
        connection.Notification += (_, news) =>
        {
            if (news.Payload.Split(' ') is [var from, var companies] && from != self)
                heard([.. companies.Split(',').Select(company => long.Parse(company, CultureInfo.InvariantCulture))]);
        };
        for (var told = Stopwatch.StartNew(); !stopping.IsSet;)
        {
            var left = PauseMilliseconds - (int)told.ElapsedMilliseconds;
            if (left > 0) connection.Wait(left);
            else
            {
                Tell(connection, channel);
                told.Restart();
            }
        }
    }

    private void Tell(NpgsqlConnection connection, string channel)
    {
        long[] companies;
        lock (gate)
        {
            companies = [.. untold];
            untold.Clear();
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
