namespace TrackMate.Bind;

/// <summary>
/// The order in which the rules take messages: by their own time, then by eventId (B13). Both come from the sender, so the order of arrival does not matter.
/// In SQL: <c>ORDER BY at_ms, event_id</c>.
/// </summary>
/// <param name="UnixMilliseconds">The message's own time.</param>
/// <param name="EventId">Compared byte by byte (<see cref="EventIds"/>).</param>
public readonly record struct MessagePlace(long UnixMilliseconds, string EventId) : IComparable<MessagePlace>
{
    public int CompareTo(MessagePlace other)
    {
        var byTime = UnixMilliseconds.CompareTo(other.UnixMilliseconds);
        return byTime != 0 ? byTime : EventIds.Compare(EventId, other.EventId);
    }

    public static bool operator <(MessagePlace left, MessagePlace right) => left.CompareTo(right) < 0;

    public static bool operator >(MessagePlace left, MessagePlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(MessagePlace left, MessagePlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(MessagePlace left, MessagePlace right) => left.CompareTo(right) >= 0;
}

/// <summary>
/// Which of several values of one trait is in force: a verified one before a claimed one, then the later one (B15).
/// In SQL: <c>(trust, at_ms, event_id)</c>.
/// </summary>
public readonly record struct TraitPlace(Trust Trust, MessagePlace Place) : IComparable<TraitPlace>
{
    public int CompareTo(TraitPlace other)
    {
        var byTrust = Trust.CompareTo(other.Trust);
        return byTrust != 0 ? byTrust : Place.CompareTo(other.Place);
    }

    public static bool operator <(TraitPlace left, TraitPlace right) => left.CompareTo(right) < 0;

    public static bool operator >(TraitPlace left, TraitPlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(TraitPlace left, TraitPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(TraitPlace left, TraitPlace right) => left.CompareTo(right) >= 0;
}
