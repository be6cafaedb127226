namespace TrackMate.Bind;

/// <summary>Days of UTC, counted from 1970-01-01: what is counted and bounded by day uses these.</summary>
public static class UtcDay
{
    public const long Milliseconds = 86_400_000;

    public static long Of(long unixMilliseconds) => Math.DivRem(unixMilliseconds, Milliseconds).Quotient;

    /// <summary>Unix milliseconds at which the day begins.</summary>
    public static long Start(long day) => day * Milliseconds;
}
