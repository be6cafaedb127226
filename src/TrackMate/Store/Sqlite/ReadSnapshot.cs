using System.Collections.Concurrent;

namespace TrackMate.Store.Sqlite;

/// <summary>A read transaction on a connection of its own: everything read through it is of one moment.</summary>
internal sealed class ReadSnapshot : IDisposable
{
    private readonly ConcurrentBag<Database> home;

    public ReadSnapshot(Database database, ConcurrentBag<Database> home)
    {
        Database = database;
        this.home = home;
        database.Execute("BEGIN");
    }

    public Database Database { get; }

    public void Dispose()
    {
        Database.Execute("COMMIT");
        home.Add(Database);
    }
}
