using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A session nobody has identified, as the list of them shows it.</summary>
public sealed record AnonymousSession(long Number, string SessionId, long Events, long FirstSeen, long LastActive);

/// <summary>Where a span of a person opens: the claim, and how many events of its session it found there.</summary>
/// <param name="UnixMilliseconds">The claim's time.</param>
/// <param name="EarlierEvents">Events of the session within the span that happened before the claim: they joined by it. At most <see cref="SessionReader.MostCounted"/> and one.</param>
public sealed record SpanOpening(long UnixMilliseconds, ClaimMethod Method, Trust Trust, Identifier Identifier, string SessionId, long EarlierEvents);

/// <summary>Reads sessions: a browser's by its id, a server's by the anchor of any of its events, and those that are nobody's.</summary>
internal sealed class SessionReader(Database database)
{
    /// <summary>How many events before a claim are counted; a page lists many claims, and each may have a long session.</summary>
    public const int MostCounted = 1000;

    public long? Find(Company company, string sessionId)
    {
        using var row = database.Use("SELECT id FROM session WHERE company = ? AND session_id = ?");
        return row.With(company.Number).With(sessionId).Next() ? row.Long(0) : null;
    }

    public string IdOf(Company company, long session)
    {
        using var row = database.Use("SELECT session_id FROM session WHERE id = ? AND company = ?");
        row.With(session).With(company.Number).Next();
        return row.Text(0);
    }

    /// <summary>The spans of a session, oldest first.</summary>
    public List<SourceOfEvents> Spans(Company company, long session)
    {
        var spans = new List<SourceOfEvents>();
        using var rows = database.Use($"SELECT identifier, from_ms, to_ms, claim, {SpanRows.IsVerified} FROM span s WHERE company = ?1 AND session = ?2 ORDER BY from_ms");
        rows.With(company.Number).With(session);
        while (rows.Next()) spans.Add(new(rows.Long(0), session, rows.Long(1), rows.Long(2), rows.Long(3), (Trust)rows.Long(4)));
        return spans;
    }

    /// <summary>The span that a session's event of this time lies in; null while it is nobody's.</summary>
    public SourceOfEvents? SpanAt(Company company, long session, EventOrder order)
    {
        using var row = database.Use($"SELECT identifier, from_ms, to_ms, claim, {SpanRows.IsVerified} FROM span s WHERE company = ?1 AND session = ?2 AND from_ms <= ?3 ORDER BY from_ms DESC LIMIT 1");
        return row.With(company.Number).With(session).With(order.UnixMilliseconds).Next() && order.UnixMilliseconds < row.Long(2)
            ? new(row.Long(0), session, row.Long(1), row.Long(2), row.Long(3), (Trust)row.Long(4))
            : null;
    }

    /// <summary>A server event by its anchor, which holds its second: so one second of the company's server events is searched.</summary>
    public (EventOrder Order, long? Session, long? Identifier)? FindAnchor(Company company, string anchor)
    {
        if (anchor.Split('_') is not ["webhook", var seconds, _] || !long.TryParse(seconds, out var second) || second is < 0 or > 99_999_999_999) return null;
        using var rows = database.Use($"SELECT event_id, at, session, identifier FROM message WHERE company = ? AND origin = {MessageTable.Server} AND at >= ? AND at < ?");
        rows.With(company.Number).With(EventOrder.Start(second * 1000).Value).With(EventOrder.Start((second + 1) * 1000).Value);
        while (rows.Next())
        {
            if (company.Anchor(second * 1000, rows.Text(0)) == anchor) return (new(rows.Long(1)), rows.LongOrNull(2), rows.LongOrNull(3));
        }

        return null;
    }

