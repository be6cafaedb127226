using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>By which orders, payments and parcels servers' events are found.</summary>
internal sealed class EventKeyRows(Database database)
{
    /// <summary>Events of an earlier version that are looked at in one step.</summary>
    private const int BatchSize = 250;

    public void Add(Company company, long message, ReadOnlySpan<byte> data)
    {
        foreach (var key in EventKeys.Of(data))
        {
            database.Use("INSERT INTO event_key (company, value, kind, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
                .With(company.Number).With(key.Value).With((long)key.Kind).With(message).Run();
        }
    }

    public void Remove(Company company, long message, ReadOnlySpan<byte> data)
    {
        foreach (var key in EventKeys.Of(data))
        {
            database.Use("DELETE FROM event_key WHERE company = ? AND value = ? AND kind = ? AND message = ?")
                .With(company.Number).With(key.Value).With((long)key.Kind).With(message).Run();
        }
    }

    /// <summary>Where the events of an earlier version are that have no keys yet: those before this place; null where all have.</summary>
    public static long? MissingBefore(Database database, Company company)
    {
        using var row = database.Use("SELECT at FROM backfill WHERE company = ? AND task = 'event_key'");
        return row.With(company.Number).Next() ? row.Long(0) : null;
    }

    /// <summary>Adds the keys of some events that an earlier version stored without, the newest first.</summary>
    /// <returns>Whether there may be more.</returns>
    public bool Backfill(Company company)
    {
        if (MissingBefore(database, company) is not { } before) return false;
        var (events, last) = (0, before);
        using (var rows = database.Use($"SELECT id, at, data FROM message WHERE company = ? AND origin = {MessageTable.Server} AND at < ? AND type IS NOT NULL ORDER BY at DESC LIMIT ?"))
        {
            rows.With(company.Number).With(before).With(BatchSize);
            for (; rows.Next(); events++)
            {
                Add(company, rows.Long(0), rows.Bytes(2));
                last = rows.Long(1);
            }
        }

        if (events < BatchSize)
        {
            database.Use("DELETE FROM backfill WHERE company = ? AND task = 'event_key'").With(company.Number).Run();
            return false;
        }

        // Of those at one place some may not have been among them.
        using (var rows = database.Use($"SELECT id, data FROM message WHERE company = ? AND origin = {MessageTable.Server} AND at = ? AND type IS NOT NULL"))
        {
            rows.With(company.Number).With(last);
            while (rows.Next()) Add(company, rows.Long(0), rows.Bytes(1));
        }

        database.Use("UPDATE backfill SET at = ? WHERE company = ? AND task = 'event_key'").With(last).With(company.Number).Run();
        return true;
    }

    /// <summary>Derives the keys anew from the events that have them.</summary>
    public void Rebuild(Company company)
    {
        database.Use("DELETE FROM event_key WHERE company = ?").With(company.Number).Run();
        using var rows = database.Stream($"SELECT id, data FROM message WHERE company = ? AND origin = {MessageTable.Server} AND type IS NOT NULL AND at >= ?");
        rows.With(company.Number).With(MissingBefore(database, company) ?? long.MinValue);
        while (rows.Next()) Add(company, rows.Long(0), rows.Bytes(1));
    }
}
