using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Store.Sqlite;

namespace TrackMate.Tests.Store;

/// <summary>A real store in a folder of its own, in this process; companies in it are numbered, so that many histories share it and never meet.</summary>
public sealed class TemporaryStore : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-test-").FullName;
    private long lastCompany;

    public TemporaryStore() => Store = SqliteStore.Open(folder, NullLogger.Instance);

    internal SqliteStore Store { get; }

    internal string Folder => folder;

    internal long NextCompany() => Interlocked.Increment(ref lastCompany);

    /// <summary>Another connection that may write, as one of the program's other verbs has.</summary>
    internal Database OpenBeside() => Database.Open(SqliteStore.PathIn(folder));

    public void Dispose()
    {
        Store.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
