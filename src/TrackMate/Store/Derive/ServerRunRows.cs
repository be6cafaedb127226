using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>Runs of server events by holder, kept as events come, and the server sessions of a person that follow from them (B7).</summary>
internal sealed class ServerRunRows(Database database)
{
    private readonly ServerRunTable table = new(database);

    /// <summary>Asks for the runs that an event may belong to.</summary>
    public Lazy<List<ServerRun>> Near(RunHolder holder, EventOrder order)
    {
        var gap = holder.Company.Settings.StoredGapMilliseconds;
        return table.Between(holder, EventOrder.Start(order.UnixMilliseconds - gap + 1), EventOrder.Start(order.UnixMilliseconds + gap));
    }

    /// <summary>Adds an event to its holder's runs.</summary>
    /// <param name="near">Those that it may belong to.</param>
    /// <returns>The run that it is in now.</returns>
    public ServerRun Add(RunHolder holder, EventOrder order, string eventId, List<ServerRun> near)
    {
        var run = ServerSessions.Add(near, order, eventId);
        foreach (var old in near)
        {
            if (old.First != run.First) table.Delete(holder, old);
        }

        table.Write(holder, run);
        if (holder.Session != 0)
        {
            database.Use("""
                UPDATE span SET first_server_at = CASE WHEN first_server_at < ?4 THEN first_server_at ELSE ?4 END, last_server_at = CASE WHEN last_server_at > ?4 THEN last_server_at ELSE ?4 END
                WHERE company = ?1 AND session = ?2 AND to_ms > ?3 AND from_ms = (SELECT MAX(from_ms) FROM span WHERE company = ?1 AND session = ?2 AND from_ms <= ?3)
                """).With(holder.Company.Number).With(holder.Session).With(order.UnixMilliseconds).With(order.Value).Run();
        }

        return run;
    }

    /// <summary>Derives anew the runs of a holder that held events which are not in the store any more.</summary>
    /// <param name="gone">Their places, one for each event.</param>
    public void Forget(RunHolder holder, IReadOnlyCollection<EventOrder> gone)
    {
        foreach (var run in gone.SelectMany(order => table.Between(holder, order, new(order.Value + 1)).Value).Distinct().ToList())
        {
            table.Delete(holder, run);
            var (left, leftBefore) = (First(holder, run), gone.Where(run.Holds).ToList());
            if (left is not { } first) continue;
            if (first.Order > leftBefore.Max())
            {
                // Eaten from its beginning, as a long one is in steps: what follows hangs together as it did.
                table.Write(holder, new(first.Order, first.EventId, run.Last, run.Events - leftBefore.Count));
                continue;
            }

            foreach (var (order, eventId) in table.Events(holder, run.First, run.Last)) Add(holder, order, eventId, Near(holder, order).Value);
        }

        if (holder.Session == 0) return;
        foreach (var at in gone.Select(order => order.UnixMilliseconds).Distinct())
        {
            var span = database.Use("SELECT from_ms, to_ms FROM span WHERE company = ? AND session = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1")
                .With(holder.Company.Number).With(holder.Session).With(at).Defer(row => row.Next() ? (From: row.Long(0), To: row.Long(1)) : ((long From, long To)?)null).Value;
            if (span is { } held && at < held.To) SpanRows.NoteServerEvents(database, holder.Company, holder.Session, held.From, held.To);
        }
    }

    private (EventOrder Order, string EventId)? First(RunHolder holder, ServerRun run) => table.Events(holder, run.First, run.Last).Select(found => ((EventOrder, string)?)found).FirstOrDefault();

    /// <summary>Asks for the server session of a person that holds an event of this time.</summary>
    /// <param name="near">A run that holds it, where one is known: what is around it is asked for first.</param>
    public Lazy<ServerRun> Whole(Person person, EventOrder order, ServerRun? near = null) => Whole(person.Company, order, near, (from, before) =>
    {
        var runs = person.Identifiers.Select(identifier => Of(person.Company, identifier.Number, from, before)).ToList();
        return new(() => [.. runs.SelectMany(ofOne => ofOne.Value)], LazyThreadSafetyMode.None);
    });

    /// <summary>Asks for the server session that holds an event bound through a session that is nobody's at its time.</summary>
    /// <inheritdoc cref="Whole(Person, EventOrder, ServerRun?)"/>
    public Lazy<ServerRun> WholeOfNobody(Company company, long session, EventOrder order, ServerRun? near = null)
    {
        return Whole(company, order, near, (from, before) =>
        {
            var (free, runs) = (FreeOf(company, session, from, before), table.Between(new(company, 0, session), from, before));
            return new(() => [.. free.Value.SelectMany(range => Parts(company, session, runs.Value, range.From, range.To, from, before))], LazyThreadSafetyMode.None);
        });
    }

