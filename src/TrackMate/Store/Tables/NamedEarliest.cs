using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>The earliest claims of a session that name somebody, as the first, second or third of its identifiers.</summary>
internal sealed class NamedEarliest(Database database)
{
    private const string Columns = "at_ms, trust, event_id, method, standing";

    /// <summary>
    /// Of one identifier the earliest verified claim and, of those that a browser makes, the earliest. What a session claims of its claims' first identifier stands or
    /// falls together, so one of them tells of all; of the others only those that stand are in the index.
    /// </summary>
    private const string Verified = $"""
        SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_identifier
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND identifier = ?3 AND trust = {ClaimTable.Verified} ORDER BY at_ms, event_id, method LIMIT 1) AS a
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_second
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND second = ?3 AND second IS NOT NULL AND standing <> {ClaimTable.Excluded} AND trust = {ClaimTable.Verified} ORDER BY at_ms, event_id, method LIMIT 1) AS b
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_third
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND third = ?3 AND third IS NOT NULL AND standing <> {ClaimTable.Excluded} AND trust = {ClaimTable.Verified} ORDER BY at_ms, event_id, method LIMIT 1) AS c
        """;

    private const string OfAnyTrust = $"""
        {Verified}
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_identifier
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND identifier = ?3 AND trust = {ClaimTable.Claimed} ORDER BY at_ms, event_id, method LIMIT 1) AS d
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_second
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND second = ?3 AND second IS NOT NULL AND standing <> {ClaimTable.Excluded} AND trust = {ClaimTable.Claimed} ORDER BY at_ms, event_id, method LIMIT 1) AS e
        UNION ALL SELECT {Columns} FROM (SELECT {Columns} FROM claim INDEXED BY claim_by_session_and_third
          WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND third = ?3 AND third IS NOT NULL AND standing <> {ClaimTable.Excluded} AND trust = {ClaimTable.Claimed} ORDER BY at_ms, event_id, method LIMIT 1) AS f
        """;

    /// <summary>Asks for the earliest claims of a session that stand and name an identifier, one of each kind.</summary>
    /// <param name="onlyVerified">Leaves out what only browsers claim.</param>
    public Lazy<List<ClaimPlace>> Defer(Company company, long session, long identifier, bool onlyVerified) =>
        database.Use(onlyVerified ? Verified : OfAnyTrust).With(company.Number).With(session).With(identifier).Defer(rows =>
        {
            var places = new List<ClaimPlace>();
            while (rows.Next())
            {
                if (rows.Long(4) != 0) places.Add(new(rows.Long(0), (Trust)rows.Long(1), rows.Text(2), (ClaimMethod)rows.Long(3)));
            }

            return places;
        });
}
