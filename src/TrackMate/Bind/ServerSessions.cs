namespace TrackMate.Bind;

/// <summary>A run of server events with less than the gap between neighbours: a server session, or the part of one that one identifier or session holds (B7).</summary>
/// <param name="First">Where it begins.</param>
/// <param name="FirstEventId">The event whose anchor is the session's id.</param>
/// <param name="Last">Where it ends, inclusive.</param>
/// <param name="Events">How many it holds.</param>
public sealed record ServerRun(EventOrder First, string FirstEventId, EventOrder Last, long Events)
{
    public bool Holds(EventOrder order) => First <= order && order <= Last;
}

/// <summary>
/// Server sessions of a person. Runs are kept apart by identifier and by session, and joined at reading: two runs less than the gap apart are one, whoever held
/// them, so a merge of persons touches none of them. Membership, number and ids do not depend on the order of arrival.
/// </summary>
public static class ServerSessions
{
    /// <summary>Adds one event to the runs around it.</summary>
    /// <param name="near">Runs that hold something less than the gap before or after the event; at most a few, in any order.</param>
    /// <returns>The one run that takes the place of those in <paramref name="near"/>.</returns>
    public static ServerRun Add(IReadOnlyCollection<ServerRun> near, EventOrder order, string eventId)
    {
        var run = new ServerRun(order, eventId, order, 1);
        foreach (var other in near) run = Union(run, other);
        return run;
    }

    /// <summary>Joins runs of several holders into the sessions of their person.</summary>
    /// <returns>Server sessions, oldest first.</returns>
    public static IReadOnlyList<ServerRun> Join(IEnumerable<ServerRun> runs, long gapMilliseconds)
    {
        var sessions = new List<ServerRun>();
        foreach (var run in runs.OrderBy(run => run.First))
        {
            if (sessions.Count > 0 && run.First.UnixMilliseconds - sessions[^1].Last.UnixMilliseconds < gapMilliseconds)
                sessions[^1] = Union(sessions[^1], run);
            else
                sessions.Add(run);
        }

        return sessions;
    }

    private static ServerRun Union(ServerRun left, ServerRun right)
    {
        var byOrder = left.First.CompareTo(right.First);
        var earlier = byOrder < 0 || (byOrder == 0 && EventIds.Compare(left.FirstEventId, right.FirstEventId) <= 0) ? left : right;
        return new(earlier.First, earlier.FirstEventId, left.Last > right.Last ? left.Last : right.Last, left.Events + right.Events);
    }
}
