using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>
/// Deletes messages inside the writer's transaction, and derives again the rows that depended on them. The result is as if these messages had never been sent. It reads
/// and writes only rows that they touched.
/// </summary>
internal sealed class MessageEraser(Database database, DirtySessions marks)
{
    /// <summary>Tables that refer to a message by (company, origin, event_id), one statement each.</summary>
    private static readonly string[] KeptByEventId =
    [
        "DELETE FROM warning WHERE company = ? AND origin = ? AND event_id = ?",
    ];

    /// <summary>Tables that refer to a message by (company, number), one statement each.</summary>
    private static readonly string[] KeptByNumber =
    [
        "DELETE FROM duplicate WHERE company = ? AND message = ?",
        "DELETE FROM rejected_event WHERE company = ?1 AND rejected IN (SELECT id FROM rejected WHERE company = ?1 AND mended = ?2 AND mended IS NOT NULL)",
        "DELETE FROM rejected WHERE company = ? AND mended = ? AND mended IS NOT NULL",
    ];

    private readonly SessionClaims claims = new(database, marks);
    private readonly PersonRows persons = new(database);
    private readonly ServerRunRows runs = new(database);
    private readonly LedgerRows ledger = new(database);
    private readonly IdentifierEraser identifiers = new(database);
    private readonly EventKeyRows keys = new(database);

    private sealed class Touched
    {
        public HashSet<long> Sessions { get; } = [];

        public HashSet<long> Identifiers { get; } = [];

        /// <summary>Claims of a session on an identifier.</summary>
        public HashSet<(long Session, long Identifier)> Claims { get; } = [];

        /// <summary>Two identifiers that one message named.</summary>
        public HashSet<(long One, long Other, long Trust)> Pairs { get; } = [];

        public Dictionary<RunHolder, List<EventOrder>> Runs { get; } = [];

        public Dictionary<(long Session, long Day), (long Events, long Bots)> Days { get; } = [];
    }

    public void Erase(Company company, IEnumerable<long> messages)
    {
        var touched = new Touched();
        foreach (var message in messages) Remove(company, message, touched);

        foreach (var ((session, day), gone) in touched.Days) Uncount(company, session, day, gone.Events, gone.Bots);
        foreach (var (holder, gone) in touched.Runs) runs.Forget(holder, gone);
        var restated = touched.Claims.SelectMany(claim => claims.Rederive(company, claim.Session, claim.Identifier)).ToHashSet();
        foreach (var session in restated) touched.Identifiers.UnionWith(persons.Pairs.SayFromSession(company, session, claims.ClaimsOn(company, session)));
        foreach (var (one, other, trust) in touched.Pairs) RederivePair(company, one, other, (Trust)trust);
        identifiers.Rederive(company, touched.Identifiers);
        foreach (var session in touched.Sessions)
        {
            marks.MessagesWent(company, session);
            DropUnlessUsed(company, session);
        }
    }

    private void Remove(Company company, long message, Touched touched)
    {
        long origin;
        string eventId;
        using (var row = database.Use($"SELECT origin, event_id, session, identifier, at, type IS NOT NULL, CASE WHEN {AgentText.IsBot} THEN 1 ELSE 0 END, data FROM message WHERE id = ? AND company = ?"))
        {
            if (!row.With(message).With(company.Number).Next()) return;
            (origin, eventId) = (row.Long(0), row.Text(1));
            var (session, identifier, order) = (row.LongOrNull(2), row.LongOrNull(3), new EventOrder(row.Long(4)));
            if (session is { } through) touched.Sessions.Add(through);
            if (identifier is { } named) touched.Identifiers.Add(named);
            if (row.Long(5) == 1 && (Origin)origin is Origin.Server)
            {
                var holder = new RunHolder(company, identifier ?? 0, identifier is null ? session!.Value : 0);
                if (!touched.Runs.TryGetValue(holder, out var gone)) touched.Runs.Add(holder, gone = []);
                gone.Add(order);
                keys.Remove(company, message, row.Bytes(7).ToArray());
            }
            else if (row.Long(5) == 1)
            {
                var day = (session!.Value, UtcDay.Of(order.UnixMilliseconds));
                var (events, bots) = touched.Days.GetValueOrDefault(day);
                touched.Days[day] = (events + 1, bots + row.Long(6));
            }
        }

        using (var rows = database.Use("SELECT session, identifier, second, third, trust FROM claim WHERE company = ? AND message = ?"))
        {
            rows.With(company.Number).With(message);
            while (rows.Next())
            {
                var first = rows.Long(1);
                touched.Identifiers.Add(first);
                if (rows.LongOrNull(0) is { } session)
                {
                    touched.Sessions.Add(session);
                    touched.Claims.Add((session, first));
                }

                foreach (var other in new[] { rows.LongOrNull(2), rows.LongOrNull(3) }.OfType<long>())
                {
                    touched.Identifiers.Add(other);
                    touched.Pairs.Add((first, other, rows.Long(4)));
                }
            }
        }

        ledger.Remove(company, message);
        database.Use("DELETE FROM claim WHERE company = ? AND message = ?").With(company.Number).With(message).Run();
        foreach (var delete in KeptByEventId) database.Use(delete).With(company.Number).With(origin).With(eventId).Run();
        foreach (var delete in KeptByNumber) database.Use(delete).With(company.Number).With(message).Run();
        database.Use("DELETE FROM message WHERE id = ? AND company = ?").With(message).With(company.Number).Run();
    }

