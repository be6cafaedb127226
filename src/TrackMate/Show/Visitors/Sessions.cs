namespace TrackMate.Show;

/// <summary>Session ids as lists show them.</summary>
internal static class Sessions
{
    private const int MaxShown = 26;

    /// <summary>Its beginning; the whole one is on the session's own page.</summary>
    public static string Short(string sessionId) => sessionId.Length <= MaxShown ? sessionId : sessionId[..(MaxShown - 1)] + "…";
}
