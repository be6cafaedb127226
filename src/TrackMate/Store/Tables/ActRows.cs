using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>An act as it is stored.</summary>
/// <param name="From">Of an un-binding: unix milliseconds; of a freeze: from when on nothing joins.</param>
internal sealed record StoredAct(string ActId, ActKind Kind, long? Session, long? Identifier, long? Other, long? From, long? To, bool Undone);

/// <summary>The table of acts: one is added, and is taken back by the time of its undoing.</summary>
internal sealed class ActRows(Database database)
{
    private const string Columns = "SELECT act_id, kind, session, identifier, other, from_ms, to_ms, undone_ms FROM act";

    private static StoredAct Read(Statement row) =>
        new(row.Text(0), (ActKind)row.Long(1), row.LongOrNull(2), row.LongOrNull(3), row.LongOrNull(4), row.LongOrNull(5), row.LongOrNull(6), !row.IsNull(7));

    /// <summary>An act by its id; a freeze is one row for each identifier.</summary>
    public List<StoredAct> Find(Company company, string actId)
    {
        var acts = new List<StoredAct>();
        using var rows = database.Use(Columns + " WHERE company = ? AND act_id = ?");
        rows.With(company.Number).With(actId);
        while (rows.Next()) acts.Add(Read(rows));
        return acts;
    }

    /// <summary>Acts of a kind that are not taken back, on a session or on an identifier.</summary>
    public List<StoredAct> Standing(Company company, ActKind kind, long? session, long? identifier, long? other)
    {
        var acts = new List<StoredAct>();
        using var rows = database.Use(session is not null
            ? Columns + " WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND undone_ms IS NULL AND kind = ?5 AND (?3 IS NULL OR identifier = ?3) AND ?4 IS NULL"
            : Columns + " WHERE company = ?1 AND identifier = ?3 AND identifier IS NOT NULL AND undone_ms IS NULL AND kind = ?5 AND ?2 IS NULL AND (?4 IS NULL OR other = ?4)");
        rows.With(company.Number).With(session).With(identifier).With(other).With((long)kind);
        while (rows.Next()) acts.Add(Read(rows));
        return acts;
    }

    public static string NewId(string word) => $"{word}_{RandomNumberGenerator.GetHexString(24, lowercase: true)}";

    public string Add(Company company, string word, ActKind kind, ActBy by, long? session = null, long? identifier = null, long? other = null, long? from = null, long? to = null, bool hasId = false)
    {
        var id = hasId ? word : NewId(word);
        database.Use("INSERT INTO act (company, act_id, kind, session, identifier, other, from_ms, to_ms, at_ms, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .With(company.Number).With(id).With((long)kind).With(session).With(identifier).With(other).With(from).With(to).With(by.At).With(by.Actor).Run();
        return id;
    }

    /// <summary>Rows of an act that are not taken back yet, the first ones.</summary>
    public List<StoredAct> Standing(Company company, string actId, int most)
    {
        var acts = new List<StoredAct>();
        using var rows = database.Use(Columns + " WHERE company = ? AND act_id = ? AND undone_ms IS NULL ORDER BY id LIMIT ?");
        rows.With(company.Number).With(actId).With(most);
        while (rows.Next()) acts.Add(Read(rows));
        return acts;
    }

    /// <summary>How many sessions' claims, and how many pairs, an act on many claims still keeps away.</summary>
    public (long Sessions, long Pairs) CountStanding(Company company, string actId)
    {
        using var count = database.Use("SELECT COUNT(session), COUNT(other) FROM act WHERE company = ? AND act_id = ? AND undone_ms IS NULL");
        count.With(company.Number).With(actId).Next();
        return (count.Long(0), count.Long(1));
    }

    /// <summary>Takes back one row of an act: one claim of those that it undid together.</summary>
    public void Undo(Company company, StoredAct act, ActBy by) =>
        database.Use("""
            UPDATE act SET undone_ms = ?3 WHERE company = ?1 AND act_id = ?2 AND undone_ms IS NULL AND kind = ?4
              AND session IS NOT DISTINCT FROM ?5 AND identifier IS NOT DISTINCT FROM ?6 AND other IS NOT DISTINCT FROM ?7
            """)
            .With(company.Number).With(act.ActId).With(by.At).With((long)act.Kind).With(act.Session).With(act.Identifier).With(act.Other).Run();

    public void Undo(Company company, string actId, ActBy by) =>
        database.Use("UPDATE act SET undone_ms = ? WHERE company = ? AND act_id = ? AND undone_ms IS NULL").With(by.At).With(company.Number).With(actId).Run();
}
