using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Reads what was refused, warned of and sent again, and how many sessions become somebody's.</summary>
internal sealed class IngestionReader(Database database)
{
    /// <summary>Past refusals of one eventId that are read at most.</summary>
    private const int RefusalsOfOne = 20;

    private const string Columns = """
        SELECT r.id, r.origin, r.call, r.event_id, r.received_ms, r.status, r.detail, r.envelope, r.agent, r.body, r.size,
          (SELECT COUNT(*) FROM rejected_event e WHERE e.company = ?1 AND e.rejected = r.id),
          r.mended IS NOT NULL, COALESCE(
            (SELECT event_id FROM message m WHERE m.company = ?1 AND m.id = r.mended),
            (SELECT event_id FROM message m WHERE m.company = ?1 AND m.origin = r.origin AND m.event_id = r.event_id))
        FROM rejected r
        """;

    /// <summary>What was refused last, the newest first.</summary>
    /// <param name="before">Only what came before this number.</param>
    public List<RejectedRow> Rejected(Company company, Origin? origin, long? before, int limit)
    {
        using var rows = origin is null
            ? database.Use(Columns + " WHERE r.company = ?1 AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3")
            : database.Use(Columns + " WHERE r.company = ?1 AND r.id < ?2 AND r.origin = ?4 ORDER BY r.id DESC LIMIT ?3");
        rows.With(company.Number).With(before ?? long.MaxValue).With(limit);
        if (origin is { } one) rows.With((long)one);
        return ReadAll(rows);
    }

    /// <summary>How many of the newest rejected messages are looked through for equal ones.</summary>
    public const int LookedThrough = 2000;

    /// <summary>Rejected messages by what was wrong with them, the newest first; of the newest <see cref="LookedThrough"/>.</summary>
    public List<RejectedGroup> Groups(Company company, Origin? origin)
    {
        var groups = new Dictionary<(Origin, int, string), RejectedGroup>();
        foreach (var line in Lines(company, origin))
        {
            if (!groups.TryGetValue(line.Fault, out var group)) groups[line.Fault] = group = new(line.Number, line.Fault.Origin, line.Fault.Status, line.Detail, line.EventId, 0, 0, line.ReceivedAt, line.ReceivedAt);
            groups[line.Fault] = group with { Count = group.Count + 1, Fixed = group.Fixed + (line.IsFixed ? 1 : 0), FirstAt = line.ReceivedAt };
        }

        return [.. groups.Values.OrderByDescending(group => group.Newest)];
    }

    /// <summary>The rejected messages that have the fault of one of them, the newest first.</summary>
    /// <param name="like">The number of the one.</param>
    /// <param name="before">Only what came before this number.</param>
    public List<RejectedRow> Like(Company company, long like, long? before, int limit)
    {
        var lines = Lines(company, null);
        return lines.Find(line => line.Number == like) is { } one
            ? [.. lines.Where(line => line.Fault == one.Fault && (before is null || line.Number < before)).Take(limit).Select(line => Rejected(company, line.Number)).OfType<RejectedRow>()]
            : [];
    }

    /// <summary>How many messages were rejected since a time, for the navigation: it counts no further than to <paramref name="most"/>.</summary>
    public int CountSince(Company company, long since, int most)
    {
        var count = 0;
        foreach (var origin in new[] { Origin.Browser, Origin.Server })
        {
            using var newest = database.Use("SELECT COUNT(*) FROM (SELECT received_ms FROM rejected WHERE company = ?1 AND origin = ?2 ORDER BY id DESC LIMIT ?3) AS newest WHERE received_ms >= ?4");
            newest.With(company.Number).With((long)origin).With(most).With(since).Next();
            count += (int)newest.Long(0);
        }

        return Math.Min(count, most);
    }

    private sealed record Line(long Number, string? EventId, long ReceivedAt, string Detail, bool IsFixed, (Origin Origin, int Status, string Shape) Fault);

