using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using Place = TrackMate.Store.Tables.MessageTable.Place;

namespace TrackMate.Store.Timeline;

/// <summary>
/// Events of a person in their one order, a page at a time. The sources (spans of sessions, identifiers) are merged by a heap that opens a source only when its
/// turn comes, so a page costs the same in a long history as in a short one.
/// </summary>
internal sealed class TimelineReader(Database database)
{
    private readonly PersonReader persons = new(database);
    private readonly ServerRunRows runs = new(database);
    private (ProfileId Person, ServerRun Session)? lastSession;

    /// <summary>Most events that one page of a filtered timeline looks at, and most bytes of their data; then it ends, and the next page continues.</summary>
    private const int MostExamined = 20_000;
    private const int MostBytesExamined = 8 * 1024 * 1024;

    /// <summary>A page of a timeline.</summary>
    public EventPage Page(Person person, TimelineFilter filter, EventCursor? after, int limit, bool newestFirst = true)
    {
        var sources = new List<Source>();
        foreach (var identifier in person.Identifiers)
        {
            if (filter.Origin is not Origin.Browser && filter.Session is null)
            {
                var (first, last) = RunsOf(person.Company, identifier.Number);
                AddSource(sources, new(identifier.Number, null, long.MinValue, long.MaxValue, null, Trust.Verified), first, last, filter, after, newestFirst);
            }

            foreach (var (span, first, last) in SpansOf(person.Company, identifier.Number, onlyWithServerEvents: filter.Origin is Origin.Server))
            {
                if (filter.Session is null || filter.Session == span.Session) AddSource(sources, span, first, last, filter, after, newestFirst);
            }
        }

        var registration = filter.Origin is Origin.Server ? null : persons.RegistrationOf(person);
        if (filter.Session is not null && registration?.Session != filter.Session) registration = null;
        var (events, examinedTo) = Merge(person.Company, sources, filter, after, limit + 1, newestFirst, registration);
        var fitting = Fitting(events, limit);
        if (events.Count <= fitting) return new(events, examinedTo, examinedTo is not null);
        events.RemoveRange(fitting, events.Count - fitting);
        return new(events, new(events[^1].Order, events[^1].EventId), IsCut: false);
    }

    /// <summary>One event of a person's timeline; null if there is none of this id, or it is somebody else's.</summary>
    public StoredEvent? Find(Person person, Origin origin, string eventId)
    {
        if (origin is Origin.Browser && persons.RegistrationOf(person) is { } registration && registration.EventId == eventId)
            return EventOf(registration);
        using var row = database.Use(MessageTable.Select + " WHERE company = ? AND origin = ? AND event_id = ? AND type IS NOT NULL");
        if (!row.With(person.Company.Number).With((long)origin).With(eventId).Next()) return null;
        var found = StoredEvent.Of(MessageTable.Read(row), source: null);
        var source = found.Session is { } session ? SpanAt(person, session, found.Order.UnixMilliseconds) : HolderOf(person, found.Number);
        return source is null ? null : found with { Source = source };
    }

    /// <summary>A page of one server session of a person, oldest first.</summary>
    public List<StoredEvent> ServerSession(Person person, ServerRun session, EventCursor? after, int limit)
    {
        var sources = new List<Source>();
        foreach (var identifier in person.Identifiers)
        {
            sources.Add(new(new(identifier.Number, null, long.MinValue, long.MaxValue, null, Trust.Verified), session.First));
            sources.AddRange(SpansOf(person.Company, identifier.Number, onlyWithServerEvents: true).Select(found => new Source(found.Span, session.First)));
        }

        return Merge(person.Company, sources, WithinRun(session), after, limit, newestFirst: false, null).Events;
    }

    /// <summary>A page of a server session of events whose session is nobody's, oldest first.</summary>
    public List<StoredEvent> ServerSession(Company company, long session, ServerRun run, EventCursor? after, int limit) =>
        Merge(company, [.. runs.FreeOf(company, session, run.First, new(run.Last.Value + 1)).Value.Select(free => new Source(new(0, session, free.From, free.To, null, Trust.Claimed), run.First))], WithinRun(run), after, limit, newestFirst: false, null).Events;

    /// <summary>A page of a browser's session, oldest first; who owns each event is found by its span.</summary>
    public List<StoredEvent> BrowserSession(Company company, long session, IReadOnlyList<Registration> registrations, EventCursor? after, int limit)
    {
        var source = new SourceOfEvents(0, session, long.MinValue, long.MaxValue, null, Trust.Claimed);
        var (events, _) = Merge(company, [new(source, new(long.MinValue))], new(Origin.Browser), after, limit + registrations.Count, newestFirst: false, null, isBounded: false);
        events.AddRange(registrations
            .Where(registration => after is null || Compare((registration.Order, registration.EventId), (after.Order, after.EventId)) > 0)
            .Select(EventOf));
        events.Sort((left, right) => Compare((left.Order, left.EventId), (right.Order, right.EventId)));
        return events.Count > limit ? events[..limit] : events;
    }

