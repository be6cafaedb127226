using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>
/// Compares what is derived with what a rebuild gives. Temporary tables stand before those of the store by name, so the rebuild reads what was said and writes
/// beside it, on a connection that cannot write the store at all.
/// </summary>
internal static class DerivedTables
{
    private static readonly string[] Tables = ["session_day", "server_run", "span", "ledger_entry", "payment_key"];

    /// <param name="database">A connection that only reads; its snapshot is held for as long as this takes.</param>
    /// <returns>Rows by table that a rebuild would add, take away or change; none is as it should be.</returns>
    public static IReadOnlyList<(string Table, long Rows)> Differences(Database database, IEnumerable<Company> companies)
    {
        // As large as what they stand for, so not in memory.
        database.Execute("PRAGMA temp_store = FILE");
        database.Execute("BEGIN");
        try
        {
            foreach (var table in Tables) database.Execute(ShadowOf(database, table));
            foreach (var company in companies) Rebuild.Everything(database, company);
            return [.. Tables.Select(table => (table, Differing(database, table))).Where(table => table.Item2 > 0)];
        }
        finally
        {
            database.Execute("ROLLBACK");
        }
    }

    /// <summary>The table's own definition, so that its keys and conflicts work in the shadow as they do in the store.</summary>
    private static string ShadowOf(Database database, string table)
    {
        using var definition = database.Use("SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?");
        definition.With(table).Next();
        return definition.Text(0).Replace("CREATE TABLE ", "CREATE TEMP TABLE ", StringComparison.Ordinal);
    }

    private static long Differing(Database database, string table)
    {
        using var difference = database.Use($"""
            SELECT (SELECT COUNT(*) FROM (SELECT * FROM main.{table} EXCEPT SELECT * FROM temp.{table}))
                 + (SELECT COUNT(*) FROM (SELECT * FROM temp.{table} EXCEPT SELECT * FROM main.{table}))
            """);
        difference.Next();
        return difference.Long(0);
    }
}