    /// <summary>What is needed to tell faults apart, without the bodies.</summary>
    private List<Line> Lines(Company company, Origin? origin)
    {
        var lines = new List<Line>();
        using var rows = database.Use("""
            SELECT id, origin, event_id, received_ms, status, detail,
              mended IS NOT NULL OR EXISTS (SELECT 1 FROM message m WHERE m.company = ?1 AND m.origin = r.origin AND m.event_id = r.event_id)
            FROM rejected r WHERE company = ?1 AND (?2 IS NULL OR origin = ?2) ORDER BY id DESC LIMIT ?3
            """);
        rows.With(company.Number).With((long?)origin).With(LookedThrough);
        while (rows.Next()) lines.Add(new(rows.Long(0), rows.TextOrNull(2), rows.Long(3), rows.Text(5), rows.Long(6) == 1, ((Origin)rows.Long(1), (int)rows.Long(4), ShapeOf(rows.Text(5)))));
        return lines;
    }

    /// <summary>A sentence without its numbers: <c>events[3].eventType is missing.</c> is the same fault as that of <c>events[7]</c>.</summary>
    private static string ShapeOf(string detail) => string.Concat(detail.Where(c => !char.IsAsciiDigit(c)));

    /// <summary>One of them by its number; null if it is another company's, or has been pruned.</summary>
    public RejectedRow? Rejected(Company company, long number)
    {
        using var row = database.Use(Columns + " WHERE r.company = ?1 AND r.id = ?2");
        return row.With(company.Number).With(number).Next() ? Read(row) : null;
    }

    /// <summary>The refusals of an eventId, by itself or in a batch, the newest first.</summary>
    public List<RejectedRow> Rejected(Company company, Origin origin, string eventId)
    {
        using var alone = database.Use(Columns + " WHERE r.company = ?1 AND r.origin = ?2 AND r.event_id = ?3 AND r.event_id IS NOT NULL ORDER BY r.id DESC LIMIT ?4");
        alone.With(company.Number).With((long)origin).With(eventId).With(RefusalsOfOne);
        using var batches = database.Use(Columns + """
             JOIN rejected_event b ON b.company = r.company AND b.rejected = r.id
            WHERE b.company = ?1 AND b.origin = ?2 AND b.event_id = ?3 ORDER BY b.rejected DESC LIMIT ?4
            """);
        batches.With(company.Number).With((long)origin).With(eventId).With(RefusalsOfOne);
        return [.. ReadAll(alone).Concat(ReadAll(batches)).OrderByDescending(row => row.Number).Take(RefusalsOfOne)];
    }

    /// <summary>The newest warnings first.</summary>
    /// <param name="before">Only what came before this number.</param>
    public List<WarningRow> Warnings(Company company, long? before, int limit)
    {
        var warnings = new List<WarningRow>();
        using var rows = database.Use("SELECT id, origin, event_id, received_ms, warning FROM warning WHERE company = ? AND id < ? ORDER BY id DESC LIMIT ?");
        rows.With(company.Number).With(before ?? long.MaxValue).With(limit);
        while (rows.Next()) warnings.Add(new(rows.Long(0), (Origin)rows.Long(1), rows.Text(2), rows.Long(3), rows.Text(4)));
        return warnings;
    }

    /// <summary>How often a stored message was sent again; null for one that came once, or whose last repeat is more than thirty days ago.</summary>
    public Duplicates? DuplicatesOf(Company company, long message)
    {
        using var row = database.Use("SELECT count, last_ms FROM duplicate WHERE company = ? AND message = ?");
        return row.With(company.Number).With(message).Next() ? new(row.Long(0), row.Long(1)) : null;
    }

    /// <summary>The days from one on that sessions began on, the newest first.</summary>
    public List<StitchDay> StitchDays(Company company, long from)
    {
        var days = new List<StitchDay>();
        using var rows = database.Use("SELECT first_day, COUNT(*), SUM(identified) FROM session WHERE company = ? AND first_day >= ? GROUP BY first_day ORDER BY first_day DESC");
        rows.With(company.Number).With(from);
        while (rows.Next()) days.Add(new(rows.Long(0), rows.Long(1), rows.Long(2)));
        return days;
    }

    private static List<RejectedRow> ReadAll(Statement rows)
    {
        var rejected = new List<RejectedRow>();
        while (rows.Next()) rejected.Add(Read(rows));
        return rejected;
    }

    private static RejectedRow Read(Statement row) => new(
        row.Long(0), (Origin)row.Long(1), (ReceivingCall)row.Long(2), row.TextOrNull(3), row.Long(4), (int)row.Long(5), row.Text(6), row.TextOrNull(7), AgentText.Read(row.TextOrNull(8)),
        row.Bytes(9).ToArray(), (int)row.Long(10), (int)row.Long(11), row.Long(12) == 1, row.TextOrNull(13));
}
