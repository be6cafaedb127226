using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>The audit log of a company.</summary>
internal static class Audit
{
    /// <returns>The number of the line.</returns>
    public static long Note(Database database, Company company, string actor, long unixMilliseconds, string action, Action<Utf8JsonWriter> detail)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            detail(writer);
            writer.WriteEndObject();
        }

        return database.Use("INSERT INTO audit (company, at_ms, actor, action, detail) VALUES (?, ?, ?, ?, ?)")
            .With(company.Number).With(unixMilliseconds).With(actor).With(action).With(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))).RunForNumber();
    }

    /// <summary>One line by its number; null where the company has none of it.</summary>
    public static AuditLine? Find(Database database, Company company, long number)
    {
        using var row = database.Use("SELECT id, at_ms, actor, action, detail FROM audit WHERE company = ? AND id = ?");
        return row.With(company.Number).With(number).Next() ? new(row.Long(0), row.Long(1), row.Text(2), row.Text(3), row.Text(4)) : null;
    }

    /// <summary>Its lines, the newest first.</summary>
    /// <param name="before">The number of the last line of the page before.</param>
    public static List<AuditLine> Read(Database database, Company company, long? before, int limit)
    {
        var lines = new List<AuditLine>();
        using var rows = database.Use("SELECT id, at_ms, actor, action, detail FROM audit WHERE company = ? AND id < ? ORDER BY id DESC LIMIT ?");
        rows.With(company.Number).With(before ?? long.MaxValue).With(limit);
        while (rows.Next()) lines.Add(new(rows.Long(0), rows.Long(1), rows.Text(2), rows.Text(3), rows.Text(4)));
        return lines;
    }
}
