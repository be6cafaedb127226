namespace TrackMate.Store.Sql.Sqlite;

/// <summary>One server per data folder, by an operating-system lock: it ends with the process, however that ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <exception cref="IOException">Another server holds the folder, or it cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        Make(folder);
        return new(new FileStream(Path.Combine(folder, "trackmate.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
    }

    /// <summary>Makes a data folder, and a folder in it, where there is none: for its owner alone, since it holds everything that is known of people.</summary>
    /// <remarks>Each by itself: the mode of one that is made on the way to another would be open to all who may log in.</remarks>
    public static void Make(string folder, string? inside = null)
    {
        foreach (var path in inside is null ? [folder] : new[] { folder, Path.Combine(folder, inside) })
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Whether taking the lock failed because another process holds it.</summary>
    public static bool IsHeld(Exception e) => e is IOException && e.Message.Contains("being used by another process", StringComparison.Ordinal);

    public void Dispose() => file.Dispose();
}
