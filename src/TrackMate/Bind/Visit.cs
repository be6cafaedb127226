namespace TrackMate.Bind;

/// <summary>A visit is a run of a session's events with less than 30 minutes between neighbours.</summary>
public static class Visit
{
    private const long GapMilliseconds = 30 * 60 * 1000;

    /// <summary>Whether two neighbouring events are of one visit.</summary>
    public static bool Continues(long earlier, long later) => later - earlier < GapMilliseconds;
}
