using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>
/// SQLite's write-ahead log as a file: a server's writer commits with <c>synchronous = NORMAL</c>, which leaves the log to the operating system, and nobody is told before
/// this has brought it onto the disk. SQLite itself brings it there before it moves it into the database.
/// </summary>
/// <param name="databasePath">Of the database; its log is there.</param>
/// <param name="dataSync">What brings a file's bytes onto the disk; the system's own if none is given.</param>
internal sealed class LogFile(string databasePath, Action<SafeFileHandle>? dataSync = null) : IDisposable
{
    private const int Interrupted = 4; // EINTR

    /// <summary>How long readers that hold the log back are waited for; senders wait meanwhile.</summary>
    private const int WaitMilliseconds = 1000;

    private readonly SafeFileHandle file = File.OpenHandle(databasePath + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    private readonly Action<SafeFileHandle> dataSync = dataSync ?? SyncBySystem;

    /// <summary>
    /// The system has said that it could not: what it then holds of the file may never get to the disk, though it says of later syncs that they are done. What is read of
    /// it is whole, so the database takes all of it, and the log starts over.
    /// </summary>
    private bool isDoubtful;

    /// <summary>Returns when all that is committed by now is on the disk; for one thread.</summary>
    /// <exception cref="IOException">It may not be there.</exception>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">The same, where the log has to be moved into the database first.</exception>
    public void Sync()
    {
        if (isDoubtful) StartOver();
        isDoubtful = true;
        dataSync(file);
        isDoubtful = false;
    }

    /// <summary>A log of which the beginning alone is on the disk would take the database back to it, so it is cut to nothing.</summary>
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

        // Without the times of the file, which fsync would write as well.
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
