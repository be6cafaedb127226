using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>The claim that a binding rests on, as a chain shows it.</summary>
public sealed record ShownClaim(Origin Origin, ClaimMethod Method, Trust Trust, long UnixMilliseconds, string EventId, string? SessionId);