    /// <summary>Sessions with browser events that nobody has identified, the newest first.</summary>
    public List<AnonymousSession> Anonymous(Company company, long? before, int limit)
    {
        var sessions = new List<AnonymousSession>();
        using var rows = database.Use("""
            SELECT s.id, s.session_id, SUM(d.events), MIN(d.first_at), MAX(d.last_at)
            FROM session s JOIN session_day d ON d.company = s.company AND d.session = s.id
            WHERE s.company = ?1 AND s.id < ?2 AND NOT EXISTS (SELECT 1 FROM span WHERE span.company = ?1 AND span.session = s.id)
            GROUP BY s.id, s.session_id ORDER BY s.id DESC LIMIT ?3
            """);
        rows.With(company.Number).With(before ?? long.MaxValue).With(limit);
        while (rows.Next()) sessions.Add(new(rows.Long(0), rows.Text(1), rows.Long(2), new EventOrder(rows.Long(3)).UnixMilliseconds, new EventOrder(rows.Long(4)).UnixMilliseconds));
        return sessions;
    }

    /// <summary>The first event of a browser's session; null if it has none.</summary>
    public StoredEvent? FirstEvent(Company company, long session)
    {
        using var row = database.Use($"""
            {MessageTable.Select}
            WHERE company = ? AND session = ? AND session IS NOT NULL AND origin = {MessageTable.Browser} AND type IS NOT NULL ORDER BY at, event_id LIMIT 1
            """);
        return row.With(company.Number).With(session).Next() ? StoredEvent.Of(MessageTable.Read(row), source: null) : null;
    }

    /// <summary>The openings of a person's spans within a stretch of time, oldest first.</summary>
    /// <param name="person">Whose spans.</param>
    /// <param name="from">Unix milliseconds, inclusive.</param>
    /// <param name="to">Unix milliseconds, exclusive.</param>
    /// <param name="limit">At most so many, of the newest.</param>
    public List<SpanOpening> Openings(Person person, long from, long to, int limit)
    {
        var openings = new List<SpanOpening>();
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("""
                SELECT s.session, s.from_ms, s.to_ms, c.at_ms, c.method, c.trust FROM span s JOIN claim c ON c.company = s.company AND c.id = s.claim
                WHERE s.company = ? AND s.identifier = ? AND c.at_ms >= ? AND c.at_ms < ? ORDER BY c.at_ms DESC LIMIT ?
                """);
            rows.With(person.Company.Number).With(identifier.Number).With(from).With(to).With(limit);
            while (rows.Next())
            {
                openings.Add(new(rows.Long(3), (ClaimMethod)rows.Long(4), (Trust)rows.Long(5), identifier.Identifier, IdOf(person.Company, rows.Long(0)),
                    CountEvents(person.Company, rows.Long(0), rows.Long(1), Math.Min(rows.Long(2), rows.Long(3)))));
            }
        }

        return [.. openings.OrderByDescending(opening => opening.UnixMilliseconds).Take(limit).Reverse()];
    }

    public ShownClaim Claim(Company company, long number)
    {
        using var row = database.Use("""
            SELECT m.origin, c.method, c.trust, c.at_ms, c.event_id, s.session_id
            FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message LEFT JOIN session s ON s.id = c.session AND s.company = ?2 WHERE c.id = ?1 AND c.company = ?2
            """);
        row.With(number).With(company.Number).Next();
        return new((Origin)row.Long(0), (ClaimMethod)row.Long(1), (Trust)row.Long(2), row.Long(3), row.Text(4), row.TextOrNull(5));
    }

    /// <summary>Whom browsers said this session is: any of them may have registered in it, also one whose span another of the same time took.</summary>
    public List<long> IdentifiedAs(Company company, long session)
    {
        var identifiers = new List<long>();
        using var rows = database.Use($"SELECT DISTINCT identifier FROM claim WHERE company = ? AND session = ? AND session IS NOT NULL AND method = {ClaimTable.Identify}");
        rows.With(company.Number).With(session);
        while (rows.Next()) identifiers.Add(rows.Long(0));
        return identifiers;
    }

    private long CountEvents(Company company, long session, long from, long before)
    {
        using var count = database.Use("SELECT COUNT(*) FROM (SELECT 1 FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND type IS NOT NULL LIMIT ?) AS counted");
        count.With(company.Number).With(session).With(from == long.MinValue ? from : EventOrder.Start(from).Value).With(EventOrder.Start(before).Value).With(MostCounted + 1).Next();
        return count.Long(0);
    }
}
