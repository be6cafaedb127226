using System.Net.Sockets;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Tells other programs that a server works on a store: a lock that all its servers share, on a connection of its own, and that whoever needs the store for itself
/// takes alone. It ends with the process, however that ends.
/// </summary>
internal sealed class ServerPresence : IDisposable
{
    /// <summary>Locks of two numbers never meet those of companies, which are of one.</summary>
    private const string Lock = "(hashtext(current_schema()), 2)";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource source;
    private readonly CancellationTokenSource ended = new();
    private readonly Task held;

    private ServerPresence(NpgsqlDataSource source, NpgsqlConnection connection)
    {
        this.source = source;
        held = Task.Run(() => HoldAsync(connection));
    }

    /// <exception cref="IOException">Somebody has the store for itself.</exception>
    public static ServerPresence Announce(NpgsqlDataSource source)
    {
        var connection = source.OpenConnection();
        try
        {
            if (!Defer(connection, $"SELECT pg_try_advisory_lock_shared{Lock}")) throw new IOException("a move from or to it is under way; start the server when that is done.");
            return new(source, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Keeps servers away for as long as the connection lasts. PostgreSQL needs a moment to notice that a program was killed, so it waits a little.</summary>
    /// <returns>False where one is there.</returns>
    public static bool TryTakeAlone(NpgsqlConnection connection)
    {
        try
        {
            using var command = new NpgsqlCommand($"SET lock_timeout = '3s'; SELECT pg_advisory_lock{Lock}; RESET lock_timeout", connection);
            command.ExecuteNonQuery();
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            return false;
        }
    }

    public void Dispose()
    {
        ended.Cancel();
        held.GetAwaiter().GetResult();
        ended.Dispose();
    }

    private static bool Defer(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar() is true;
    }

    /// <summary>A connection that is lost takes the lock with it, so that it is taken again as soon as there is one.</summary>
    private async Task HoldAsync(NpgsqlConnection connection)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await using (connection)
                {
                    if (connection.State is not System.Data.ConnectionState.Open)
                    {
                        await connection.OpenAsync(ended.Token);
                        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock_shared{Lock}", connection);
                        await command.ExecuteNonQueryAsync(ended.Token);
                    }

                    while (true) await connection.WaitAsync(ended.Token);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or SocketException or IOException or InvalidOperationException or TimeoutException)
            {
                // Whoever writes or reads says that the database is gone.
            }

            connection = source.CreateConnection();
            await Task.Delay(Pause, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
