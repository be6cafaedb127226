using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// What the writer notes beside the messages, in their transaction: what was refused, warned of and sent again. All of it is bounded, per company and per side:
/// whoever has only the public company_id cannot push out what an API key had refused.
/// </summary>
internal sealed class IngestionRows(Database database)
{
    /// <summary>What rejected events of one side of a company may take.</summary>
    private const long MaxBytes = 32L << 20;

    /// <summary>What a row takes besides its texts.</summary>
    private const int RowBytes = 64;

    /// <summary>Repeats are remembered so long after the last one.</summary>
    private const long DuplicateMilliseconds = 30 * UtcDay.Milliseconds;

    /// <summary>Rows of a kind taken away in one transaction at most: senders wait for it.</summary>
    private const int PrunedAtOnce = 2000;

    private readonly Dictionary<(long Company, Origin Origin), (long Rows, long Bytes)> rejectedKept = [];
    private readonly Dictionary<(long Company, Origin Origin), long> warningsKept = [];

    /// <summary>Forgets how much is kept, where it is counted again when it is asked for.</summary>
    public void Forget()
    {
        rejectedKept.Clear();
        warningsKept.Clear();
    }

    /// <summary>Notes what became of a message besides being stored.</summary>
    public void Note(Message message, Receipt receipt)
    {
        if (receipt.Duplicate) Count(message);
        var warnings = Warnings.Of(receipt);
        if (warnings.Count == 0) return;
        var (company, origin) = (message.Company, message.Order.Origin);
        foreach (var warning in warnings)
        {
            // What is true of the stored message has been noted when it was stored.
            if (receipt.Duplicate && warning != Warnings.EventIdReused) continue;
            database.Use("INSERT INTO warning (company, origin, event_id, received_ms, warning) VALUES (?, ?, ?, ?, ?)")
                .With(company.Number).With((long)origin).With(message.EventId).With(message.ReceivedAt).With(warning).RunNumbered();
            warningsKept[(company.Number, origin)] = WarningsKept(company, origin, added: 1);
        }

        PruneWarnings(company, origin, message.ReceivedAt);
    }

