namespace TrackMate.Bind;

/// <summary>Who stands behind a message; the numbers are stored and are the order of ties.</summary>
public enum Origin
{
    /// <summary>The public company_id: <c>source: "client"</c>.</summary>
    Browser = 0,

    /// <summary>An API key: <c>source: "server"</c>.</summary>
    Server = 1,
}

/// <summary>
/// A message's place in time as one number that sorts: milliseconds, then origin, then its index in its batch if it came without a timestamp (else 0).
/// What is equal here is ordered by eventId. So one integer column carries the order of timelines (B9, B14).
/// </summary>
public readonly record struct EventOrder(long Value) : IComparable<EventOrder>
{
    private const int OriginBit = 10;
    private const int TimeShift = 11;

    /// <summary>Most messages of one batch whose order can be kept.</summary>
    public const int MaxIndex = (1 << OriginBit) - 1;

    public static EventOrder Of(long unixMilliseconds, Origin origin, int index = 0) => new((unixMilliseconds << TimeShift) | ((long)origin << OriginBit) | (uint)index);

    /// <summary>The first place at this time: everything before it happened earlier.</summary>
    public static EventOrder Start(long unixMilliseconds) => new(unixMilliseconds << TimeShift);

    public long UnixMilliseconds => Value >> TimeShift;

    public Origin Origin => (Origin)((Value >> OriginBit) & 1);

    public int CompareTo(EventOrder other) => Value.CompareTo(other.Value);

    public static bool operator <(EventOrder left, EventOrder right) => left.Value < right.Value;

    public static bool operator >(EventOrder left, EventOrder right) => left.Value > right.Value;

    public static bool operator <=(EventOrder left, EventOrder right) => left.Value <= right.Value;

    public static bool operator >=(EventOrder left, EventOrder right) => left.Value >= right.Value;
}
