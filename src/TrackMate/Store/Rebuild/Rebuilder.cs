using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>Derives a company's tables again from its messages, claims and acts, inside the caller's transaction.</summary>
internal static class Rebuilder
{
    public static void Everything(Database database, Company company)
    {
        SessionDays(database, company);
        ServerRuns(database, company);
        Spans(database, company);
        Ledger(database, company);
        Persons(database, company);
        Sessions(database, company);
    }

    public static void Spans(Database database, Company company) => new SessionClaims(database).Rebuild(company);

    public static void Persons(Database database, Company company)
    {
        Verified(database, company);
        new PersonRows(database).Rebuild(company, new SessionClaims(database));
    }

    /// <summary>Derives which identifiers a verified message has ever named. A recorded flag stays set, even after retention has deleted the message.</summary>
    public static void Verified(Database database, Company company) =>
        // One query over sets: if the identifiers are in a temporary table, Citus cannot query another machine for each of its rows.
        database.Use($"""
            UPDATE identifier SET verified = 1 WHERE company = ?1 AND verified = 0 AND id IN (
              SELECT m.identifier FROM message m WHERE m.company = ?1 AND m.identifier IS NOT NULL
              UNION SELECT c.identifier FROM claim c WHERE c.company = ?1 AND c.trust = {ClaimTable.Verified}
              UNION SELECT c.second FROM claim c WHERE c.company = ?1 AND c.second IS NOT NULL AND c.trust = {ClaimTable.Verified}
              UNION SELECT c.third FROM claim c WHERE c.company = ?1 AND c.third IS NOT NULL AND c.trust = {ClaimTable.Verified})
            """).With(company.Number).Run();

    /// <summary>Derives which claims stand, and then spans, traits and persons.</summary>
    public static void Claims(Database database, Company company)
    {
        new SessionClaims(database).Recompute(company);
        Sessions(database, company);
        Persons(database, company);
    }

    public static void SessionDays(Database database, Company company)
    {
        database.Use("DELETE FROM session_day WHERE company = ?").With(company.Number).Run();
        database.Use($"""
            INSERT INTO session_day (company, session, day, events, bots, first_at, last_at)
            SELECT company, session, (at >> 11) / 86400000 AS day, COUNT(*), SUM(CASE WHEN {AgentText.IsBot} THEN 1 ELSE 0 END), MIN(at), MAX(at)
            FROM message WHERE company = ? AND session IS NOT NULL AND origin = {MessageTable.Browser} AND type IS NOT NULL GROUP BY company, session, (at >> 11) / 86400000
            """).With(company.Number).Run();
    }

    /// <summary>Derives each session's first day and whether it is identified, from its days and its spans. Writes only the rows that differ.</summary>
    public static void Sessions(Database database, Company company) =>
        database.Use("""
            UPDATE session SET
              first_day = (SELECT MIN(d.day) FROM session_day d WHERE d.company = ?1 AND d.session = session.id AND d.bots < d.events),
              identified = CASE WHEN EXISTS (SELECT 1 FROM span s WHERE s.company = ?1 AND s.session = session.id) THEN 1 ELSE 0 END
            WHERE company = ?1 AND (
              first_day IS DISTINCT FROM (SELECT MIN(d.day) FROM session_day d WHERE d.company = ?1 AND d.session = session.id AND d.bots < d.events)
              OR identified <> CASE WHEN EXISTS (SELECT 1 FROM span s WHERE s.company = ?1 AND s.session = session.id) THEN 1 ELSE 0 END)
            """).With(company.Number).Run();

    /// <summary>Rebuilds the search index for the identifiers that it contains already. The others are added in the background.</summary>
    public static void Search(Database database, Company company)
    {
        new EventKeyRows(database).Rebuild(company);
        new SearchIndex(database).Rebuild(company);
    }

    public static void ServerRuns(Database database, Company company)
    {
        database.Use("DELETE FROM server_run WHERE company = ?").With(company.Number).Run();
        var runs = new ServerRunRows(database);
        using var messages = database.Stream($"SELECT identifier, session, at, event_id FROM message WHERE company = ? AND origin = {MessageTable.Server} AND type IS NOT NULL ORDER BY at, event_id");
        messages.With(company.Number);
        while (messages.Next())
        {
            var identifier = messages.LongOrNull(0) ?? 0;
            var holder = new RunHolder(company, identifier, identifier != 0 ? 0 : messages.Long(1));
            var order = new EventOrder(messages.Long(2));
            runs.Add(holder, order, messages.Text(3), runs.Near(holder, order).Value);
        }
    }

    public static void Ledger(Database database, Company company)
    {
        database.Use("DELETE FROM ledger_entry WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM payment_key WHERE company = ?").With(company.Number).Run();
        var ledger = new LedgerRows(database);
        using var messages = database.Stream($"SELECT id, type, data, at, event_id, session, identifier FROM message WHERE company = ? AND origin = {MessageTable.Server} AND type IS NOT NULL ORDER BY id");
        messages.With(company.Number);
        while (messages.Next())
        {
            var message = new MoneyMessage(messages.Long(0), new(messages.Long(3)), messages.Text(4), messages.Text(1), messages.Bytes(2).ToArray(), messages.LongOrNull(5), messages.LongOrNull(6));
            ledger.Add(company, message, Money.Read(company.Settings, message.Type, message.Data, out _));
        }
    }
}
