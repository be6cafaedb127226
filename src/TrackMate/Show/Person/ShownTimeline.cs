using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>The facts in the heading of a group of events.</summary>
/// <param name="Source">Where the visit came from; null for a group of server events, and if a filter hides some of its events.</param>
/// <param name="IsContinued">Whether it began on the previous page.</param>
/// <param name="Events">The number of its events, in words.</param>
public sealed record GroupFacts(VisitSource? Source, bool IsContinued, string Events, IReadOnlyList<(string Currency, decimal Amount)> Revenue, long From, long To);

/// <summary>One page of a person's timeline for the dashboard. Its cost does not depend on the length of the history.</summary>
/// <param name="Next">The address of the next page; null at the end.</param>
/// <param name="Previous">The address of the previous page; null at the beginning.</param>
/// <param name="ExaminedTo">Where the reader stopped because it had examined enough events: unix milliseconds.</param>
/// <param name="Types">The event types on the page, as suggestions for the filter.</param>
public sealed record ShownTimeline(
    IReadOnlyList<TimelineSection> Sections, IReadOnlyDictionary<VisitGroup, GroupFacts> Facts, string? Next, string? Previous, long? ExaminedTo, IReadOnlyList<string> Types)
{
    private const int PageSize = 100;
    private const int OpeningsShown = 50;

    /// <summary>How many events to search back for the beginning of a visit that the page cuts.</summary>
    private const int MostOfVisit = 200;

    internal static ShownTimeline Of(Documents documents, Person person, TimelineView view, string? cursor, string? until, Clock clock)
    {
        var company = documents.Company;
        var filter = view.Filter(clock);
        if (view.Session is { } sessionId && documents.Within(person, filter, sessionId) is var narrowed)
        {
            if (narrowed is null) return new([], new Dictionary<VisitGroup, GroupFacts>(), null, null, null, []);
            filter = narrowed;
        }

        string Address(string? after = null, string? before = null) => Links.Timeline(company.CompanyId, person.Id.ToString(), view with { Date = null }, after, before);
        var (end, start) = (Cursors.ReadEvent(company, until), Cursors.ReadEvent(company, cursor) ?? view.Jump(clock));
        var timelines = documents.Timelines;
        EventPage page;
        List<StoredEvent> shown;
        string? next, previous = null;
        // The time of the last event of the previous page.
        long? neighbour = null;
        if (end is not null)
        {
            page = timelines.Page(person, filter, end, PageSize, !view.NewestFirst);
            shown = [.. page.Events.Reverse()];
            next = Address(shown.Count > 0 ? Write(shown[^1]) : until);
            if (page.Next is not null)
            {
                previous = Address(before: Cursors.Write(company, page.Next));
                neighbour = NeighbourOf(page.Next);
            }
        }
        else
        {
            page = timelines.Page(person, filter, start, PageSize, view.NewestFirst);
            shown = [.. page.Events];
            next = page.Next is null ? null : Address(Cursors.Write(company, page.Next));
            if (start is not null)
            {
                var first = shown.Count > 0 ? new EventCursor(shown[0].Order, shown[0].EventId) : start;
                neighbour = NeighbourOf(first);
                if (neighbour is not null) previous = Address(before: Cursors.Write(company, first));
            }
        }

        var ascending = view.NewestFirst ? [.. Enumerable.Reverse(shown)] : shown;
        var events = ascending.ConvertAll(stored => TimelineRows.LaneOf(stored, company.Settings.Currency, notCounted: documents.NotCountedOf(person, stored) is not null));
        var openings = view.CutsVisits || view.IsFiltered && events.Count == 0 ? [] : Openings();
        var sections = TimelineRows.Of(events, openings, clock.DateOf, view.NewestFirst);
        var money = view.CutsVisits ? [] : documents.Totals.LedgerOf(person);
        var facts = sections.Select(section => section.Visit).OfType<VisitGroup>().ToDictionary(visit => visit, FactsOf);
        return new(sections, facts, next, previous, page.IsCut ? page.Next!.Order.UnixMilliseconds : null, [.. shown.Select(stored => stored.Type).Distinct().Order(StringComparer.Ordinal)]);

        long? NeighbourOf(EventCursor cursor) => timelines.Page(person, filter, cursor, 1, !view.NewestFirst).Events is [var one, ..] ? one.Order.UnixMilliseconds : null;

        string Write(StoredEvent stored) => Cursors.Write(company, new EventCursor(stored.Order, stored.EventId));

        IReadOnlyList<SpanOpening> Openings()
        {
            // Each opening is on exactly one page: a page shows those between its own last event and the last event of the previous page.
            var edge = end is null ? start?.Order.UnixMilliseconds : neighbour;
            var last = next is null || shown.Count == 0 ? (long?)null : shown[^1].Order.UnixMilliseconds;
            var (from, to) = view.NewestFirst ? (last, edge) : (edge, last);
            return [.. documents.Sessions.Openings(person, Math.Max(filter.From, from ?? long.MinValue), Math.Min(filter.To, to ?? long.MaxValue), OpeningsShown)
                .Where(opening => view.Session is null || opening.SessionId == view.Session)];
        }

        GroupFacts FactsOf(VisitGroup group)
        {
            var (first, last) = (ascending[group.From], ascending[group.End - 1]);
            var (from, to) = (first.Order.UnixMilliseconds, last.Order.UnixMilliseconds);
            var count = (long)group.Count;
            VisitSource? source = null;
            // A page may end in the middle of a visit. The rest is read as far as the heading needs it.
            var hasEarlier = group.From == 0 && (view.NewestFirst ? next is not null && first.Order.Origin is Origin.Server : neighbour is { } before && Visit.Continues(before, from));
            var hasLater = group.End == ascending.Count && (view.NewestFirst ? neighbour is { } after && Visit.Continues(to, after) : next is not null);
            var isContinued = view.NewestFirst ? hasLater : hasEarlier;
            if (!view.CutsVisits && Enumerable.Range(group.From, group.Count).Select(i => ascending[i]).FirstOrDefault(stored => stored.Order.Origin is Origin.Browser && stored.Number != 0) is { } landed)
            {
                StoredEvent? beginning = landed;
                if (group.From == 0 && (next ?? previous) is not null)
                {
                    (var earlier, beginning) = timelines.BeginningOfVisit(company, landed, MostOfVisit);
                    hasEarlier |= earlier > 0;
                    count += earlier;
                    from = Math.Min(from, beginning?.Order.UnixMilliseconds ?? from);
                }

                source = beginning is null ? null : VisitSource.Of(beginning);
            }

            var word = view.CutsVisits ? "matching event" : "event";
            return new(source, isContinued, ((hasEarlier || hasLater) && !view.CutsVisits ? "at least " : "") + MovedText.Count(count, word), RevenueLedger.Totals([.. money.Where(row => row.Order.UnixMilliseconds >= from && row.Order.UnixMilliseconds <= to)]), from, to);
        }
    }
}
