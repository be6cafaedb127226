using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A read transaction on a connection of its own: everything read through it is of one moment.</summary>
/// <param name="end">Gives the connection back.</param>
internal sealed class ReadSnapshot(Database database, Action end) : IDisposable
{
    public Database Database => database;

    /// <summary>Reads a page, to see whether that can be done.</summary>
    public void Touch() => CompanyRows.Version(database);

    public void Dispose() => end();
}
