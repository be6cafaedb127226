using Microsoft.Data.Sqlite;
using TrackMate.Manage;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Transfer;

/// <summary>Puts a backup into a data folder on which no server runs. Until its last step the folder is as it was.</summary>
/// <param name="Kept">Where the store that was there lies now, if there was one.</param>
internal sealed record RestoredFolder(BackupFile Backup, string? Kept)
{
    private const string LockFile = "trackmate.lock";
    private static readonly string[] Suffixes = ["", "-wal", "-shm"];

    /// <param name="force">A store that is there is kept beside the new one rather than refused.</param>
    /// <exception cref="CommandFailedException">The backup is damaged, a server runs on the folder, or the folder is not empty.</exception>
    public static RestoredFolder Restore(string file, string dataFolder, bool force, TimeProvider time)
    {
        var source = Path.GetFullPath(file);
        if (!File.Exists(source)) throw new CommandFailedException($"There is no file {source}.");
        var backup = BackupFile.Check(source);
        using var held = Take(dataFolder);
        if (!force && Directory.EnumerateFileSystemEntries(dataFolder).FirstOrDefault(entry => Path.GetFileName(entry) != LockFile) is { } found)
            throw new CommandFailedException($"{dataFolder} is not empty ({Path.GetFileName(found)} is in it); choose another folder with TRACKMATE_DATA, or keep its store beside the restored one with --force.");

        var store = SqliteEngine.PathIn(dataFolder);
        var copy = store + ".restoring";
        try
        {
            BackupFile.Create(copy);
            using (var from = File.OpenRead(source))
            using (var to = new FileStream(copy, FileMode.Open, FileAccess.Write))
            {
                from.CopyTo(to);
                to.Flush(flushToDisk: true);
            }

            var kept = KeepBeside(store, time);
            File.Move(copy, store);
            return new(backup, kept);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The backup could not be put into {dataFolder}: {e.Message}");
        }
        finally
        {
            if (File.Exists(copy)) File.Delete(copy);
        }
    }

    private static FolderLock Take(string dataFolder)
    {
        try
        {
            return FolderLock.Take(dataFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(FolderLock.IsHeld(e)
                ? $"A TrackMate server is running on {dataFolder}; stop it first."
                : $"The data folder {dataFolder} cannot be used: {e.Message}");
        }
    }

    // The log goes with its database, since it may hold what was not moved into it yet.
    private static string? KeepBeside(string store, TimeProvider time)
    {
        if (!Suffixes.Any(suffix => File.Exists(store + suffix))) return null;

        // With its log moved into it the store is one file to rename, and being killed in between loses nothing of it.
        try
        {
            using var old = SqliteDatabase.Open(store);
            old.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // A store too damaged to open is what one restores over; its files are kept as they are.
        }

        var kept = $"{store}.before-restore-{time.GetUtcNow():yyyyMMddTHHmmssfffZ}";
        foreach (var suffix in Suffixes.Reverse())
        {
            if (File.Exists(store + suffix)) File.Move(store + suffix, kept + suffix);
        }

        return kept;
    }
}