    /// <summary>How a browser's visit began, of which a page shows a later part.</summary>
    /// <param name="one">The earliest event of the visit that the page shows.</param>
    /// <param name="most">How many events to look at.</param>
    /// <returns>How many events of the visit are before it, and the first of them; null for the first where it looked at as many as it may.</returns>
    public (int Earlier, StoredEvent? First) BeginningOfVisit(Company company, StoredEvent one, int most)
    {
        var (earlier, first) = (0, one);
        using var rows = database.Use(MessageTable.Select + " WHERE company = ? AND session = ? AND session IS NOT NULL" + Newest);
        rows.With(company.Number).With(one.Session!.Value).With(StartOrMin(one.Source?.From ?? long.MinValue)).With(long.MaxValue).With(one.Order.Value).With(one.EventId).With(most).With((long)Origin.Browser);
        while (rows.Next())
        {
            var row = StoredEvent.Of(MessageTable.Read(rows), one.Source);
            if (!Visit.Continues(row.Order.UnixMilliseconds, first.Order.UnixMilliseconds)) return (earlier, first);
            (earlier, first) = (earlier + 1, row);
        }

        return (earlier, earlier < most ? first : null);
    }

    /// <summary>The id of the server session that an event of a person is in.</summary>
    public string ServerSessionIdOf(Person person, EventOrder order)
    {
        // Events of a page lie side by side: mostly it is the session of the one before.
        if (lastSession is not { } last || last.Person != person.Id || !last.Session.Holds(order)) lastSession = last = (person.Id, runs.Whole(person, order).Value);
        var session = last.Session;
        return person.Company.Anchor(session.First.UnixMilliseconds, session.FirstEventId);
    }

    private static StoredEvent EventOf(Registration registration) =>
        new(0, registration.EventId, registration.Order, registration.ReceivedAt, Registration.EventType, "{}"u8.ToArray(), default, null, registration.Session, null, registration.Source);

    public static int Compare((EventOrder Order, string EventId) left, (EventOrder Order, string EventId) right) =>
        left.Order.CompareTo(right.Order) is var byOrder and not 0 ? byOrder : EventIds.Compare(left.EventId, right.EventId);

    private static TimelineFilter WithinRun(ServerRun run) => new(Origin.Server, null, run.First.UnixMilliseconds, run.Last.UnixMilliseconds + 1);

    /// <summary>Merges the sources into one page.</summary>
    /// <returns>The events, and how far it looked where it stopped before the page was full or the events ended.</returns>
    private (List<StoredEvent> Events, EventCursor? ExaminedTo) Merge(
        Company company, List<Source> sources, TimelineFilter filter, EventCursor? after, int limit, bool newestFirst, Registration? registration, bool isBounded = true)
    {
        var direction = newestFirst ? -1 : 1;
        var heap = new PriorityQueue<Source, (EventOrder Order, string EventId, bool Opened)>(Comparer<(EventOrder Order, string EventId, bool Opened)>.Create((left, right) =>
        {
            // An unopened source stands at the first place it could have an event, before any event that is there.
            var byOrder = left.Order.CompareTo(right.Order) * direction;
            if (byOrder != 0) return byOrder;
            return left.Opened != right.Opened ? (left.Opened ? 1 : -1) : EventIds.Compare(left.EventId, right.EventId) * direction;
        }));
        foreach (var source in sources) heap.Enqueue(source, (source.Bound, "", false));

        var (page, held) = (new List<StoredEvent>(), 0L);
        var opened = new List<Source>();
        var (examined, bytes) = (0, 0L);
        EventCursor? examinedTo = null;
        // Most rows that are left out would be fetched for nothing by a statement that fetches all it may need at once.
        var leavesOut = isBounded && (filter.EventType is not null || filter.Words is not null || filter.Origin is Origin.Browser);
        try
        {
            while (page.Count < limit && heap.TryDequeue(out var source, out var place))
            {
                if (!place.Opened)
                {
                    source = source with { Rows = OpenRows(company, source.Of, filter, after, newestFirst, limit, leavesOut) };
                    opened.Add(source);
                }
                else
                {
                    if (leavesOut && (examined == MostExamined || bytes > MostBytesExamined)) return (page, examinedTo);
                    if (registration is not null && Compare((registration.Order, registration.EventId), (place.Order, place.EventId)) * direction < 0)
                    {
                        AddRegistration(page, registration, filter, after, direction);
                        registration = null;
                        if (page.Count == limit) break;
                    }

                    examined++;
                    examinedTo = new(place.Order, place.EventId);
                    if (filter.Words is not null) bytes += source.Rows!.Bytes(Place.Data).Length;
                    if (Matches(source.Rows!, filter))
                    {
                        page.Add(StoredEvent.Of(MessageTable.Read(source.Rows!), source.Of));
                        // One more than fits says that there is more.
                        if ((held += BytesOf(page[^1])) >= PageBounds.MaxBytes) limit = Math.Min(limit, page.Count + 1);
                    }
                }

                if (source.Rows!.Next()) heap.Enqueue(source, (new(source.Rows.Long(Place.At)), source.Rows.Text(Place.EventId), true));
            }

            if (registration is not null && page.Count < limit) AddRegistration(page, registration, filter, after, direction);
            return (page, null);
        }
        finally
        {
            foreach (var source in opened) source.Rows!.Dispose();
        }
    }

