using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Writes messages and erases from another process, whether or not a server runs: each transaction begins from what is stored, and tells the server's writer to
/// read again what it remembers.
/// </summary>
internal sealed class BesideServer : IDisposable
{
    private readonly Database database;
    private readonly MessageWriter writer;

    public BesideServer(Engine engine)
    {
        database = engine.Open();
        writer = new(database);
    }

    public Database Database => database;

    public T Transact<T>(Company company, Func<MessageWriter, T> work)
    {
        database.BeginWrite([(company.Number, Hold.Rewrite)]);
        try
        {
            writer.Begin();
            writer.Reset();
            var answer = work(writer);
            writer.Finish();
            database.Execute("UPDATE registry_version SET version = version + 1");
            database.Commit();
            return answer;
        }
        catch
        {
            database.Rollback();
            throw;
        }
    }

    public void Dispose() => database.Dispose();
}
