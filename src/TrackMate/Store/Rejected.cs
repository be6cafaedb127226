using TrackMate.Bind;

namespace TrackMate.Store;

/// <summary>What one request had refused, as kept in the company's rejected events (bounded, newest stay).</summary>
public sealed record Rejected(Company Company, Origin Origin, long ReceivedAt, IReadOnlyList<RejectedEvent> Events);

/// <param name="EventId">As the sender gave it, if it could be read.</param>
/// <param name="Status">The HTTP status it was answered with.</param>
/// <param name="Detail">What the sender should mend.</param>
/// <param name="Body">The event as sent, cut to a bounded length.</param>
public sealed record RejectedEvent(string? EventId, int Status, string Detail, ReadOnlyMemory<byte> Body);