    private static bool Matches(Statement row, TimelineFilter filter) =>
        (filter.Origin is not { } origin || new EventOrder(row.Long(Place.At)).Origin == origin)
        && (filter.EventType is not { } type || row.Text(Place.Type) == type)
        && (filter.Words is not { } words || EventWords.Hold(words, row.Text(Place.Type), row.Text(Place.EventId), row.Bytes(Place.Data)));

    /// <summary>How many of the events of a page are shown: as many as asked for, or as are no larger together than one may be.</summary>
    public static int Fitting(List<StoredEvent> events, int limit)
    {
        var (count, bytes) = (0, 0L);
        while (count < events.Count && count < limit && bytes < PageBounds.MaxBytes) bytes += BytesOf(events[count++]);
        return count;
    }

    private static long BytesOf(StoredEvent stored) => stored.Data.Length + stored.Context.Length;

    private static void AddRegistration(List<StoredEvent> page, Registration registration, TimelineFilter filter, EventCursor? after, int direction)
    {
        if (after is not null && Compare((registration.Order, registration.EventId), (after.Order, after.EventId)) * direction <= 0) return;
        if (filter.EventType is { } type && type != Registration.EventType) return;
        if (filter.Words is { } words && !EventWords.Hold(words, Registration.EventType, registration.EventId, [])) return;
        if (registration.UnixMilliseconds < filter.From || registration.UnixMilliseconds >= filter.To) return;
        page.Add(EventOf(registration));
    }

    private Statement OpenRows(Company company, SourceOfEvents of, TimelineFilter filter, EventCursor? after, bool newestFirst, int limit, bool leavesOut)
    {
        // The few server events of a long browser session have an index of their own.
        var sql = (of.Session is null, newestFirst, filter.Origin is Origin.Server) switch
        {
            (true, true, _) => MessageTable.Select + " WHERE company = ? AND identifier = ? AND identifier IS NOT NULL" + Newest,
            (true, false, _) => MessageTable.Select + " WHERE company = ? AND identifier = ? AND identifier IS NOT NULL" + Oldest,
            (false, true, false) => MessageTable.Select + " WHERE company = ? AND session = ? AND session IS NOT NULL" + Newest,
            (false, false, false) => MessageTable.Select + " WHERE company = ? AND session = ? AND session IS NOT NULL" + Oldest,
            (false, true, true) => MessageTable.Select + $" INDEXED BY server_message_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND origin = {MessageTable.Server}" + Newest,
            (false, false, true) => MessageTable.Select + $" INDEXED BY server_message_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND origin = {MessageTable.Server}" + Oldest,
        };
        var rows = leavesOut ? database.Stream(sql) : database.Use(sql);
        var from = StartOrMin(Math.Max(of.From, filter.From));
        var before = StartOrMax(Math.Min(of.To, filter.To));
        var cursor = (Order: newestFirst ? long.MaxValue : long.MinValue, EventId: "");
        if (after is not null) cursor = (after.Order.Value, after.EventId);
        return rows.With(company.Number).With(of.Session ?? of.Identifier).With(from).With(before).With(cursor.Order).With(cursor.EventId)
            .With(leavesOut ? MostExamined + 1 : limit).With(leavesOut ? null : (long?)filter.Origin);
    }

    private const string Newest = " AND at >= ?3 AND at < ?4 AND (at, event_id) < (?5, ?6) AND (?8 IS NULL OR origin = ?8) ORDER BY at DESC, event_id DESC LIMIT ?7";
    private const string Oldest = " AND at >= ?3 AND at < ?4 AND (at, event_id) > (?5, ?6) AND (?8 IS NULL OR origin = ?8) ORDER BY at, event_id LIMIT ?7";

