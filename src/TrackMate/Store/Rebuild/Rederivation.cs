using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>
/// Derives again the rows whose rules an upgrade of the tables has changed, before the server accepts messages. The upgrade inserts a row per company and part, with a
/// null place. The transaction that derives the part deletes the row, so a killed process continues at its next start.
/// </summary>
internal static class Rederivation
{
    public static void Finish(Engine engine)
    {
        using var database = engine.Open();
        foreach (var (number, part) in Waiting(database))
        {
            database.BeginWrite([(number, LockMode.Rewrite)]);
            try
            {
                // Another server may have done it while this one waited for the company's lock.
                if (Take(database, number, part) && CompanyRows.Read(database).FirstOrDefault(company => company.Number == number) is { } company) Do(database, company, part);
                database.Commit();
            }
            catch
            {
                database.Rollback();
                throw;
            }
        }
    }

    private static void Do(Database database, Company company, string part)
    {
        switch (part)
        {
            case "ledger":
                Rebuilder.Ledger(database, company);
                break;
            case "persons":
                Rebuilder.Persons(database, company);
                break;
            case "spans":
                Rebuilder.Spans(database, company);
                break;
            default:
                throw new NotSupportedException($"Nothing called {part} can be derived anew.");
        }
    }

    private static List<(long Company, string Part)> Waiting(Database database)
    {
        var waiting = new List<(long, string)>();
        using var rows = database.Use("SELECT company, part FROM rederive WHERE place IS NULL ORDER BY company, part");
        while (rows.Next()) waiting.Add((rows.Long(0), rows.Text(1)));
        return waiting;
    }

    private static bool Take(Database database, long company, string part) =>
        database.Use("DELETE FROM rederive WHERE company = ? AND part = ? AND place IS NULL").With(company).With(part).RunCounted() > 0;
}
