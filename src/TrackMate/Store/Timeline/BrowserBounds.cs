using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Why a browser's event does not count for a person whom verified messages know.</summary>
public enum NotCounted
{
    /// <summary>It claims to be older than the company believes, or to be of the future.</summary>
    TooOld,

    /// <summary>Its session has as many earlier events on that day as the company believes.</summary>
    TooMany,
}

/// <summary>
/// What a company believes of browsers' events on a person whom verified messages know, where it has set a bound: how old one may be when it comes, and how many of
/// a session count on a UTC day, the earliest by (time, eventId). The others are kept and shown, and count nowhere. Worked out as it is read: nothing is stored of it.
/// </summary>
internal sealed class BrowserBounds(Database database)
{
    /// <summary>So far ahead of ours a browser's clock may be where its events' age is bounded.</summary>
    public const long AheadMilliseconds = 3_600_000;

    private readonly Dictionary<(ProfileId Person, long Session, long Day), (EventOrder Order, string EventId)?> lastCounted = [];

    /// <summary>What counts of a session.</summary>
    public readonly record struct Counts(long Events, long Bots, EventOrder First, EventOrder Last);

    /// <summary>A time of a session that is a person's: unix milliseconds, from inclusive, to exclusive.</summary>
    private readonly record struct Part(long From, long To);

    public static bool AreSet(Company company) => company.Settings.MaxBrowserEventAgeDays is not null || company.Settings.MaxSessionEventsPerDay is not null;

    /// <summary>Whether the time of a browser's message is beyond what the company believes.</summary>
    public static bool IsTooOld(Company company, long unixMilliseconds, long receivedAt) =>
        company.Settings.MaxBrowserEventAgeDays is { } days && (receivedAt - unixMilliseconds > days * UtcDay.Milliseconds || unixMilliseconds - receivedAt > AheadMilliseconds);

    /// <summary>Whether anything of a person is beyond the bounds: if not, its counters say all.</summary>
    public bool Cut(Person person)
    {
        var settings = person.Company.Settings;
        return person.Identifiers.Any(identifier =>
            (settings.MaxSessionEventsPerDay is { } most && HasFullDay(person.Company, identifier.Number, most))
            || (settings.MaxBrowserEventAgeDays is not null && HasOld(person.Company, identifier.Number)));
    }

    /// <summary>What counts of the browsers' events of a person, session by session; sessions of which nothing counts are left out.</summary>
    public List<(long Session, Counts Counts)> Count(Person person)
    {
        var counted = new List<(long, Counts)>();
        foreach (var session in PartsOf(person))
        {
            var counts = Count(person.Company, session.Key, [.. session]);
            if (counts.Events > 0) counted.Add((session.Key, counts));
        }

        return counted;
    }

    /// <summary>Why a browser's event of a person does not count; null where it does.</summary>
    public NotCounted? Of(Person person, long session, EventOrder order, string eventId, long receivedAt)
    {
        if (IsTooOld(person.Company, order.UnixMilliseconds, receivedAt)) return NotCounted.TooOld;
        if (person.Company.Settings.MaxSessionEventsPerDay is null) return null;
        var day = UtcDay.Of(order.UnixMilliseconds);
        if (!lastCounted.TryGetValue((person.Id, session, day), out var last))
        {
            var counted = Counted(person.Company, session, day, [.. PartsOf(person, session)]);
            lastCounted[(person.Id, session, day)] = last = counted.Count == 0 ? null : (counted[^1].Order, counted[^1].EventId);
        }

        return last is { } known && TimelineReader.Compare((order, eventId), known) > 0 ? NotCounted.TooMany : null;
    }

    /// <summary>The time of the earliest message that named a person and is believed; null where there is none.</summary>
    public long? CreatedAt(Person person)
    {
        long? earliest = null;
        foreach (var identifier in person.Identifiers)
        {
            using var row = database.Use($"""
                SELECT MIN(at) FROM (
                  SELECT (SELECT at >> 11 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND named <> {MessageTable.NamedBare} ORDER BY at LIMIT 1) AS at
                  UNION ALL SELECT (SELECT MIN(c.at_ms) FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                    WHERE c.company = ?1 AND c.identifier = ?2 AND c.session IS NOT NULL AND c.named <> {ClaimTable.NamedBare} AND (c.trust = {ClaimTable.Verified} OR (m.received_ms - c.at_ms <= ?3 AND c.at_ms - m.received_ms <= ?4)))
                  UNION ALL SELECT (SELECT MIN(at_ms) FROM claim WHERE company = ?1 AND identifier = ?2 AND session IS NULL AND named <> {ClaimTable.NamedBare})
                  UNION ALL SELECT (SELECT MIN(c.at_ms) FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                    WHERE c.company = ?1 AND c.second = ?2 AND c.second IS NOT NULL AND (m.named IS DISTINCT FROM {MessageTable.NamedBare} OR m.identifier IS DISTINCT FROM ?2 OR c.third IS NOT DISTINCT FROM ?2)
                      AND (c.trust = {ClaimTable.Verified} OR (m.received_ms - c.at_ms <= ?3 AND c.at_ms - m.received_ms <= ?4)))
                  UNION ALL SELECT (SELECT MIN(c.at_ms) FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                    WHERE c.company = ?1 AND c.third = ?2 AND c.third IS NOT NULL AND (m.named IS DISTINCT FROM {MessageTable.NamedBare} OR m.identifier IS DISTINCT FROM ?2 OR c.second IS NOT DISTINCT FROM ?2)
                      AND (c.trust = {ClaimTable.Verified} OR (m.received_ms - c.at_ms <= ?3 AND c.at_ms - m.received_ms <= ?4)))) AS named
                """);
            row.With(person.Company.Number).With(identifier.Number).With(AgeOf(person.Company)).With(AheadMilliseconds).Next();
            if (row.LongOrNull(0) is { } at && (earliest is null || at < earliest)) earliest = at;
        }

        return earliest;
    }