    /// <summary>Asks when a session is nobody's, oldest first: the stretches that lie in [from, before) or reach into it, whole; what is before the first of them is not looked at.</summary>
    public Lazy<List<(long From, long To)>> FreeOf(Company company, long session, EventOrder from, EventOrder before) =>
        database.Use("""
            SELECT from_ms, to_ms FROM span WHERE company = ?1 AND session = ?2
              AND from_ms >= COALESCE((SELECT MAX(from_ms) FROM span WHERE company = ?1 AND session = ?2 AND from_ms <= ?3), ?3)
              AND from_ms <= COALESCE((SELECT MIN(from_ms) FROM span WHERE company = ?1 AND session = ?2 AND from_ms > ?4), ?4) ORDER BY from_ms
            """).With(company.Number).With(session).With(from.UnixMilliseconds).With(before.UnixMilliseconds).Defer(spans =>
        {
            var free = new List<(long, long)>();
            var start = long.MinValue;
            while (spans.Next())
            {
                if (start < spans.Long(0)) free.Add((start, spans.Long(0)));
                start = spans.Long(1);
            }

            if (start < long.MaxValue) free.Add((start, long.MaxValue));
            return free;
        });

    private static Lazy<ServerRun> Whole(Company company, EventOrder order, ServerRun? near, Func<EventOrder, EventOrder, Lazy<List<ServerRun>>> between)
    {
        var gap = company.Settings.ServerSessionGapMilliseconds;
        var (from, before) = near is null ? Around(order, order) : Around(near.First, near.Last);
        var runs = between(from, before);
        return new(() =>
        {
            while (true)
            {
                var session = ServerSessions.Join(runs.Value, gap).Single(run => run.Holds(order));
                var (earlier, later) = Around(session.First, session.Last);
                if (earlier >= from && later <= before) return session;
                (from, before) = (earlier < from ? earlier : from, later > before ? later : before);
                runs = between(from, before);
            }
        }, LazyThreadSafetyMode.None);

        (EventOrder From, EventOrder Before) Around(EventOrder first, EventOrder last) => (EventOrder.Start(first.UnixMilliseconds - gap + 1), EventOrder.Start(last.UnixMilliseconds + gap));
    }

    /// <summary>Asks for the runs of a person that touch [from, before), through any holder; those of a shared session cut to the person's spans.</summary>
    public Lazy<List<ServerRun>> Of(Company company, long identifier, EventOrder from, EventOrder before)
    {
        var (runs, spans) = (table.Between(new(company, identifier, 0), from, before), SpansWithServerEvents(company, identifier, from, before));
        return new(() =>
        {
            var parts = spans.Value.Where(span => Later(from, span.From) < Earlier(before, span.To))
                .Select(span => (Span: span, Runs: table.Between(new(company, 0, span.Session), Later(from, span.From), Earlier(before, span.To)))).ToList();
            return [.. runs.Value, .. parts.SelectMany(part => Parts(company, part.Span.Session, part.Runs.Value, part.Span.From, part.Span.To, from, before))];
        }, LazyThreadSafetyMode.None);
    }

    private static EventOrder Later(EventOrder order, long spanFrom) => spanFrom == long.MinValue || EventOrder.Start(spanFrom) < order ? order : EventOrder.Start(spanFrom);

    private static EventOrder Earlier(EventOrder order, long spanTo) => spanTo == long.MaxValue || EventOrder.Start(spanTo) > order ? order : EventOrder.Start(spanTo);

    private Lazy<List<(long Session, long From, long To)>> SpansWithServerEvents(Company company, long identifier, EventOrder from, EventOrder before) =>
        database.Use("SELECT session, from_ms, to_ms FROM span WHERE company = ? AND identifier = ? AND last_server_at IS NOT NULL AND last_server_at >= ? AND first_server_at < ?")
            .With(company.Number).With(identifier).With(from.Value).With(before.Value).DeferAll(row => (row.Long(0), row.Long(1), row.Long(2)));

    /// <summary>Of runs of a session those that touch [from, before), cut to a stretch of the session.</summary>
    private List<ServerRun> Parts(Company company, long session, List<ServerRun> runs, long spanFrom, long spanTo, EventOrder from, EventOrder before)
    {
        var (first, end) = (Later(from, spanFrom), Earlier(before, spanTo));
        return first >= end ? [] : [.. runs.Where(run => run.First < end && run.Last >= first).Select(run => Cut(company, session, run, spanFrom, spanTo)).OfType<ServerRun>()];
    }

    /// <summary>The part of a session's run that lies in a span; where the span cuts it, its events say where the part begins and ends.</summary>
    private ServerRun? Cut(Company company, long session, ServerRun run, long spanFrom, long spanTo)
    {
        var from = Later(run.First, spanFrom);
        var last = new EventOrder(run.Last.Value + 1);
        var before = Earlier(last, spanTo);
        if (from == run.First && before == last) return run;

        using var rows = database.Use($"""
            SELECT MIN(at), MAX(at), COUNT(*) FROM message
            WHERE company = ? AND session = ? AND origin = {MessageTable.Server} AND session IS NOT NULL AND at >= ? AND at < ?
            """);
        rows.With(company.Number).With(session).With(from.Value).With(before.Value).Next();
        if (rows.Long(2) == 0) return null;
        using var first = database.Use($"""
            SELECT event_id FROM message WHERE company = ? AND session = ? AND origin = {MessageTable.Server} AND session IS NOT NULL AND at >= ? ORDER BY at, event_id LIMIT 1
            """);
        first.With(company.Number).With(session).With(from.Value).Next();
        return new(new(rows.Long(0)), first.Text(0), new(rows.Long(1)), rows.Long(2));
    }
}
