using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>Neighbouring events of a timeline that belong together: a visit with what servers sent meanwhile, or server events alone.</summary>
/// <param name="From">The index of its first event.</param>
/// <param name="Count">How many events it has.</param>
/// <param name="Visits">How many visits it holds: 0 for server events alone, more than 1 where visits overlap, as on two devices.</param>
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

        // A visit that has not ended holds what happens meanwhile; after its end it holds the server events that follow at once.
        bool Joins(int i) =>
            events[i].Owner == events[i - 1].Owner
            && (i <= lasts || (visitOf[i] is { } visit ? visits.Contains(visit) : Visit.Continues(events[i - 1].At, events[i].At)));
    }

    /// <summary>The number of each browser event's visit; null for a server's.</summary>
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
