namespace TrackMate.Store.Sqlite;

/// <summary>One server per data folder, by an operating-system lock: it ends with the process, however that ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <exception cref="IOException">Another server holds the folder, or it cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        Directory.CreateDirectory(folder);
        return new(new FileStream(Path.Combine(folder, "trackmate.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
    }

    public void Dispose() => file.Dispose();
}
