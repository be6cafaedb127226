namespace TrackMate.Store.Sql.Sqlite;

/// <summary>Allows one server per data folder, by a lock of the operating system. The lock ends with the process, even if that crashes.</summary>
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

    /// <summary>Creates a data folder, and a folder in it, if they do not exist. Only the owner may read them, since they hold personal data.</summary>
    /// <remarks>Each folder is created by itself: a parent folder that is created implicitly would be readable for every user of the machine.</remarks>
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
