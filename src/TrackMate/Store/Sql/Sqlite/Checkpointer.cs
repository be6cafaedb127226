using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>Limits for the length of the write-ahead log, in pages of 4 KiB.</summary>
/// <param name="Move">At this length the log is moved into the database, beside the writer. A page that changes often is then moved once.</param>
/// <param name="StartOver">At this length the writer restarts the log, if nearly all of it has been moved.</param>
/// <param name="Cut">At this length the writer moves the rest itself and truncates the file, even if the thread has not kept up.</param>
internal sealed record LogLimits(int Move, int StartOver, int Cut)
{
    /// <summary>32, 64 and 160 MiB: under constant load the file stays below 200 MB.</summary>
    public static readonly LogLimits Default = new(8192, 16384, 40960);

    /// <summary>The thread repeats its move until at most this many pages arrived meanwhile. Then the writer may restart the log.</summary>
    public int Little => Move / 64;
}

/// <summary>
/// Moves the write-ahead log into the database beside the writer, since doing it inside a commit makes the slowest response times slower. Under constant load the log
/// never restarts in this way. So beyond a limit the writer itself moves the small rest and restarts the log.
/// </summary>
internal sealed class Checkpointer(string databasePath, LogLimits limits) : IDisposable
{
    /// <summary>Under constant load the rest may never become small. The thread gives up after this many rounds.</summary>
    private const int MostRounds = 4;

    /// <summary>SQLITE_CHECKPOINT_NOOP: only returns the length of the log.</summary>
    private const int Measure = -1;

    private readonly AutoResetEvent wanted = new(false);
    private Thread? thread;
    private volatile bool stopping;

    /// <summary>Whether nearly all of a long log has been moved, so that the writer may restart it. Set by the thread, cleared by the writer.</summary>
    private volatile bool mayStartOver;

    /// <summary>Used by the writer only.</summary>
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
            // SQLite restarts the log itself once all of it is moved. With a flag left over from the previous log, the writer would have to move all of this one.
            mayStartOver = false;
            return;
        }

        if (pages >= nextCut)
        {
            // A long reader, such as an export, keeps its snapshot in the log. The writer waits for it for 1 s at most, and again after the log has grown further.
            // If the thread is moving the log, SQLite rejects the writer at once, and the writer tries again some pages later.
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

    /// <returns>False if SQLite rejected it without waiting.</returns>
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
                    // Pages that were written meanwhile are moved in the next round, until only few are left for the writer.
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
                    // The writer reports a disk that is full or gone. The log stays intact, and the next commit triggers another attempt.
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
