using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>Whose runs they are: an identifier's (session 0), or those of events bound through a session (identifier 0).</summary>
internal readonly record struct RunHolder(Company Company, long Identifier, long Session)
{
    /// <summary>Who holds the run of a back end's event: whom the event belongs to.</summary>
    public static RunHolder Of(Company company, WebhookDecision decision) => new(company, decision.Identifier ?? 0, decision.Session ?? 0);
}

/// <summary>Table <c>server_run</c>, and the messages that its runs are made of. Runs of one holder never overlap.</summary>
internal sealed class ServerRunTable(Database database)
{
    /// <summary>Asks for the runs that touch [from, before). The only one that can reach into it from before it is the last that begins there.</summary>
    public Lazy<List<ServerRun>> Between(RunHolder holder, EventOrder from, EventOrder before) =>
        database.Use("""
            SELECT first_at, first_event_id, last_at, events FROM server_run
            WHERE company = ?1 AND identifier = ?2 AND session = ?3 AND first_at < ?5 AND last_at >= ?4
              AND first_at >= COALESCE((SELECT MAX(first_at) FROM server_run WHERE company = ?1 AND identifier = ?2 AND session = ?3 AND first_at < ?4), ?4)
            """)
            .With(holder.Company.Number).With(holder.Identifier).With(holder.Session).With(from.Value).With(before.Value)
            .DeferAll(row => new ServerRun(new(row.Long(0)), row.Text(1), new(row.Long(2)), row.Long(3)));

    /// <summary>A company's runs in the order of holder and time, from the one that holds or follows a place on.</summary>
    public List<(RunHolder Holder, ServerRun Run)> From(RunHolder holder, EventOrder place, int most) =>
        database.Use("""
            SELECT identifier, session, first_at, first_event_id, last_at, events FROM server_run
            WHERE company = ?1 AND (identifier, session, first_at) >= (?2, ?3, COALESCE((SELECT MAX(first_at) FROM server_run WHERE company = ?1 AND identifier = ?2 AND session = ?3 AND first_at <= ?4), ?4))
            ORDER BY identifier, session, first_at LIMIT ?5
            """)
            .With(holder.Company.Number).With(holder.Identifier).With(holder.Session).With(place.Value).With(most)
            .DeferAll(row => (new RunHolder(holder.Company, row.Long(0), row.Long(1)), new ServerRun(new(row.Long(2)), row.Text(3), new(row.Long(4)), row.Long(5)))).Value;

    /// <summary>Writes a run, in the place of one that begins where it does.</summary>
    public void Write(RunHolder holder, ServerRun run) =>
        database.Use("""
            INSERT INTO server_run (company, identifier, session, first_at, first_event_id, last_at, events) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, identifier, session, first_at) DO UPDATE SET first_event_id = excluded.first_event_id, last_at = excluded.last_at, events = excluded.events
            """)
            .With(holder.Company.Number).With(holder.Identifier).With(holder.Session)
            .With(run.First.Value).With(run.FirstEventId).With(run.Last.Value).With(run.Events).Run();

    public void Delete(RunHolder holder, ServerRun run) =>
        database.Use("DELETE FROM server_run WHERE company = ? AND identifier = ? AND session = ? AND first_at = ?")
            .With(holder.Company.Number).With(holder.Identifier).With(holder.Session).With(run.First.Value).Run();

    /// <summary>A holder's server events from a place to another, both inclusive, oldest first, as they are read.</summary>
    public IEnumerable<(EventOrder Order, string EventId)> Events(RunHolder holder, EventOrder from, EventOrder to)
    {
        using var rows = database.Stream(holder.Identifier != 0
            ? "SELECT at, event_id FROM message WHERE company = ? AND identifier = ? AND identifier IS NOT NULL AND at >= ? AND at <= ? ORDER BY at, event_id"
            : $"SELECT at, event_id FROM message WHERE company = ? AND session = ? AND origin = {MessageTable.Server} AND session IS NOT NULL AND at >= ? AND at <= ? ORDER BY at, event_id");
        rows.With(holder.Company.Number).With(holder.Identifier != 0 ? holder.Identifier : holder.Session).With(from.Value).With(to.Value);
        while (rows.Next()) yield return (new(rows.Long(0)), rows.Text(1));
    }

    /// <summary>How many those are.</summary>
    public long Count(RunHolder holder, EventOrder from, EventOrder to)
    {
        using var count = database.Use(holder.Identifier != 0
            ? "SELECT COUNT(*) FROM message WHERE company = ? AND identifier = ? AND identifier IS NOT NULL AND at >= ? AND at <= ?"
            : $"SELECT COUNT(*) FROM message WHERE company = ? AND session = ? AND origin = {MessageTable.Server} AND session IS NOT NULL AND at >= ? AND at <= ?");
        count.With(holder.Company.Number).With(holder.Identifier != 0 ? holder.Identifier : holder.Session).With(from.Value).With(to.Value).Next();
        return count.Long(0);
    }
}
