using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>Sends a rejected message again after an operator has fixed it. Implemented outside of this room, since it receives.</summary>
internal interface IMender
{
    /// <param name="row">The rejected message. It is marked as fixed in the transaction that stores the new one.</param>
    /// <param name="text">The fixed body.</param>
    /// <param name="actor">The operator who fixed it.</param>
    /// <exception cref="StoreUnavailableException">Nothing was stored.</exception>
    Task<Mended> SendAsync(Company company, RejectedRow row, string text, string actor);
}

/// <summary>The result of sending a fixed message.</summary>
/// <param name="Stored">The number of stored messages.</param>
/// <param name="Duplicates">The number of messages whose eventId was stored before; nothing changed for them.</param>
/// <param name="Reused">Whether one of the duplicates has other content than the stored message.</param>
/// <param name="Problems">What still has to be fixed. If there are any, nothing was stored.</param>
internal sealed record Mended(int Stored, int Duplicates, bool Reused, IReadOnlyList<string> Problems);
