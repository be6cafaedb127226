using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>An event as a lane shows it.</summary>
/// <param name="Key">Its source and id, as in addresses.</param>
/// <param name="Session">For a browser's event: the store's number of its session.</param>
/// <param name="NotCounted">Whether it is beyond a limit that the company set for browsers' events, so that no total includes it.</param>
/// <param name="Owner">On a session's page: the number of the part, which tells whose it is.</param>
public sealed record LaneEvent(string Key, string EventType, string Line, string? Amount, bool Server, long At, bool Bot, long Session = 0, int Owner = 0, bool NotCounted = false);

/// <summary>A row of a timeline: the start of a day, the opening of a span, or one or more events.</summary>
public abstract record TimelineRow
{
    public sealed record Day(long At) : TimelineRow;

    public sealed record Opening(SpanOpening Span) : TimelineRow;

    /// <param name="Run">The events in the order of the page. More than one if equal events follow each other.</param>
    public sealed record Events(IReadOnlyList<LaneEvent> Run) : TimelineRow
    {
        public LaneEvent First => Run[0];
    }
}

/// <summary>Rows that belong together: a visit, a group of server events, or openings without events near them.</summary>
/// <param name="Day">A time on the day that begins with it; null if the day began before.</param>
/// <param name="Visit">Null for openings only.</param>
public sealed record TimelineSection(long? Day, VisitGroup? Visit, LaneUse Lanes, IReadOnlyList<TimelineRow> Rows);

/// <summary>The lanes that have events. An empty lane leaves its space to the other.</summary>
public enum LaneUse
{
    Both,
    Browser,
    Server,
}

/// <summary>Arranges a page of events in rows: separates days and visits, places openings at their time, and folds runs of equal events.</summary>
internal static class TimelineRows
{
    /// <summary>Shorter runs are not folded, since hiding two events saves no space.</summary>
    private const int ShortestFold = 4;

    public static LaneEvent LaneOf(StoredEvent stored, string currency, int owner = 0, bool notCounted = false)
    {
        var parts = EventLabel.Of(stored.Type, JsonElement.Parse(stored.Data.Span), currency);
        return new(Links.KeyOf(Shown.Name(stored.Order.Origin), stored.EventId), stored.Type, parts.Line, parts.Amount, stored.Order.Origin is Origin.Server,
            stored.Order.UnixMilliseconds, stored.Agent is { Bot: true }, stored.Session ?? 0, owner, notCounted);
    }

    /// <param name="events">A page, oldest first.</param>
    /// <param name="openings">The spans that open within the page's time, oldest first.</param>
    /// <param name="dateOf">The date of a time, in the reader's time zone.</param>
    /// <param name="newestFirst">The order of the rows.</param>
    public static List<TimelineSection> Of(IReadOnlyList<LaneEvent> events, IReadOnlyList<SpanOpening> openings, Func<long, DateOnly> dateOf, bool newestFirst)
    {
        var pieces = new List<(VisitGroup? Visit, List<TimelineRow> Rows)>();
        var opened = 0;
        foreach (var visit in Visits.Of(events))
        {
            // An opening long before the next event is shown by itself.
            for (; opened < openings.Count && !Visit.Continues(openings[opened].UnixMilliseconds, events[visit.From].At); opened++) pieces.Add((null, [new TimelineRow.Opening(openings[opened])]));
            pieces.Add((visit, RowsOf(visit)));
        }

        for (; opened < openings.Count; opened++)
        {
            if (pieces is [.., { Visit: { } last } piece] && Visit.Continues(events[last.End - 1].At, openings[opened].UnixMilliseconds)) piece.Rows.Add(new TimelineRow.Opening(openings[opened]));
            else pieces.Add((null, [new TimelineRow.Opening(openings[opened])]));
        }

        if (newestFirst) pieces.Reverse();
        var sections = new List<TimelineSection>();
        DateOnly? day = null;
        foreach (var (visit, inside) in pieces)
        {
            if (newestFirst) inside.Reverse();
            var begins = BeginsDay(inside[0]);
            var rows = new List<TimelineRow>();
            foreach (var row in inside)
            {
                if (rows.Count > 0 && BeginsDay(row) is { } at) rows.Add(new TimelineRow.Day(at));
                rows.Add(newestFirst && row is TimelineRow.Events { Run: var run } ? new TimelineRow.Events([.. run.Reverse()]) : row);
            }

            sections.Add(new(begins, visit, visit is null ? LaneUse.Both : LanesOf(visit), rows));
        }

        return sections;

        long? BeginsDay(TimelineRow row)
        {
            var at = row is TimelineRow.Opening opening ? opening.Span.UnixMilliseconds : ((TimelineRow.Events)row).First.At;
            if (dateOf(at) == day) return null;
            day = dateOf(at);
            return at;
        }

        List<TimelineRow> RowsOf(VisitGroup group)
        {
            var inside = new List<TimelineRow>();
            for (var i = group.From; i < group.End;)
            {
                for (; opened < openings.Count && openings[opened].UnixMilliseconds <= events[i].At; opened++) inside.Add(new TimelineRow.Opening(openings[opened]));
                var end = EndOfRun(events, i, group.End, opened < openings.Count ? openings[opened].UnixMilliseconds : long.MaxValue, dateOf);
                // Events that no total includes are folded even if there are only two.
                if (end - i < (events[i].NotCounted ? 2 : ShortestFold)) end = i + 1;
                inside.Add(new TimelineRow.Events([.. events.Skip(i).Take(end - i)]));
                i = end;
            }

            return inside;
        }

        LaneUse LanesOf(VisitGroup group)
        {
            var servers = events.Skip(group.From).Take(group.Count).Count(one => one.Server);
            return servers == 0 ? LaneUse.Browser : servers == group.Count ? LaneUse.Server : LaneUse.Both;
        }
    }

    /// <summary><c>38 page views</c>; for other types the sender's own word, since its plural is unknown.</summary>
    public static string NameOf(IReadOnlyList<LaneEvent> run) => run[0].NotCounted ? $"{run.Count} events not counted" : run[0].EventType == "page_view" ? $"{run.Count} page views" : $"{run.Count} × {run[0].EventType}";

    private static int EndOfRun(IReadOnlyList<LaneEvent> events, int from, int before, long beforeTime, Func<long, DateOnly> dateOf)
    {
        var (first, day) = (events[from], dateOf(events[from].At));
        var end = from + 1;
        while (end < before && events[end].NotCounted == first.NotCounted && (first.NotCounted || events[end].EventType == first.EventType) && events[end].Server == first.Server && events[end].Bot == first.Bot
            && (first.NotCounted || (events[end].Amount is null && first.Amount is null)) && events[end].At < beforeTime && dateOf(events[end].At) == day) end++;
        return end;
    }
}
