using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>
/// Compares the derived tables with the result of a rebuild. Empty temporary tables hide the store's derived tables, so the rebuild reads the stored messages and writes
/// into the temporary tables. The connection cannot write the store at all.
/// </summary>
internal static class DerivedTables
{
    private static readonly (string Name, string Columns)[] Tables =
    [
        ("session_day", "*"),
        ("server_run", "*"),
        ("opening", "*"),
        ("whole_span", "*"),
        ("span", "*"),
        ("ledger_entry", "*"),
        ("payment_key", "*"),
        ("session", "id, first_day, identified"),
        // If several acts keep a pair apart, any of them may be the recorded one.
        ("pair", $"company, low, high, trust, session, at_ms, event_id, standing, CASE WHEN standing = {PairTable.KeptApart} THEN NULL ELSE stop END"),
        ("identifier", "id, person, search, in_large_cluster, verified"),
        ("event_key", "*"),
        ("search_bucket", "*"),
        ("alike", "company, hash, identifier, kind"),
    ];

    /// <param name="database">A connection that only reads. Its snapshot is held until the comparison ends.</param>
    /// <param name="companies">The companies to compare; null for all.</param>
    /// <returns>
    /// The number of rows by table that a rebuild would add, remove or change; empty if there are none. And the companies that were not compared, since a changed setting of
    /// theirs is being applied: their derived rows follow neither the old nor the new setting completely.
    /// </returns>
    public static (IReadOnlyList<(string Table, long Rows)> Differences, IReadOnlyList<Company> UnderWay) Differences(Database database, IEnumerable<Company>? companies = null)
    {
        // The rebuild raises alarms into a temporary table too. They are not compared, since the messages do not say when an alarm was raised.
        var (kept, shadow) = database.BeginShadow([.. Tables.Select(table => table.Name), "alarm"]);
        try
        {
            database.Execute($"INSERT INTO {shadow}identifier SELECT * FROM {kept}identifier");
            database.Execute($"INSERT INTO {shadow}session SELECT * FROM {kept}session");
            database.Execute($"INSERT INTO {shadow}alike SELECT * FROM {kept}alike");
            // Read from the same snapshot as the rows.
            List<Company> all = [.. companies ?? CompanyRows.Read(database)];
            var underWay = all.FindAll(company => SettingsSteps.Left(database, company).Count > 0);
            var compared = all.Except(underWay).ToList();
            foreach (var company in compared)
            {
                Rebuilder.Everything(database, company);
                Rebuilder.Search(database, company);
            }

            var where = $"WHERE company IN ({string.Join(", ", compared.Select(company => company.Number).Append(Engine.NoCompany))})";
            var differences = Tables.Select(table => (table.Name, Differing(database, table.Columns, $"{kept}{table.Name} {where}", $"{shadow}{table.Name} {where}"))).Where(table => table.Item2 > 0).ToList();
            return (differences, underWay);
        }
        finally
        {
            database.Rollback();
        }
    }

    private static long Differing(Database database, string columns, string kept, string shadow)
    {
        using var difference = database.Use($"""
            SELECT (SELECT COUNT(*) FROM (SELECT {columns} FROM {kept} EXCEPT SELECT {columns} FROM {shadow}) AS gone)
                 + (SELECT COUNT(*) FROM (SELECT {columns} FROM {shadow} EXCEPT SELECT {columns} FROM {kept}) AS added)
            """);
        difference.Next();
        return difference.Long(0);
    }
}
