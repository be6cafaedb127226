namespace TrackMate.Store.Sqlite;

/// <summary>
/// Writes messages and erases from another process, whether or not a server runs: each transaction begins from what is stored, and tells the server's writer to
/// read again what it remembers.
/// </summary>
internal sealed class BesideServer : IDisposable
{
    private readonly Database database;
    private readonly MessageWriter writer;

    public BesideServer(string storePath)
    {
        database = Database.Open(storePath);
        writer = new(database);
    }

    public Database Database => database;

    public T Transact<T>(Func<MessageWriter, T> work)
    {
        database.Execute("BEGIN IMMEDIATE");
        try
        {
            writer.Begin();
            writer.Reset();
            var answer = work(writer);
            writer.Finish();
            database.Execute("UPDATE registry_version SET version = version + 1");
            database.Execute("COMMIT");
            return answer;
        }
        catch
        {
            database.TryExecute("ROLLBACK");
            throw;
        }
    }

    public void Dispose() => database.Dispose();
}
