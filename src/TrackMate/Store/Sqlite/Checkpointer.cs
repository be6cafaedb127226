using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sqlite;

/// <summary>
/// Moves the write-ahead log into the database beside the writer, since inline it is the tail of the response times. Under constant load that never lets the log
/// start over, so past 64 MiB the writer itself finishes the little that is left and lets it.
/// </summary>
internal sealed class Checkpointer(string databasePath) : IDisposable
{
    private const int PageBytes = 4096;
    private const int StartPages = (16 << 20) / PageBytes;
    private const int RestartPages = (64 << 20) / PageBytes;
    private const int TruncatePages = (160 << 20) / PageBytes;

    /// <summary>SQLITE_CHECKPOINT_NOOP: only says how long the log is.</summary>
    private const int Measure = -1;

    private readonly AutoResetEvent wanted = new(false);
    private Thread? thread;
    private volatile bool stopping;

    /// <summary>All but the newest of a long log has been moved: the writer may let it start over. Set by the thread, taken back by the writer.</summary>
    private volatile bool mayRestart;

    public void Start()
    {
        thread = new(Run) { Name = "store checkpoint", IsBackground = true };
        thread.Start();
    }

    /// <summary>Called by the writer after each commit, with its own connection.</summary>
    public void AfterCommit(Database writer)
    {
        raw.sqlite3_wal_checkpoint_v2(writer.Handle, "main", Measure, out var pages, out _);
        if (pages < StartPages) return;
        if (pages < RestartPages || !mayRestart)
        {
            wanted.Set();
            return;
        }

        // Readers are short; one that is not (an export) is waited for 50 ms at most, and tried again later.
        raw.sqlite3_busy_timeout(writer.Handle, 50);
        raw.sqlite3_wal_checkpoint_v2(writer.Handle, "main", pages < TruncatePages ? raw.SQLITE_CHECKPOINT_RESTART : raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        raw.sqlite3_busy_timeout(writer.Handle, 5000);
        mayRestart = false;
    }

    private void Run()
    {
        Database? database = null;
        try
        {
            while (true)
            {
                wanted.WaitOne();
                if (stopping) return;
                if (mayRestart) continue;
                try
                {
                    database ??= Database.Open(databasePath, cacheKibibytes: 2048);
                    raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var pages, out _);
                    mayRestart = pages >= RestartPages;
                }
                catch (SqliteException)
                {
                    // A disk that is full or gone is the writer's to report; the log stays whole, and this is tried again after the next commit.
                    database?.Dispose();
                    database = null;
                }
            }
        }
        finally
        {
            database?.Dispose();
        }
    }

    public void Dispose()
    {
        stopping = true;
        wanted.Set();
        thread?.Join();
        wanted.Dispose();
    }
}
