namespace TrackMate.Store.Sqlite;

/// <summary>What is read from: a server's store, or its file beside it. All that one call reads is of one moment.</summary>
internal interface ISnapshots
{
    T Read<T>(Func<Database, T> read);
}

/// <summary>A store's file, read from another process than the server's.</summary>
internal sealed class FileSnapshots(string storePath) : ISnapshots, IDisposable
{
    private readonly Database database = Database.Open(storePath, readOnly: true);

    public T Read<T>(Func<Database, T> read)
    {
        database.Execute("BEGIN");
        try
        {
            return read(database);
        }
        finally
        {
            database.TryExecute("ROLLBACK");
        }
    }

    public void Dispose() => database.Dispose();
}
