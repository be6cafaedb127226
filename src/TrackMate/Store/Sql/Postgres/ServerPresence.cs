using System.Net.Sockets;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Shows other programs that a server uses a store: all its servers share an advisory lock, each on a connection of its own. A program that needs the store exclusively
/// takes this lock exclusively. The lock ends with the process, even if that crashes.
/// </summary>
internal sealed class ServerPresence : IDisposable
{
    /// <summary>A lock of two numbers never conflicts with the locks of companies, which have one number.</summary>
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

    /// <exception cref="IOException">Another program uses the store exclusively.</exception>
    public static ServerPresence Announce(NpgsqlDataSource source)
    {
        var connection = source.OpenConnection();
        try
        {
            if (!Query(connection, $"SELECT pg_try_advisory_lock_shared{Lock}")) throw new IOException("a move from or to it is under way; start the server when that is done.");
            return new(source, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Keeps servers from starting as long as the connection is open. PostgreSQL needs a moment to notice a killed program, so this waits up to 3 s.</summary>
    /// <returns>False if a server is running.</returns>
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

    private static bool Query(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar() is true;
    }

    /// <summary>A lost connection loses the lock. It is taken again as soon as a new connection can be opened.</summary>
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
                // The writers and readers report the lost database.
            }

            connection = source.CreateConnection();
            await Task.Delay(Pause, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