    /// <summary>Keeps what a request had refused.</summary>
    /// <param name="rejected">One that is beside the mended form of an older one marks that.</param>
    public void Keep(RejectionRecord rejected, IReadOnlyList<Message> messages, Receipt[] receipts)
    {
        if (rejected.Mends is { } mends) Mark(rejected, mends, messages, receipts);
        if (rejected.Events.Count == 0) return;
        var (company, origin) = (rejected.Company, rejected.Origin);
        var (rows, bytes) = RejectedKept(company, origin);
        foreach (var refused in rejected.Events)
        {
            var kept = RowBytes + refused.Detail.Length + refused.Body.Length + (rejected.Envelope?.Length ?? 0) + (refused.Events?.Sum(eventId => RowBytes + (2 * eventId.Length)) ?? 0);
            var number = database.Use("""
                INSERT INTO rejected (company, origin, call, event_id, received_ms, status, detail, envelope, agent, size, kept, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
                .With(company.Number).With((long)origin).With((long)rejected.Call).With(refused.EventId).With(rejected.ReceivedAt).With(refused.Status).With(refused.Detail)
                .With(rejected.Envelope).With(rejected.Agent is { } agent ? AgentText.Write(agent) : null).With(refused.Size).With(kept).WithBlob(refused.Body.Span).RunForNumber();
            rows++;
            bytes += kept;
            foreach (var eventId in refused.Events ?? [])
                database.Use("INSERT INTO rejected_event (company, origin, event_id, rejected) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING").With(company.Number).With((long)origin).With(eventId).With(number).Run();
        }

        rejectedKept[(company.Number, origin)] = (rows, bytes);
        PruneRejected(company, origin, rejected.ReceivedAt);
    }

    /// <summary>Takes away what has passed its bounds: by age nothing else does on a quiet day, and a bound may have been lowered.</summary>
    /// <returns>Whether there may be more.</returns>
    public bool Prune(Company company, long now)
    {
        var more = false;
        foreach (var origin in new[] { Origin.Browser, Origin.Server })
        {
            // Whatever else has deleted some is counted in here.
            rejectedKept.Remove((company.Number, origin));
            warningsKept.Remove((company.Number, origin));
            more |= PruneRejected(company, origin, now);
            more |= PruneWarnings(company, origin, now);
        }

        return more | PrunedAtOnce == database.Use("DELETE FROM duplicate WHERE company = ?1 AND message IN (SELECT message FROM duplicate WHERE company = ?1 AND last_ms < ?2 ORDER BY last_ms LIMIT ?3)")
            .With(company.Number).With(now - DuplicateMilliseconds).With(PrunedAtOnce).RunCounted();
    }

    private void Count(Message message) =>
        database.Use("""
            INSERT INTO duplicate (company, message, count, first_ms, last_ms) SELECT company, id, 1, ?4, ?4 FROM message WHERE company = ?1 AND origin = ?2 AND event_id = ?3
            ON CONFLICT (company, message) DO UPDATE SET count = duplicate.count + 1,
              first_ms = CASE WHEN excluded.first_ms < duplicate.first_ms THEN excluded.first_ms ELSE duplicate.first_ms END,
              last_ms = CASE WHEN excluded.last_ms > duplicate.last_ms THEN excluded.last_ms ELSE duplicate.last_ms END
            """)
            .With(message.Company.Number).With((long)message.Order.Origin).With(message.EventId).With(message.ReceivedAt).Run();

    private void Mark(RejectionRecord rejected, long mends, IReadOnlyList<Message> messages, Receipt[] receipts)
    {
        if (Array.FindIndex(receipts, receipt => !receipt.Duplicate) is >= 0 and var first)
        {
            database.Use("UPDATE rejected SET mended = (SELECT id FROM message WHERE company = ?1 AND origin = ?2 AND event_id = ?3) WHERE company = ?1 AND origin = ?2 AND id = ?4")
                .With(rejected.Company.Number).With((long)rejected.Origin).With(messages[first].EventId).With(mends).Run();
            if (rejected.MendedBy is { } actor)
            {
                // No eventId: the audit log outlives an erasure.
                Audit.Note(database, rejected.Company, actor, rejected.ReceivedAt, "resend", detail => detail.WriteNumber("stored", receipts.Count(receipt => !receipt.Duplicate)));
            }
        }
    }

    /// <summary>The oldest go until what is left is within all bounds; each is found and deleted by its key.</summary>
    /// <returns>Whether there may be more.</returns>
    private bool PruneRejected(Company company, Origin origin, long now)
    {
        var settings = company.Settings;
        var oldestKept = now - (settings.RejectedDays * UtcDay.Milliseconds);
        var (rows, bytes) = RejectedKept(company, origin);
        var pruned = 0;
        for (; pruned < PrunedAtOnce && OldestRejected(company, origin) is { } oldest && (rows > settings.RejectedKept || bytes > MaxBytes || oldest.ReceivedAt < oldestKept); pruned++)
        {
            database.Use("DELETE FROM rejected_event WHERE company = ? AND rejected = ?").With(company.Number).With(oldest.Number).Run();
            database.Use("DELETE FROM rejected WHERE company = ? AND id = ?").With(company.Number).With(oldest.Number).Run();
            rows--;
            bytes -= oldest.Bytes;
        }

        rejectedKept[(company.Number, origin)] = (rows, bytes);
        return pruned == PrunedAtOnce;
    }

    /// <returns>Whether there may be more.</returns>
    private bool PruneWarnings(Company company, Origin origin, long now)
    {
        var settings = company.Settings;
        var oldestKept = now - (settings.RejectedDays * UtcDay.Milliseconds);
        var kept = WarningsKept(company, origin);
        var pruned = 0;
        for (; pruned < PrunedAtOnce && OldestWarning(company, origin) is { } oldest && (kept > settings.RejectedKept || oldest.ReceivedAt < oldestKept); pruned++)
        {
            database.Use("DELETE FROM warning WHERE company = ? AND id = ?").With(company.Number).With(oldest.Number).Run();
            kept--;
        }

        warningsKept[(company.Number, origin)] = kept;
        return pruned == PrunedAtOnce;
    }

    private (long Number, long Bytes, long ReceivedAt)? OldestRejected(Company company, Origin origin)
    {
        using var row = database.Use("SELECT id, kept, received_ms FROM rejected WHERE company = ? AND origin = ? ORDER BY id LIMIT 1");
        return row.With(company.Number).With((long)origin).Next() ? (row.Long(0), row.Long(1), row.Long(2)) : null;
    }

    private (long Number, long ReceivedAt)? OldestWarning(Company company, Origin origin)
    {
        using var row = database.Use("SELECT id, received_ms FROM warning WHERE company = ? AND origin = ? ORDER BY id LIMIT 1");
        return row.With(company.Number).With((long)origin).Next() ? (row.Long(0), row.Long(1)) : null;
    }

    /// <summary>Counted once, out of the index alone; from then on in memory.</summary>
    private (long Rows, long Bytes) RejectedKept(Company company, Origin origin)
    {
        if (rejectedKept.TryGetValue((company.Number, origin), out var kept)) return kept;
        using var row = database.Use("SELECT COUNT(*), COALESCE(SUM(kept), 0) FROM rejected WHERE company = ? AND origin = ?");
        row.With(company.Number).With((long)origin).Next();
        return (row.Long(0), row.Long(1));
    }

    /// <param name="added">Rows written since the last time: those that are counted here already hold them.</param>
    private long WarningsKept(Company company, Origin origin, int added = 0)
    {
        if (warningsKept.TryGetValue((company.Number, origin), out var kept)) return kept + added;
        using var row = database.Use("SELECT COUNT(*) FROM warning WHERE company = ? AND origin = ?");
        row.With(company.Number).With((long)origin).Next();
        return row.Long(0);
    }
}
