using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// The claims of a session that open a span, found by their place in time. Identifies by e-mail and all others lie apart, so each question is asked of both and
/// costs the same however many there are.
/// </summary>
internal sealed class OpeningRows(Database database)
{
    private const string Columns = "by_email, at_ms, trust, event_id, method, claim, identifier";

    /// <summary>Asks for the openings around a time: of each kind the last one until then and the first one after it.</summary>
    public Lazy<List<Opening>> Near(Company company, long session, long unixMilliseconds) => database.Use($"""
        SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 0 AND at_ms <= ?3 ORDER BY at_ms DESC, trust DESC, event_id DESC, method DESC LIMIT 1) AS a
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 1 AND at_ms <= ?3 ORDER BY at_ms DESC, trust DESC, event_id DESC, method DESC LIMIT 1) AS b
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 0 AND at_ms > ?3 ORDER BY at_ms LIMIT 1) AS c
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 1 AND at_ms > ?3 ORDER BY at_ms LIMIT 1) AS d
        """).With(company.Number).With(session).With(unixMilliseconds).DeferAll(Read);

    /// <summary>The last opening until a time, inclusive.</summary>
    public Opening? LastUntil(Company company, long session, long unixMilliseconds) => database.Use($"""
        SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 0 AND at_ms <= ?3 ORDER BY at_ms DESC, trust DESC, event_id DESC, method DESC LIMIT 1) AS a
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM opening WHERE company = ?1 AND session = ?2 AND by_email = 1 AND at_ms <= ?3 ORDER BY at_ms DESC, trust DESC, event_id DESC, method DESC LIMIT 1) AS b
        """).With(company.Number).With(session).With(unixMilliseconds).DeferAll(Read).Value.MaxBy(opening => opening.Place);

    /// <summary>Asks for the last two identifies by e-mail until a time, inclusive; the last one first.</summary>
    public Lazy<List<Opening>> LastByEmailUntil(Company company, long session, long unixMilliseconds) => database.Use($"""
        SELECT {Columns} FROM opening WHERE company = ? AND session = ? AND by_email = 1 AND at_ms <= ? ORDER BY at_ms DESC, trust DESC, event_id DESC, method DESC LIMIT 2
        """).With(company.Number).With(session).With(unixMilliseconds).DeferAll(Read);

    /// <summary>Asks for the first two identifies by e-mail from a time on.</summary>
    public Lazy<List<Opening>> FirstByEmailFrom(Company company, long session, long unixMilliseconds) => database.Use($"""
        SELECT {Columns} FROM opening WHERE company = ? AND session = ? AND by_email = 1 AND at_ms >= ? ORDER BY at_ms, trust, event_id, method LIMIT 2
        """).With(company.Number).With(session).With(unixMilliseconds).DeferAll(Read);

    public List<Opening> Of(Company company, long session) =>
        database.Use($"SELECT {Columns} FROM opening WHERE company = ? AND session = ?").With(company.Number).With(session).DeferAll(Read).Value;

    public void Insert(Company company, long session, Opening opening) =>
        database.Use("INSERT INTO opening (company, session, by_email, at_ms, trust, event_id, method, claim, identifier) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .With(company.Number).With(session).With(opening.ByEmail ? 1 : 0).With(opening.UnixMilliseconds).With((long)opening.Place.Trust).With(opening.Place.EventId)
            .With((long)opening.Place.Method).With(opening.Claim).With(opening.Identifier).Run();

    /// <returns>Whether it was there.</returns>
    public bool Delete(Company company, long session, ClaimPlace place, bool byEmail) =>
        database.Use("DELETE FROM opening WHERE company = ? AND session = ? AND by_email = ? AND at_ms = ? AND trust = ? AND event_id = ? AND method = ?")
            .With(company.Number).With(session).With(byEmail ? 1 : 0).With(place.UnixMilliseconds).With((long)place.Trust).With(place.EventId).With((long)place.Method).RunCounted() > 0;

    /// <summary>Makes a session's openings those that its claims say.</summary>
    public void Rewrite(Company company, long session, IReadOnlyCollection<Opening> openings)
    {
        var stored = Of(company, session);
        foreach (var gone in stored.Except(openings)) Delete(company, session, gone.Place, gone.ByEmail);
        foreach (var come in openings.Except(stored)) Insert(company, session, come);
    }

    private static Opening Read(Statement row) => new(new(row.Long(1), (Trust)row.Long(2), row.Text(3), (ClaimMethod)row.Long(4)), row.Long(5), row.Long(6), row.Long(0) == 1);
}
