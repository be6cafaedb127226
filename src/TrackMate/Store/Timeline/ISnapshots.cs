using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Timeline;

/// <summary>What is read from: a server's store, or its file beside it. All that one call reads is of one moment.</summary>
internal interface ISnapshots
{
    /// <param name="company">Of which is read; null for what is the installation's.</param>
    T Read<T>(Func<Database, T> read, Company? company = null);
}

/// <summary>A store read from another process than the server's.</summary>
internal sealed class EngineSnapshots(Engine engine) : ISnapshots, IDisposable
{
    private readonly Database database = engine.OpenReader();

    public T Read<T>(Func<Database, T> read, Company? company = null)
    {
        database.BeginRead();
        try
        {
            return read(database);
        }
        finally
        {
            database.Rollback();
        }
    }

    public void Dispose() => database.Dispose();
}
