using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>
/// Compares what is derived with what a rebuild gives. Temporary tables stand before those of the store by name, so the rebuild reads what was said and writes
/// beside it, on a connection that cannot write the store at all.
/// </summary>
internal static class DerivedTables
{
    private static readonly (string Name, string Columns)[] Tables =
    [
        ("session_day", "*"),
        ("server_run", "*"),
        ("span", "*"),
        ("ledger_entry", "*"),
        ("payment_key", "*"),
        ("session", "id, first_day, identified"),
        // Why a pair does not join is told to senders as it was when they asked.
        ("pair", "company, low, high, trust, session, at_ms, event_id, standing"),
        ("identifier", "id, person"),
    ];

    /// <param name="database">A connection that only reads; its snapshot is held for as long as this takes.</param>
    /// <returns>Rows by table that a rebuild would add, take away or change; none is as it should be.</returns>
    public static IReadOnlyList<(string Table, long Rows)> Differences(Database database, IEnumerable<Company> companies)
    {
        // As large as what they stand for, so not in memory.
        database.Execute("PRAGMA temp_store = FILE");
        database.BeginRead();
        try
        {
            foreach (var (table, _) in Tables) Shadow(database, table);
            database.Execute("INSERT INTO temp.identifier SELECT * FROM main.identifier");
            database.Execute("INSERT INTO temp.session SELECT * FROM main.session");
            foreach (var company in companies) Rebuild.Everything(database, company);
            return [.. Tables.Select(table => (table.Name, Differing(database, table.Name, table.Columns))).Where(table => table.Item2 > 0)];
        }
        finally
        {
            database.Rollback();
        }
    }

    /// <summary>The table by its own definitions, so that its keys, conflicts and indexes work in the shadow as they do in the store.</summary>
    private static void Shadow(Database database, string table)
    {
        var definitions = new List<string>();
        using (var rows = database.Use("SELECT sql FROM main.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"))
        {
            rows.With(table);
            while (rows.Next()) definitions.Add(rows.Text(0));
        }

        foreach (var definition in definitions)
        {
            database.Execute(definition
                .Replace("CREATE TABLE ", "CREATE TEMP TABLE ", StringComparison.Ordinal)
                .Replace("CREATE INDEX ", "CREATE INDEX temp.", StringComparison.Ordinal)
                .Replace("CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX temp.", StringComparison.Ordinal));
        }
    }

    private static long Differing(Database database, string table, string columns)
    {
        using var difference = database.Use($"""
            SELECT (SELECT COUNT(*) FROM (SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM temp.{table}))
                 + (SELECT COUNT(*) FROM (SELECT {columns} FROM temp.{table} EXCEPT SELECT {columns} FROM main.{table}))
            """);
        difference.Next();
        return difference.Long(0);
    }
}
