using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A stored message by its eventId.</summary>
/// <param name="Number">The store's own number of it.</param>
/// <param name="ReceivedAt">Unix milliseconds.</param>
/// <param name="Session">The session that an event is bound through.</param>
/// <param name="Identifier">The identifier that it is bound by, or that an identify named.</param>
public sealed record StoredMessage(long Number, string EventId, EventOrder Order, long ReceivedAt, bool IsEvent, long? Session, long? Identifier);

/// <summary>What a company has received at all, for the lights of a fresh installation.</summary>
public sealed record FirstArrivals(bool Any, bool PageView, bool Identify, bool Webhook);

/// <summary>Reads messages in the order in which they arrived: what just happened.</summary>
internal sealed class ArrivalReader(Database database)
{
    /// <summary>
    /// The embedded store has no index by company and number. So this many of the newest are looked through; a company that is quieter than that beside a busy one
    /// sees its last events on its people's timelines only.
    /// </summary>
    private const long LookedThrough = 200_000;

    /// <summary>How many of a browser's messages are looked through for a page view.</summary>
    private const int TypesLookedThrough = 1000;

    /// <summary>The newest events of a company, the last to arrive first.</summary>
    public List<StoredEvent> Newest(Company company, Origin? origin, int limit)
    {
        var events = new List<StoredEvent>();
        // The plus keeps the planner off the company's index, which would sort all of its history.
        using var rows = database.Use($"""
            {MessageTable.Select}
            WHERE id > ?3 AND +company = ?1 AND type IS NOT NULL AND (?2 IS NULL OR origin = ?2)
            ORDER BY id DESC LIMIT ?4
            """);
        rows.With(company.Number).With((long?)origin).With(database.LastMessage(company.Number) - LookedThrough).With(limit);
        while (rows.Next())
        {
            var row = MessageTable.Read(rows);
            var source = row.Identifier is { } identifier ? new SourceOfEvents(identifier, null, long.MinValue, long.MaxValue, null, Trust.Verified) : null;
            events.Add(StoredEvent.Of(row, source) with { Context = default });
        }

        return events;
    }

    public FirstArrivals First(Company company)
    {
        using var row = database.Use($"""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1),
              EXISTS (SELECT 1 FROM (SELECT type FROM message WHERE company = ?1 AND origin = {MessageTable.Browser} LIMIT ?2) AS viewed WHERE type = 'page_view'),
              EXISTS (SELECT 1 FROM claim WHERE company = ?1 AND method = {ClaimTable.Identify} AND identifier > 0),
              EXISTS (SELECT 1 FROM (SELECT type FROM message WHERE company = ?1 AND origin = {MessageTable.Server} LIMIT ?2) AS told WHERE type IS NOT NULL)
            """);
        row.With(company.Number).With(TypesLookedThrough).Next();
        return new(row.Long(0) == 1, row.Long(1) == 1, row.Long(2) == 1, row.Long(3) == 1);
    }

    public StoredMessage? Stored(Company company, Origin origin, string eventId)
    {
        using var row = database.Use($"""
            SELECT m.id, m.at, m.received_ms, m.type IS NOT NULL, m.session, COALESCE(m.identifier, c.identifier)
            FROM message m LEFT JOIN claim c ON m.type IS NULL AND c.company = ?1 AND c.message = m.id AND c.method = {ClaimTable.Identify}
            WHERE m.company = ?1 AND m.origin = ?2 AND m.event_id = ?3
            """);
        return row.With(company.Number).With((long)origin).With(eventId).Next()
            ? new(row.Long(0), eventId, new(row.Long(1)), row.Long(2), row.Long(3) == 1, row.LongOrNull(4), row.LongOrNull(5))
            : null;
    }
}
