namespace TrackMate.Bind;

/// <summary>What becomes of a browser session's claims on an identifier; the numbers are stored.</summary>
public enum FirstClaimStatus
{
    /// <summary>An operator has taken them back.</summary>
    Revoked = 0,

    /// <summary>They count.</summary>
    Believed = 1,

    /// <summary>Too many sessions claimed the identifier earlier on the same UTC day.</summary>
    TooLate = 2,
}

/// <summary>When a session first claimed an identifier, where only a browser says so.</summary>
/// <param name="Session">The store's number of the session.</param>
public sealed record FirstClaim(long Session, MessagePlace Place, FirstClaimStatus Status);

/// <summary>The first claims of one identifier on one UTC day. Each value is loaded when a rule needs it.</summary>
/// <param name="Believed">How many sessions are believed.</param>
/// <param name="Last">The last of those; null where there is none.</param>
/// <param name="FirstTooLate">The earliest of those that came too late; null where there is none.</param>
public sealed record ClaimDay(Lazy<long> Believed, Lazy<FirstClaim?> Last, Lazy<FirstClaim?> FirstTooLate);

/// <summary>What changes on a day.</summary>
/// <param name="Changed">Sessions and their new status.</param>
/// <param name="More">How many more sessions of the day are believed than before: -1, 0 or 1.</param>
public sealed record ClaimDayDecision(IReadOnlyList<(long Session, FirstClaimStatus Status)> Changed, long More)
{
    public static readonly ClaimDayDecision None = new([], 0);
}

/// <summary>
/// How many new sessions a day may claim an identifier from a browser alone (B13): the first so many of each UTC day, by <see cref="MessagePlace"/>, whatever arrived
/// first. A stranger who claims somebody's e-mail from a thousand new sessions adds at most so many of them. Pure.
/// </summary>
public static class SessionsOfDay
{
    /// <summary>A claim is added to its day. On a full day it takes the place of the last one, if it is earlier.</summary>
    /// <param name="most">How many a day may have.</param>
    public static ClaimDayDecision Enter(FirstClaim claim, ClaimDay day, long most)
    {
        if (day.Believed.Value < most) return new([(claim.Session, FirstClaimStatus.Believed)], 1);
        if (day.Last.Value is not { } last || last.Place < claim.Place) return new([(claim.Session, FirstClaimStatus.TooLate)], 0);
        return new([(last.Session, FirstClaimStatus.TooLate), (claim.Session, FirstClaimStatus.Believed)], 0);
    }

    /// <summary>A claim leaves its day: the earliest that came too late takes its place.</summary>
    /// <param name="day">Without the claim that leaves.</param>
    public static ClaimDayDecision Leave(FirstClaim claim, ClaimDay day)
    {
        if (claim.Status is not FirstClaimStatus.Believed) return ClaimDayDecision.None;
        return day.FirstTooLate.Value is { } next ? new([(next.Session, FirstClaimStatus.Believed)], 0) : new([], -1);
    }

    /// <summary>One step towards what a day should hold after the limit has changed; <see cref="ClaimDayDecision.None"/> at the end.</summary>
    public static ClaimDayDecision Correct(ClaimDay day, long most)
    {
        var (believed, last, tooLate) = (day.Believed.Value, day.Last.Value, day.FirstTooLate.Value);
        if (last is not null && (believed > most || (believed == most && tooLate is not null && tooLate.Place < last.Place))) return new([(last.Session, FirstClaimStatus.TooLate)], -1);
        return tooLate is not null && believed < most ? new([(tooLate.Session, FirstClaimStatus.Believed)], 1) : ClaimDayDecision.None;
    }
}
