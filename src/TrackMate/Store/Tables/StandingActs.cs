using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>Acts of operators that are not taken back, as the view takes them in.</summary>
internal sealed class StandingActs(Database database)
{
    /// <param name="trust">Of the claim: an operator may take back only what browsers claim.</param>
    public Lazy<bool> IsRevoked(Company company, long session, long identifier, Trust trust) =>
        database.Use($"""
            SELECT EXISTS (SELECT 1 FROM act INDEXED BY standing_act_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND undone_ms IS NULL AND (kind = {ActTable.RevokeClaim} OR (kind = {ActTable.RevokeClaimed} AND ?4 = {ClaimTable.Claimed})) AND identifier = ?3)
            """).With(company.Number).With(session).With(identifier).With((long)trust).DeferFlag();

    public Lazy<List<Unbinding>> UnbindingsOf(Company company, long session) =>
        database.Use($"SELECT from_ms, to_ms FROM act INDEXED BY standing_act_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND undone_ms IS NULL AND identifier IS NULL AND kind = {ActTable.Unbind}")
            .With(company.Number).With(session).DeferAll(row => new Unbinding(row.Long(0), row.Long(1)));

    /// <summary>Why an operator keeps two identifiers apart; null where none does.</summary>
    /// <param name="trust">With which trust it was said.</param>
    /// <param name="unixMilliseconds">When it was first said that they are one person.</param>
    public Lazy<JoinStop?> KeptApart(Company company, long one, long other, Trust trust, long unixMilliseconds)
    {
        var (ofOne, ofOther) = (Defer(one, other), Defer(other, one));
        return new(() =>
        {
            List<JoinStop> stops = [.. ofOne.Value, .. ofOther.Value];
            return stops.Count == 0 ? null : stops.Contains(JoinStop.Revoked) ? JoinStop.Revoked : JoinStop.Frozen;
        }, LazyThreadSafetyMode.None);

        Lazy<List<JoinStop>> Defer(long identifier, long counterpart) =>
            database.Use($"""
                SELECT kind FROM act WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND undone_ms IS NULL
                  AND (kind = {ActTable.Isolate} OR (kind = {ActTable.RevokePair} AND other = ?3) OR (kind = {ActTable.RevokeClaimedPair} AND other = ?3 AND ?5 = {PairTable.Claimed}) OR (kind = {ActTable.Freeze} AND from_ms <= ?4))
                """)
                .With(company.Number).With(identifier).With(counterpart).With(unixMilliseconds).With((long)trust)
                .DeferAll(row => (ActKind)row.Long(0) is ActKind.Freeze ? JoinStop.Frozen : JoinStop.Revoked);
    }

    /// <summary>Merges that name an identifier, each with the other one.</summary>
    public Lazy<List<(string MergeId, long Other, long At)>> MergesOf(Company company, long identifier) =>
        database.Use($"""
            SELECT act_id, other, at_ms FROM act WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Merge}
            UNION ALL
            SELECT act_id, identifier, at_ms FROM act WHERE company = ?1 AND other = ?2 AND other IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Merge}
            """).With(company.Number).With(identifier).DeferAll(row => (row.Text(0), row.Long(1), row.Long(2)));
}
