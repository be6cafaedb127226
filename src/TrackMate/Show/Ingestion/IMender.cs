using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>Sends again what was refused, as a person mended it. Receiving is another room, which implements it.</summary>
internal interface IMender
{
    /// <param name="row">What was refused; it is marked as mended in the transaction that stores it.</param>
    /// <param name="text">Its body as it was mended.</param>
    /// <param name="actor">Who mended it.</param>
    /// <exception cref="StoreUnavailableException">Nothing was stored.</exception>
    Task<Mended> SendAsync(Company company, RejectedRow row, string text, string actor);
}

/// <summary>What became of it.</summary>
/// <param name="Stored">Messages that are stored now.</param>
/// <param name="Duplicates">Messages whose eventId had been stored before; nothing changed.</param>
/// <param name="Reused">One of those says something else than what is stored.</param>
/// <param name="Problems">What is still to be mended; then nothing of it was stored.</param>
internal sealed record Mended(int Stored, int Duplicates, bool Reused, IReadOnlyList<string> Problems);
