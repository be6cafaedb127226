using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>
/// Removes the bytes of erased rows from the files. SQLite's <c>secure_delete</c> overwrites deleted rows. But the log still holds the old pages, and after a page was
/// split or rewritten, copies of rows may remain in the gap between its pointers and its content, which SQLite neither reads nor overwrites.
/// So this class moves and truncates the log, and overwrites the gaps with zeros.
/// </summary>
/// <param name="path">The store's file. Any process may be writing it.</param>
internal sealed class FileCleaner(string path)
{
    /// <summary>Pages examined while the writer waits: 16 MiB.</summary>
    private const int PagesAtOnce = 4096;

    /// <summary>In a larger file (over 128 GiB) the first byte of a page that belongs to no tree could look like that of a tree page.</summary>
    private const long MostPages = 0x0200_0000;

    private const int LockWaitMilliseconds = 250;

    /// <summary>The pause between two rounds, so that the writer has most of the time.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <param name="limit">How long to wait for readers that keep the log from being truncated.</param>
    /// <param name="cancel">Ends the work between two rounds. It may be started again at any time.</param>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">The disk or the file failed.</exception>
    /// <exception cref="IOException">The disk or the file failed.</exception>
    /// <returns>False if a reader kept the log for all that time, or the file is too large. The rows are gone then, but some of their bytes may be left.</returns>
    public bool Clean(TimeSpan limit, CancellationToken cancel)
    {
        using var database = SqliteDatabase.Open(path, cacheKibibytes: 256);
        var waited = Stopwatch.StartNew();
        for (var next = 1L; ;)
        {
            cancel.ThrowIfCancellationRequested();
            raw.sqlite3_busy_timeout(database.Handle, LockWaitMilliseconds);
            if (CutLog(database) && Begin(database))
            {
                if (IsLogEmpty)
                {
                    using var file = new StoreFile(database);
                    if (file.Pages > MostPages)
                    {
                        database.Execute("ROLLBACK");
                        return false;
                    }

                    var end = Math.Min(next + PagesAtOnce, file.Pages + 1);
                    if (file.Clean(next, end))
                    {
                        // After a foreign commit every connection reads its cached pages again, so none writes back the old bytes.
                        database.Execute("UPDATE registry_version SET version = version + 1");
                        database.Execute("COMMIT");
                    }
                    else
                    {
                        database.Execute("ROLLBACK");
                    }

                    if (end > file.Pages) return true;
                    next = end;
                    waited.Restart();
                }
                else
                {
                    database.Execute("ROLLBACK");
                }
            }

            if (waited.Elapsed > limit) return false;
            cancel.WaitHandle.WaitOne(Pause);
        }
    }

    private bool IsLogEmpty => new FileInfo(path + "-wal") is var log && (!log.Exists || log.Length == 0);

    /// <returns>False if a reader or writer holds the log.</returns>
    private static bool CutLog(SqliteDatabase database) => IsDone(database, raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _));

    private static bool Begin(SqliteDatabase database) => IsDone(database, raw.sqlite3_exec(database.Handle, "BEGIN IMMEDIATE"));

    /// <summary>True if it succeeded, false if the file is busy; the caller tries again. Any other failure is thrown.</summary>
    private static bool IsDone(SqliteDatabase database, int code)
    {
        if ((code & 0xff) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED) return false;
        database.Check(code);
        return true;
    }

    /// <summary>
    /// The store's file, through the handle that SQLite itself has open. We must not open a handle of our own: when a process closes any handle of a file, POSIX releases
    /// all locks that the process holds on this file, including SQLite's.
    /// </summary>
    private sealed class StoreFile : IDisposable
    {
        private const int FilePointer = 7; // SQLITE_FCNTL_FILE_POINTER
        private const int SyncNormal = 2; // SQLITE_SYNC_NORMAL

        private readonly IntPtr file;
        private readonly IntPtr buffer;
        private readonly int pageSize;
        private readonly Transfer read;
        private readonly Transfer write;
        private readonly Sync sync;

        /// <param name="database">It holds the write lock and its log is empty, so no other connection writes the file.</param>
        public StoreFile(SqliteDatabase database)
        {
            using (var size = database.Use("SELECT page_size, page_count FROM pragma_page_size, pragma_page_count"))
            {
                size.Next();
                (pageSize, Pages) = ((int)size.Long(0), size.Long(1));
            }

            file = database.FileControl(FilePointer);
            var methods = Marshal.ReadIntPtr(file);
            read = Method<Transfer>(methods, 2);
            write = Method<Transfer>(methods, 3);
            sync = Method<Sync>(methods, 5);
            buffer = Marshal.AllocHGlobal(pageSize);
        }

        public long Pages { get; }

        /// <summary>Overwrites the gap between the pointers and the content of each tree page.</summary>
        /// <returns>Whether a gap held any bytes other than zero.</returns>
        public bool Clean(long from, long before)
        {
            var page = new byte[pageSize];
            var changed = false;
            for (var number = from; number < before; number++)
            {
                var at = (number - 1) * pageSize;
                Check(read(file, buffer, pageSize, at));
                Marshal.Copy(buffer, page, 0, pageSize);
                if (GapOf(page, isFirst: number == 1) is not { Length: > 0 } gap || page.AsSpan(gap.Start, gap.Length).IndexOfAnyExcept((byte)0) < 0) continue;
                Marshal.Copy(new byte[gap.Length], 0, buffer, gap.Length);
                Check(write(file, buffer, gap.Length, at + gap.Start));
                changed = true;
            }

            if (changed) Check(sync(file, SyncNormal));
            return changed;
        }

        public void Dispose() => Marshal.FreeHGlobal(buffer);

        /// <summary>The gap in a tree page, from the page header of the file format; null for other pages.</summary>
        private static (int Start, int Length)? GapOf(ReadOnlySpan<byte> page, bool isFirst)
        {
            var header = isFirst ? 100 : 0;
            var size = page[header] switch
            {
                2 or 5 => 12,
                10 or 13 => 8,
                _ => 0,
            };
            if (size == 0) return null;
            var cells = BinaryPrimitives.ReadUInt16BigEndian(page[(header + 3)..]);
            var content = BinaryPrimitives.ReadUInt16BigEndian(page[(header + 5)..]) is var given and not 0 ? given : 65536;
            var start = header + size + (2 * cells);
            if (start > content || content > page.Length) return null;
            for (var cell = header + size; cell < start; cell += 2)
            {
                if (BinaryPrimitives.ReadUInt16BigEndian(page[cell..]) < content) return null;
            }

            return (start, content - start);
        }

        private static void Check(int code)
        {
            if (code != raw.SQLITE_OK) throw new IOException($"The store's file cannot be read or written (SQLite {code}).");
        }

        /// <summary>A function of <c>sqlite3_io_methods</c>.</summary>
        /// <param name="place">Its position after the version field.</param>
        private static T Method<T>(IntPtr methods, int place)
            where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(Marshal.ReadIntPtr(methods, place * IntPtr.Size));

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int Transfer(IntPtr file, IntPtr buffer, int bytes, long at);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int Sync(IntPtr file, int flags);
    }
}
