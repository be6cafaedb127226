using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>How long the write-ahead log may get, in pages of 4 KiB.</summary>
/// <param name="Move">So much at a time is moved into the database, beside the writer: a page that changes again and again is moved once.</param>
/// <param name="StartOver">From here on the writer lets it start over, once nearly all has been moved.</param>
/// <param name="Cut">From here on the writer moves the rest itself and cuts the file, whether or not the thread has kept up.</param>
internal sealed record LogLimits(int Move, int StartOver, int Cut)
{
    /// <summary>32, 64 and 160 MiB: under constant load the file stays below 200 MB.</summary>
    public static readonly LogLimits Default = new(8192, 16384, 40960);

    /// <summary>Until so little has come meanwhile is moved beside the writer, before it lets the log start over.</summary>
    public int Little => Move / 64;
}

/// <summary>
/// Moves the write-ahead log into the database beside the writer, since inline it is the tail of the response times. Under constant load that never lets the log
/// start over, so past a limit the writer itself finishes the little that is left and lets it.
/// </summary>
internal sealed class Checkpointer(string databasePath, LogLimits limits) : IDisposable
{
    /// <summary>Under load that never lets little be left, it is enough to have tried so often.</summary>
    private const int MostRounds = 4;

    /// <summary>SQLITE_CHECKPOINT_NOOP: only says how long the log is.</summary>
    private const int Measure = -1;

    private readonly AutoResetEvent wanted = new(false);
    private Thread? thread;
    private volatile bool stopping;

    /// <summary>All but the newest of a long log has been moved: the writer may let it start over. Set by the thread, taken back by the writer.</summary>
    private volatile bool mayStartOver;

    /// <summary>Used only by the writer.</summary>
    private int nextCut = limits.Cut;

    public void Start()
    {
        thread = new(Run) { Name = "store checkpoint", IsBackground = true };
        thread.Start();
    }

    /// <summary>Called by the writer after each commit, with its own connection.</summary>
    public void AfterCommit(SqliteDatabase writer)
    {
        raw.sqlite3_wal_checkpoint_v2(writer.Handle, "main", Measure, out var pages, out var moved);
        if (pages < limits.Move)
        {
            nextCut = limits.Cut;
            // SQLite starts over by itself where all was moved. A flag left from the log before would have the writer move all of this one.
            mayStartOver = false;
            return;
        }

        if (pages >= nextCut)
        {
            // A reader of long breath (an export) keeps what it looks at in the log; it is waited for a second at most, and again when more has come.
            // Where the thread is at work the writer is refused at once, and tries again after some pages.
            nextCut = pages + (StartOver(writer, raw.SQLITE_CHECKPOINT_TRUNCATE, waitMilliseconds: 1000) ? limits.Move : limits.Little);
        }
        else if (pages >= limits.StartOver && mayStartOver)
        {
            StartOver(writer, raw.SQLITE_CHECKPOINT_RESTART, waitMilliseconds: 50);
        }
        else if (pages >= limits.StartOver || pages - moved >= limits.Move)
        {
            wanted.Set();
        }
    }

    /// <returns>False where it was refused without waiting.</returns>
    private bool StartOver(SqliteDatabase writer, int mode, int waitMilliseconds)
    {
        var since = Stopwatch.GetTimestamp();
        raw.sqlite3_busy_timeout(writer.Handle, waitMilliseconds);
        var code = raw.sqlite3_wal_checkpoint_v2(writer.Handle, "main", mode, out _, out _);
        raw.sqlite3_busy_timeout(writer.Handle, SqliteDatabase.BusyMilliseconds);
        mayStartOver = false;
        return code != raw.SQLITE_BUSY || Stopwatch.GetElapsedTime(since).TotalMilliseconds >= waitMilliseconds / 2;
    }

    private void Run()
    {
        SqliteDatabase? database = null;
        try
        {
            while (true)
            {
                wanted.WaitOne();
                if (stopping) return;
                if (mayStartOver) continue;
                try
                {
                    database ??= SqliteDatabase.Open(databasePath, cacheKibibytes: 2048, checkpoints: false);
                    int pages, rounds = 0;
                    // What was written meanwhile is moved after it, until little is left for the writer to wait for.
                    do
                    {
                        raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", Measure, out _, out var movedBefore);
                        raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out pages, out var moved);
                        if (pages < limits.StartOver || moved - movedBefore <= limits.Little || ++rounds == MostRounds) break;
                    }
                    while (!stopping);

                    mayStartOver = pages >= limits.StartOver;
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
