using TrackMate.Bind;
using TrackMate.Store.Erase;
using TrackMate.Store.Read;
using TrackMate.Store.Sqlite;

namespace TrackMate.Store.Write;

/// <summary>Derives a company's tables anew from what was said, inside the caller's transaction.</summary>
internal static class Rebuild
{
    public static void Everything(Database database, Company company)
    {
        SessionDays(database, company);
        ServerRuns(database, company);
        Spans(database, company);
        Ledger(database, company);
        Persons(database, company);
        StitchDays(database, company);
    }

    public static void Spans(Database database, Company company) => new SessionClaims(database).Rebuild(company);

    public static void Persons(Database database, Company company) => new PersonRows(database).Rebuild(company, new SessionClaims(database));

    /// <summary>Which claims stand, and with them spans, traits and persons.</summary>
    public static void Claims(Database database, Company company)
    {
        new SessionClaims(database).Restand(company);
        Persons(database, company);
    }

    public static void SessionDays(Database database, Company company)
    {
        database.Use("DELETE FROM session_day WHERE company = ?").With(company.Number).Run();
        database.Use("""
            INSERT INTO session_day (company, session, day, events, bots, first_at, last_at)
            SELECT company, session, (at >> 11) / 86400000 AS day, COUNT(*), SUM(CASE WHEN agent LIKE '%|bot' THEN 1 ELSE 0 END), MIN(at), MAX(at)
            FROM message WHERE company = ? AND session IS NOT NULL AND origin = 0 AND type IS NOT NULL GROUP BY company, session, (at >> 11) / 86400000
            """).With(company.Number).Run();
    }

    /// <summary>From the days and the spans, whose triggers keep it otherwise.</summary>
    public static void StitchDays(Database database, Company company)
    {
        database.Use("DELETE FROM stitch_day WHERE company = ?").With(company.Number).Run();
        database.Use("""
            INSERT INTO stitch_day (company, day, sessions, identified) SELECT company, day, COUNT(*), SUM(identified) FROM (
              SELECT company, MIN(day) AS day, EXISTS (SELECT 1 FROM span WHERE span.company = session_day.company AND span.session = session_day.session) AS identified
              FROM session_day WHERE company = ? AND bots < events GROUP BY company, session)
            GROUP BY company, day
            """).With(company.Number).Run();
    }

    public static void ServerRuns(Database database, Company company)
    {
        database.Use("DELETE FROM server_run WHERE company = ?").With(company.Number).Run();
        var runs = new ServerRunRows(database);
        using var messages = database.Use("SELECT identifier, session, at, event_id FROM message WHERE company = ? AND origin = 1 AND type IS NOT NULL ORDER BY at, event_id");
        messages.With(company.Number);
        while (messages.Next())
        {
            var identifier = messages.LongOrNull(0) ?? 0;
            runs.Add(new(company, identifier, identifier != 0 ? 0 : messages.Long(1)), new(messages.Long(2)), messages.Text(3));
        }
    }

    public static void Ledger(Database database, Company company)
    {
        database.Use("DELETE FROM ledger_entry WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM payment_key WHERE company = ?").With(company.Number).Run();
        var ledger = new LedgerRows(database);
        using var messages = database.Use("SELECT id, type, data, at, event_id, session, identifier FROM message WHERE company = ? AND origin = 1 AND type IS NOT NULL ORDER BY id");
        messages.With(company.Number);
        while (messages.Next())
        {
            var data = messages.Bytes(2).ToArray();
            if (Money.Read(company.Settings, messages.Text(1), data, out _) is { } money)
                ledger.Add(company, messages.Long(0), new(messages.Long(3)), messages.Text(4), money, messages.LongOrNull(5), messages.LongOrNull(6));
        }
    }
}
