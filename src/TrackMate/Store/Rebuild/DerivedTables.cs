using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

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
        ("opening", "*"),
        ("whole_span", "*"),
        ("span", "*"),
        ("ledger_entry", "*"),
        ("payment_key", "*"),
        ("session", "id, first_day, identified"),
        // Of a pair that is kept apart by several acts either may be noted.
        ("pair", $"company, low, high, trust, session, at_ms, event_id, standing, CASE WHEN standing = {PairTable.KeptApart} THEN NULL ELSE stop END"),
        ("identifier", "id, person, search, in_large_cluster, verified"),
        ("event_key", "*"),
        ("search_bucket", "*"),
        ("alike", "company, hash, identifier, kind"),
    ];

    /// <param name="database">A connection that only reads; its snapshot is held for as long as this takes.</param>
    /// <param name="companies">All where none are given.</param>
    /// <returns>
    /// Rows by table that a rebuild would add, take away or change; none is as it should be. And the companies that are not compared, since a changed setting of theirs is
    /// being derived: what is theirs is neither old nor new yet.
    /// </returns>
    public static (IReadOnlyList<(string Table, long Rows)> Differences, IReadOnlyList<Company> UnderWay) Differences(Database database, IEnumerable<Company>? companies = null)
    {
        // Alarms are raised beside the store too. They are not compared: when they were raised is not told by messages.
        var (kept, shadow) = database.BeginShadow([.. Tables.Select(table => table.Name), "alarm"]);
        try
        {
            database.Execute($"INSERT INTO {shadow}identifier SELECT * FROM {kept}identifier");
            database.Execute($"INSERT INTO {shadow}session SELECT * FROM {kept}session");
            database.Execute($"INSERT INTO {shadow}alike SELECT * FROM {kept}alike");
            // Of the same moment as the rows.
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
