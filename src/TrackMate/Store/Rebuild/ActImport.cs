using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Rebuild;

/// <summary>Adds the acts of an export, and rederives the company under them.</summary>
internal sealed class ActImport(Database database)
{
    /// <returns>The number of added acts. Acts that exist already, or that refer to an unknown session or identifier, are left out.</returns>
    public int Add(Company company, IReadOnlyCollection<ExportedAct> acts)
    {
        var known = Known(company);
        var added = 0;
        foreach (var act in acts.Where(act => !known.Contains(act.ActId)))
        {
            var (session, identifier, other) = (SessionOf(company, act.SessionId), NumberOf(company, act.Identifier), NumberOf(company, act.Other));
            if ((act.SessionId is not null && session is null) || (act.Identifier is not null && identifier is null) || (act.Other is not null && other is null)) continue;

            // The act stores the smaller number of a revoked pair first, and the numbers differ between stores.
            if ((ActKind)act.Kind is ActKind.RevokePair or ActKind.RevokeClaimedPair && identifier > other) (identifier, other) = (other, identifier);
            database.Use("INSERT INTO act (company, act_id, kind, session, identifier, other, from_ms, to_ms, at_ms, actor, undone_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                .With(company.Number).With(act.ActId).With(act.Kind).With(session).With(identifier).With(other).With(act.From).With(act.To).With(act.At).With(act.Actor).With(act.UndoneAt).Run();
            added++;
        }

        if (added > 0) Rebuilder.Claims(database, company);
        return added;
    }

    private HashSet<string> Known(Company company)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        using var rows = database.Use("SELECT act_id FROM act WHERE company = ?");
        rows.With(company.Number);
        while (rows.Next()) known.Add(rows.Text(0));
        return known;
    }

    private long? SessionOf(Company company, string? sessionId)
    {
        if (sessionId is null) return null;
        using var row = database.Use("SELECT id FROM session WHERE company = ? AND session_id = ?");
        return row.With(company.Number).With(sessionId).Next() ? row.Long(0) : null;
    }

    private long? NumberOf(Company company, Identifier? identifier)
    {
        if (identifier is null) return null;
        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        identifier.Id.CopyTo(leaf);
        using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(leaf).Next() ? row.Long(0) : null;
    }
}
