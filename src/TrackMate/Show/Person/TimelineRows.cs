using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Read;

namespace TrackMate.Show;

/// <summary>An event as a lane shows it.</summary>
/// <param name="Key">Its source and id, as addresses name it.</param>
public sealed record LaneEvent(string Key, string EventType, string Line, string? Amount, bool Server, long At, bool Bot);

/// <summary>A row of a timeline: a day begins, a span opens, or one or more events.</summary>
public abstract record TimelineRow
{
    public sealed record Day(long At) : TimelineRow;

    public sealed record Opening(SpanOpening Span) : TimelineRow;

    /// <param name="Run">More than one where equal ones follow each other; oldest first.</param>
    public sealed record Events(IReadOnlyList<LaneEvent> Run) : TimelineRow
    {
        public LaneEvent First => Run[0];
    }
}

/// <summary>Lays a page of events out in rows: separates days, puts bindings where they happened, folds runs of equal events.</summary>
internal static class TimelineRows
{
    /// <summary>Fewer than this stand on their own: a fold that hides two saves nothing.</summary>
    private const int ShortestFold = 4;

    public static LaneEvent LaneOf(TimelineEvent shown, string currency) =>
        Lane(Links.KeyOf(shown.Source, shown.EventId), shown.EventType, shown.EventData, shown.Source == "server", Clock.Read(shown.Timestamp), shown.Agent is { Bot: true }, currency);

    public static LaneEvent LaneOf(StoredEvent stored, string currency) =>
        Lane(Links.KeyOf(Shown.Name(stored.Order.Origin), stored.EventId), stored.Type, JsonElement.Parse(stored.Data.Span), stored.Order.Origin is Origin.Server, stored.Order.UnixMilliseconds, stored.Agent is { Bot: true }, currency);

    /// <param name="events">A page, oldest first.</param>
    /// <param name="openings">The spans that open within the page's time, oldest first.</param>
    /// <param name="dateOf">The day that a time is on, where the reader is.</param>
    public static List<TimelineRow> Of(IReadOnlyList<LaneEvent> events, IReadOnlyList<SpanOpening> openings, Func<long, DateOnly> dateOf)
    {
        var rows = new List<TimelineRow>();
        var opened = 0;
        DateOnly? day = null;
        void Begin(long at)
        {
            if (dateOf(at) == day) return;
            day = dateOf(at);
            rows.Add(new TimelineRow.Day(at));
        }

        void OpenUntil(long at)
        {
            for (; opened < openings.Count && openings[opened].UnixMilliseconds <= at; opened++)
            {
                Begin(openings[opened].UnixMilliseconds);
                rows.Add(new TimelineRow.Opening(openings[opened]));
            }
        }

        for (var i = 0; i < events.Count;)
        {
            OpenUntil(events[i].At);
            Begin(events[i].At);
            var end = EndOfRun(events, i, opened < openings.Count ? openings[opened].UnixMilliseconds : long.MaxValue, dateOf);
            if (end - i < ShortestFold) end = i + 1;
            rows.Add(new TimelineRow.Events([.. events.Skip(i).Take(end - i)]));
            i = end;
        }

        OpenUntil(long.MaxValue);
        return rows;
    }

    /// <summary>The rows from the newest to the oldest, each day still under its name.</summary>
    public static List<TimelineRow> Reversed(IReadOnlyList<TimelineRow> rows)
    {
        var days = new List<List<TimelineRow>>();
        foreach (var row in rows)
        {
            if (row is TimelineRow.Day) days.Add([row]);
            else days[^1].Add(row);
        }

        days.Reverse();
        return [.. days.SelectMany(day => day.Take(1).Concat(day.Skip(1).Reverse()))];
    }

    /// <summary><c>38 page views</c>, or the sender's own word where its plural is not known.</summary>
    public static string NameOf(IReadOnlyList<LaneEvent> run) => run[0].EventType == "page_view" ? $"{run.Count} page views" : $"{run.Count} × {run[0].EventType}";

    private static int EndOfRun(IReadOnlyList<LaneEvent> events, int from, long before, Func<long, DateOnly> dateOf)
    {
        var (first, day) = (events[from], dateOf(events[from].At));
        var end = from + 1;
        while (end < events.Count && events[end].EventType == first.EventType && events[end].Server == first.Server && events[end].Bot == first.Bot
            && events[end].Amount is null && first.Amount is null && events[end].At < before && dateOf(events[end].At) == day) end++;
        return end;
    }

    private static LaneEvent Lane(string key, string eventType, JsonElement data, bool server, long at, bool bot, string currency)
    {
        var parts = EventLabel.Of(eventType, data, currency);
        return new(key, eventType, parts.Line, parts.Amount, server, at, bot);
    }
}
