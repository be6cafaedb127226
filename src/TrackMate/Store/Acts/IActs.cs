using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>A store that operators act on.</summary>
internal interface IActs : ISnapshots
{
    /// <summary>Does what an operator asks, between the messages and as durable as they are.</summary>
    /// <param name="work">Gets the acts of this store, and the company with the settings in force. Its answer is returned once it is committed. It throws for faults of ours only.</param>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    Task<T> ActAsync<T>(Company company, Func<ActWriter, Company, T> work);
}
