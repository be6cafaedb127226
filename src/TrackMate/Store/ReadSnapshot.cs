using System.Collections.Concurrent;
using TrackMate.Store.Write;

namespace TrackMate.Store;

/// <summary>A read transaction on a connection of its own: everything read through it is of one moment.</summary>
internal sealed class ReadSnapshot : IDisposable
{
    /// <summary>Idle connections kept, each with its cache; what a rush of readers opened beyond them is closed.</summary>
    private const int MostIdle = 16;

    private readonly ConcurrentBag<Database> home;

    public ReadSnapshot(Database database, ConcurrentBag<Database> home)
    {
        Database = database;
        this.home = home;
        try
        {
            database.BeginRead();
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public Database Database { get; }

    /// <summary>Reads a page, to see whether that can be done.</summary>
    public void Touch() => CompanyRows.Version(Database);

    public void Dispose()
    {
        // An error while reading has ended the transaction: the connection is not used again, and the error is not hidden behind one of the end.
        if (Database.IsIdle || home.Count >= MostIdle || !Database.TryExecute("COMMIT")) Database.Dispose();
        else home.Add(Database);
    }
}
