using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Store;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A real store in a folder of its own, in this process; companies in it are numbered, so that many histories share it and never meet.</summary>
public sealed class TemporaryStore : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private long lastCompany;

    public TemporaryStore()
    {
        Engine = StoreUnderTest.EngineOf(folder.Path);
        Store = MessageStore.Open(Engine, NullLogger.Instance);
    }

    internal Engine Engine { get; }

    internal MessageStore Store { get; }

    internal string Folder => folder.Path;

    internal long NextCompany() => Interlocked.Increment(ref lastCompany);

    /// <summary>Another connection that may write, as one of the program's other verbs has.</summary>
    internal Database OpenBeside() => Engine.Open();

    /// <summary>The same where only SQLite can tell what is asked: how many steps a statement took.</summary>
    internal SqliteDatabase OpenSqlite() => SqliteDatabase.Open(SqliteEngine.PathIn(folder.Path));

    public void Dispose()
    {
        Store.Dispose();
        folder.Dispose();
    }
}
