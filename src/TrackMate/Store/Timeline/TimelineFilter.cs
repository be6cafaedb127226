using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>Which events of a timeline are asked for.</summary>
/// <param name="From">Unix milliseconds, inclusive.</param>
/// <param name="To">Unix milliseconds, exclusive.</param>
/// <param name="Session">Only events of this session, by the store's number.</param>
/// <param name="Words">Folded words that must all occur in the event's type, id or data.</param>
public sealed record TimelineFilter(
    Origin? Origin = null, string? EventType = null, long From = long.MinValue, long To = long.MaxValue, long? Session = null, IReadOnlyList<string>? Words = null);

/// <summary>A page of a timeline.</summary>
/// <param name="Next">Where the next page begins; null at the end.</param>
/// <param name="IsCut">Whether the reader stopped because it had looked at enough events: the page may be short, and the next one may hold more.</param>
public sealed record EventPage(IReadOnlyList<StoredEvent> Events, EventCursor? Next, bool IsCut);

/// <summary>The last event of a page; the next page begins after it, whatever arrives meanwhile.</summary>
public sealed record EventCursor(EventOrder Order, string EventId);