    /// <summary>Subtracts deleted events from the counts of a day. The row is deleted, and inserted again if events are left.</summary>
    private void Uncount(Company company, long session, long day, long events, long bots)
    {
        using (var row = database.Use("SELECT events, bots FROM session_day WHERE company = ? AND session = ? AND day = ?"))
        {
            if (!row.With(company.Number).With(session).With(day).Next()) return;
            (events, bots) = (row.Long(0) - events, row.Long(1) - bots);
        }

        database.Use("DELETE FROM session_day WHERE company = ? AND session = ? AND day = ?").With(company.Number).With(session).With(day).Run();
        if (events == 0) return;
        var first = OrderOf($"SELECT at FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND origin = {MessageTable.Browser} AND type IS NOT NULL ORDER BY at LIMIT 1");
        var last = OrderOf($"SELECT at FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND origin = {MessageTable.Browser} AND type IS NOT NULL ORDER BY at DESC LIMIT 1");
        database.Use("INSERT INTO session_day (company, session, day, events, bots, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .With(company.Number).With(session).With(day).With(events).With(bots).With(first).With(last).Run();

        long? OrderOf(string sql)
        {
            using var row = database.Use(sql);
            row.With(company.Number).With(session).With(EventOrder.Start(UtcDay.Start(day)).Value).With(EventOrder.Start(UtcDay.Start(day + 1)).Value);
            return row.Next() ? row.Long(0) : null;
        }
    }

    /// <summary>Derives a pair again: it is the earliest remaining statement that the two identifiers are one person.</summary>
    private void RederivePair(Company company, long one, long other, Trust trust)
    {
        var (left, right) = (persons.Pairs.LeafOf(company, one).Value, persons.Pairs.LeafOf(company, other).Value);
        var (low, high) = left.Id.CompareTo(right.Id) < 0 ? (one, other) : (other, one);
        database.Use("DELETE FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = 0").With(company.Number).With(low).With(high).With((long)trust).Run();
        (long At, string EventId)? earliest = null;
        using (var row = database.Use("""
            SELECT at_ms, event_id FROM claim WHERE company = ?1 AND second = ?3 AND second IS NOT NULL AND identifier = ?2 AND trust = ?4
            UNION ALL SELECT at_ms, event_id FROM claim WHERE company = ?1 AND third = ?3 AND third IS NOT NULL AND identifier = ?2 AND trust = ?4
            UNION ALL SELECT at_ms, event_id FROM claim WHERE company = ?1 AND second = ?2 AND second IS NOT NULL AND identifier = ?3 AND trust = ?4
            UNION ALL SELECT at_ms, event_id FROM claim WHERE company = ?1 AND third = ?2 AND third IS NOT NULL AND identifier = ?3 AND trust = ?4
            ORDER BY 1, 2 LIMIT 1
            """))
        {
            if (row.With(company.Number).With(one).With(other).With((long)trust).Next()) earliest = (row.Long(0), row.Text(1));
        }

        if (earliest is { } said) persons.Pairs.Say(company, left, right, trust, new(said.At, said.EventId), persons.Pairs.Defer(company, left, right, trust, said.At));
    }

    private void DropUnlessUsed(Company company, long session)
    {
        using (var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1 AND session = ?2 AND session IS NOT NULL)
                OR EXISTS (SELECT 1 FROM claim INDEXED BY claim_by_session_and_identifier WHERE company = ?1 AND session = ?2 AND session IS NOT NULL)
            """))
        {
            found.With(company.Number).With(session).Next();
            if (found.Long(0) == 1) return;
        }

        foreach (var delete in OfSession) database.Use(delete).With(company.Number).With(session).Run();
    }

    private static readonly string[] OfSession =
    [
        "DELETE FROM session_day WHERE company = ? AND session = ?",
        "DELETE FROM opening WHERE company = ? AND session = ?",
        "DELETE FROM whole_span WHERE company = ? AND session = ?",
        "DELETE FROM span WHERE company = ? AND session = ?",
        "DELETE FROM server_run WHERE company = ? AND identifier = 0 AND session = ?",
        "DELETE FROM pair WHERE company = ? AND session = ? AND session > 0",
        "DELETE FROM act WHERE company = ? AND session = ?",
        "DELETE FROM session WHERE company = ? AND id = ?",
    ];
}