    private Counts Count(Company company, long session, List<Part> parts)
    {
        var most = company.Settings.MaxSessionEventsPerDay;
        var oldDays = company.Settings.MaxBrowserEventAgeDays is null ? [] : OldDaysOf(company, session);
        var (events, bots, first, last) = (0L, 0L, long.MaxValue, long.MinValue);
        var days = new List<(long Day, long Events, long Bots, long First, long Last)>();
        using (var rows = database.Use("SELECT day, events, bots, first_at, last_at FROM session_day WHERE company = ? AND session = ? ORDER BY day"))
        {
            rows.With(company.Number).With(session);
            while (rows.Next()) days.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4)));
        }

        foreach (var day in days)
        {
            var (from, to) = (new EventOrder(day.First).UnixMilliseconds, new EventOrder(day.Last).UnixMilliseconds);
            if (!parts.Exists(part => part.From <= to && from < part.To)) continue;
            if (!oldDays.Contains(day.Day) && (most is null || day.Events <= most) && parts.Exists(part => part.From <= from && to < part.To))
            {
                (events, bots, first, last) = (events + day.Events, bots + day.Bots, Math.Min(first, day.First), Math.Max(last, day.Last));
                continue;
            }

            foreach (var (order, _, isBot) in Counted(company, session, day.Day, parts))
                (events, bots, first, last) = (events + 1, bots + (isBot ? 1 : 0), Math.Min(first, order.Value), Math.Max(last, order.Value));
        }

        return new(events, bots, new(first), new(last));
    }

    /// <summary>The events of a session that count on a day: the earliest ones, as many as the company believes.</summary>
    private List<(EventOrder Order, string EventId, bool IsBot)> Counted(Company company, long session, long day, List<Part> parts)
    {
        var counted = new List<(EventOrder, string, bool)>();
        using var rows = database.Stream($"""
            SELECT at, event_id, received_ms, CASE WHEN {AgentText.IsBot} THEN 1 ELSE 0 END FROM message
            WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND origin = {MessageTable.Browser} ORDER BY at, event_id
            """);
        rows.With(company.Number).With(session).With(EventOrder.Start(UtcDay.Start(day)).Value).With(EventOrder.Start(UtcDay.Start(day + 1)).Value);
        while (rows.Next() && !(counted.Count >= company.Settings.MaxSessionEventsPerDay))
        {
            var order = new EventOrder(rows.Long(0));
            if (parts.Exists(part => part.From <= order.UnixMilliseconds && order.UnixMilliseconds < part.To) && !IsTooOld(company, order.UnixMilliseconds, rows.Long(2)))
                counted.Add((order, rows.Text(1), rows.Long(3) == 1));
        }

        return counted;
    }

    private ILookup<long, Part> PartsOf(Person person)
    {
        var parts = new List<(long Session, Part Part)>();
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("SELECT session, from_ms, to_ms FROM span WHERE company = ? AND identifier = ?");
            rows.With(person.Company.Number).With(identifier.Number);
            while (rows.Next()) parts.Add((rows.Long(0), new(rows.Long(1), rows.Long(2))));
        }

        return parts.ToLookup(part => part.Session, part => part.Part);
    }

    private List<Part> PartsOf(Person person, long session) =>
        [.. new SessionReader(database).Spans(person.Company, session).Where(span => person.Identifiers.Any(identifier => identifier.Number == span.Identifier)).Select(span => new Part(span.From, span.To))];

    private bool HasFullDay(Company company, long identifier, long most)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM span s JOIN session_day d ON d.company = s.company AND d.session = s.session WHERE s.company = ? AND s.identifier = ? AND d.events > ?)
            """);
        found.With(company.Number).With(identifier).With(most).Next();
        return found.Long(0) == 1;
    }

    private bool HasOld(Company company, long identifier)
    {
        using var found = database.Use($"""
            SELECT EXISTS (SELECT 1 FROM span s JOIN message m ON m.company = s.company AND m.session = s.session AND m.session IS NOT NULL AND m.origin = {MessageTable.Browser}
              AND (m.received_ms - (m.at >> 11) > 86400000 OR (m.at >> 11) - m.received_ms > 3600000)
              WHERE s.company = ? AND s.identifier = ? AND (m.received_ms - (m.at >> 11) > ? OR (m.at >> 11) - m.received_ms > ?))
            """);
        found.With(company.Number).With(identifier).With(AgeOf(company)).With(AheadMilliseconds).Next();
        return found.Long(0) == 1;
    }

    private HashSet<long> OldDaysOf(Company company, long session)
    {
        var days = new HashSet<long>();
        using var rows = database.Use($"""
            SELECT at FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND origin = {MessageTable.Browser}
              AND (received_ms - (at >> 11) > 86400000 OR (at >> 11) - received_ms > 3600000) AND (received_ms - (at >> 11) > ? OR (at >> 11) - received_ms > ?)
            """);
        rows.With(company.Number).With(session).With(AgeOf(company)).With(AheadMilliseconds);
        while (rows.Next()) days.Add(UtcDay.Of(new EventOrder(rows.Long(0)).UnixMilliseconds));
        return days;
    }

    private static long AgeOf(Company company) => (company.Settings.MaxBrowserEventAgeDays ?? 0) * UtcDay.Milliseconds;
}
