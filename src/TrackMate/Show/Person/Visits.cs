using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>Neighbouring events of a timeline that belong together: a visit and the server events during it, or server events only.</summary>
/// <param name="From">The index of its first event.</param>
/// <param name="Count">The number of its events.</param>
/// <param name="Visits">The number of its visits: 0 for server events only, more than 1 if visits overlap, as on two devices.</param>
public sealed record VisitGroup(int From, int Count, int Visits)
{
    public int End => From + Count;
}

/// <summary>Divides a timeline into visits.</summary>
internal static class Visits
{
    /// <param name="events">A page, oldest first.</param>
    public static List<VisitGroup> Of(IReadOnlyList<LaneEvent> events)
    {
        var visitOf = Number(events);
        var lastOf = new Dictionary<int, int>();
        for (var i = 0; i < events.Count; i++)
        {
            if (visitOf[i] is { } visit) lastOf[visit] = i;
        }

        var groups = new List<VisitGroup>();
        var (from, lasts, visits) = (0, -1, new HashSet<int>());
        for (var i = 0; i < events.Count; i++)
        {
            if (i > from && !Joins(i))
            {
                groups.Add(new(from, i - from, visits.Count));
                (from, lasts) = (i, -1);
                visits.Clear();
            }

            if (visitOf[i] is not { } visit) continue;
            visits.Add(visit);
            lasts = Math.Max(lasts, lastOf[visit]);
        }

        if (events.Count > 0) groups.Add(new(from, events.Count - from, visits.Count));
        return groups;

        // Everything during a visit belongs to its group. After its end, server events that follow immediately do too.
        bool Joins(int i) =>
            events[i].Owner == events[i - 1].Owner
            && (i <= lasts || (visitOf[i] is { } visit ? visits.Contains(visit) : Visit.Continues(events[i - 1].At, events[i].At)));
    }

    /// <summary>The visit's number for each browser event; null for a server event.</summary>
    private static int?[] Number(IReadOnlyList<LaneEvent> events)
    {
        var numbers = new int?[events.Count];
        var current = new Dictionary<long, (int Number, long At)>();
        var next = 0;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Server) continue;
            var number = current.TryGetValue(events[i].Session, out var open) && Visit.Continues(open.At, events[i].At) ? open.Number : next++;
            current[events[i].Session] = (number, events[i].At);
            numbers[i] = number;
        }

        return numbers;
    }
}
