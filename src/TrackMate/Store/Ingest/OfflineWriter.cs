using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Writes messages and erases from another process, with or without a running server. Each transaction starts from the stored rows, and makes the server's writers
/// clear their caches.
/// </summary>
internal sealed class OfflineWriter : IDisposable
{
    private readonly MessageWriter writer;

    public OfflineWriter(Engine engine) => writer = new(new(engine.Open(), isOffline: true));

    public Database Database => writer.Transaction.Database;

    public T Transact<T>(Company company, Func<MessageWriter, T> work)
    {
        var transaction = writer.Transaction;
        try
        {
            transaction.Begin([(company.Number, LockMode.Rewrite)]);
            var answer = work(writer);
            transaction.Commit();
            return answer;
        }
        catch
        {
            transaction.Rollback();
            throw;
        }
    }

    public void Dispose() => Database.Dispose();
}