    private static long StartOrMin(long unixMilliseconds) => unixMilliseconds == long.MinValue ? long.MinValue : EventOrder.Start(unixMilliseconds).Value;

    private static long StartOrMax(long unixMilliseconds) => unixMilliseconds == long.MaxValue ? long.MaxValue : EventOrder.Start(unixMilliseconds).Value;

    private SourceOfEvents? SpanAt(Person person, long session, long unixMilliseconds)
    {
        using var row = database.Use($"SELECT identifier, from_ms, to_ms, claim, {SpanRows.IsVerified} FROM span s WHERE company = ?1 AND session = ?2 AND from_ms <= ?3 AND to_ms > ?3");
        return row.With(person.Company.Number).With(session).With(unixMilliseconds).Next() && person.Identifiers.Any(identifier => identifier.Number == row.Long(0))
            ? new(row.Long(0), session, row.Long(1), row.Long(2), row.Long(3), (Trust)row.Long(4))
            : null;
    }

    private SourceOfEvents? HolderOf(Person person, long message)
    {
        using var row = database.Use("SELECT identifier FROM message WHERE id = ? AND company = ?");
        return row.With(message).With(person.Company.Number).Next() && person.Identifiers.Any(identifier => identifier.Number == row.Long(0))
            ? new(row.Long(0), null, long.MinValue, long.MaxValue, null, Trust.Verified)
            : null;
    }

    /// <summary>Adds a source, unless nothing of it lies where the page looks.</summary>
    /// <param name="first">No event of it is earlier.</param>
    /// <param name="last">No event of it is later.</param>
    private static void AddSource(List<Source> sources, SourceOfEvents of, EventOrder first, EventOrder last, TimelineFilter filter, EventCursor? after, bool newestFirst)
    {
        var from = Math.Max(first.Value, StartOrMin(Math.Max(of.From, filter.From)));
        var to = Math.Min(last.Value, StartOrMax(Math.Min(of.To, filter.To)));
        // A session that two people take in turns has many spans and few with events: one that begins after the session's last event holds none.
        if (from > to) return;
        if (after is not null && newestFirst && from > after.Order.Value) return;
        if (after is not null && !newestFirst && to < after.Order.Value) return;
        sources.Add(new(of, new(newestFirst ? to : from)));
    }

    private (EventOrder First, EventOrder Last) RunsOf(Company company, long identifier)
    {
        using var runs = database.Use("""
            SELECT (SELECT first_at FROM server_run WHERE company = ?1 AND identifier = ?2 AND session = 0 ORDER BY first_at LIMIT 1),
                   (SELECT last_at FROM server_run WHERE company = ?1 AND identifier = ?2 AND session = 0 ORDER BY first_at DESC LIMIT 1)
            """);
        return runs.With(company.Number).With(identifier).Next() && !runs.IsNull(0) ? (new(runs.Long(0)), new(runs.Long(1))) : (new(long.MaxValue), new(long.MinValue));
    }

    /// <summary>The spans of an identifier, each with its session's first and last event.</summary>
    private List<(SourceOfEvents Span, EventOrder First, EventOrder Last)> SpansOf(Company company, long identifier, bool onlyWithServerEvents)
    {
        var spans = new List<(SourceOfEvents, EventOrder, EventOrder)>();
        using var rows = database.Use($"""
            SELECT session, from_ms, to_ms, claim, {SpanRows.IsVerified},
              COALESCE((SELECT first_at FROM session_day d WHERE d.company = ?1 AND d.session = s.session ORDER BY day LIMIT 1), 9223372036854775807),
              COALESCE((SELECT last_at FROM session_day d WHERE d.company = ?1 AND d.session = s.session ORDER BY day DESC LIMIT 1), -9223372036854775808),
              COALESCE(first_server_at, 9223372036854775807), COALESCE(last_server_at, -9223372036854775808)
            FROM span s WHERE company = ?1 AND identifier = ?2 AND (last_server_at IS NOT NULL OR ?3 = 0)
            """);
        rows.With(company.Number).With(identifier).With(onlyWithServerEvents ? 1 : 0);
        while (rows.Next())
        {
            spans.Add((new(identifier, rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), (Trust)rows.Long(4)),
                new(Math.Min(rows.Long(5), rows.Long(7))), new(Math.Max(rows.Long(6), rows.Long(8)))));
        }

        return spans;
    }

    /// <param name="Bound">The first place, in the order asked for, where it can have an event.</param>
    /// <param name="Rows">Its events, once it is opened; the statement stands on the next one.</param>
    private sealed record Source(SourceOfEvents Of, EventOrder Bound, Statement? Rows = null);
}
