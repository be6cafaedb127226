using TrackMate.Bind;

namespace TrackMate.Store.Erase;

/// <summary>What an erasure takes, or would take.</summary>
/// <param name="Profile">The person's id until then.</param>
/// <param name="Events">Events that were sent; the derived <c>user_registered</c> is none.</param>
/// <param name="Identifies">Identifies that named the person.</param>
/// <param name="Sessions">Sessions of browsers and of servers on the timeline.</param>
/// <param name="Identifiers">E-mails, externalIds and bare ids.</param>
/// <param name="Rejected">Refused messages whose body names the person.</param>
/// <param name="Revenue">By currency, exact.</param>
public sealed record Erased(
    ProfileId Profile, long Events, long Identifies, long Sessions, long Identifiers, long Rejected, IReadOnlyList<(string Currency, decimal Amount)> Revenue);

/// <summary>Where an erasure stands.</summary>
/// <param name="Number">The store's number of it.</param>
/// <param name="RowsGone">Nothing of the person is in any table any more.</param>
public sealed record ErasureState(long Number, Company Company, Erased Erased, bool RowsGone);
