using TrackMate.Bind;

namespace TrackMate.Store.Erase;

/// <summary>What an erasure deletes, or would delete.</summary>
/// <param name="Profile">The person's id until the erasure.</param>
/// <param name="Events">The number of sent events, without the derived <c>user_registered</c>.</param>
/// <param name="Identifies">The number of identifies that named the person.</param>
/// <param name="Sessions">The number of browser and server sessions on the timeline.</param>
/// <param name="Identifiers">The number of e-mails, externalIds and bare ids.</param>
/// <param name="Rejected">The number of rejected messages whose body names the person.</param>
/// <param name="Revenue">By currency, exact.</param>
public sealed record Erased(
    ProfileId Profile, long Events, long Identifies, long Sessions, long Identifiers, long Rejected, IReadOnlyList<(string Currency, decimal Amount)> Revenue);

/// <summary>The progress of an erasure.</summary>
/// <param name="Number">The erasure's number in the store.</param>
/// <param name="RowsGone">Whether no table holds any row of the person any more.</param>
public sealed record ErasureState(long Number, Company Company, Erased Erased, bool RowsGone);
