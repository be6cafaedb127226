using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>
/// SQLite's write-ahead log as a file. A server's writer commits with <c>synchronous = NORMAL</c>, which leaves the log in the cache of the operating system. No sender
/// gets an answer before this class has synced the log to the disk. SQLite itself syncs the log before it moves it into the database.
/// </summary>
/// <param name="databasePath">The path of the database. The log lies beside it.</param>
/// <param name="dataSync">Syncs the bytes of a file to the disk; null for the operating system's own call.</param>
internal sealed class LogFile(string databasePath, Action<SafeFileHandle>? dataSync = null) : IDisposable
{
    private const int Interrupted = 4; // EINTR

    /// <summary>How long to wait for readers that keep the log from being truncated. Senders wait meanwhile.</summary>
    private const int WaitMilliseconds = 1000;

    private readonly SafeFileHandle file = File.OpenHandle(databasePath + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    private readonly Action<SafeFileHandle> dataSync = dataSync ?? SyncBySystem;

    /// <summary>
    /// True after the operating system reported a failed sync. The bytes in its cache may then never reach the disk, although later syncs report success. Reading the log
    /// still returns intact bytes, so all of it is moved into the database, and the log restarts.
    /// </summary>
    private bool isDoubtful;

    /// <summary>Returns when everything committed so far is on the disk. For one thread.</summary>
    /// <exception cref="IOException">It may not be on the disk.</exception>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">The same, if the log has to be moved into the database first.</exception>
    public void Sync()
    {
        if (isDoubtful) StartOver();
        isDoubtful = true;
        dataSync(file);
        isDoubtful = false;
    }

    /// <summary>Truncates the log to zero bytes. If only the beginning of a log reached the disk, replaying it would revert the database to that state.</summary>
    private void StartOver()
    {
        using var database = SqliteDatabase.Open(databasePath, cacheKibibytes: 1024, checkpoints: false);
        database.Execute($"PRAGMA busy_timeout = {WaitMilliseconds}");
        database.Check(raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _));
    }

    public void Dispose() => file.Dispose();

    private static void SyncBySystem(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        // fdatasync leaves out the timestamps of the file, which fsync would write as well.
        while (DataSync(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted) throw new IOException($"The store's log could not be brought onto the disk: {new Win32Exception(error).Message}");
        }
    }

#pragma warning disable SYSLIB1054 // A generated import would need unsafe code.
    [DllImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static extern int DataSync(SafeFileHandle file);
#pragma warning restore SYSLIB1054
}
