using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>What an act does; the numbers are stored.</summary>
internal enum ActKind
{
    /// <summary>This session was never said to be this identifier's.</summary>
    RevokeClaim = 1,

    /// <summary>These two identifiers were never said to be one person.</summary>
    RevokePair = 2,

    /// <summary>This session is nobody's from then to then.</summary>
    Unbind = 3,

    /// <summary>These two identifiers are one person.</summary>
    Merge = 4,

    /// <summary>This identifier was never said to be one person with any other.</summary>
    Isolate = 5,

    /// <summary>Nothing that is first said from now on joins this identifier.</summary>
    Freeze = 6,
}

/// <summary>Acts of operators that are not taken back, as the view takes them in.</summary>
internal sealed class StandingActs(Database database)
{
    public bool IsRevoked(Company company, long session, long identifier)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM act WHERE company = ? AND session = ? AND session IS NOT NULL AND undone_ms IS NULL AND kind = 1 AND identifier = ?)
            """);
        found.With(company.Number).With(session).With(identifier).Next();
        return found.Long(0) == 1;
    }

    public List<Unbinding> UnbindingsOf(Company company, long session)
    {
        var unbindings = new List<Unbinding>();
        using var rows = database.Use("SELECT from_ms, to_ms FROM act WHERE company = ? AND session = ? AND session IS NOT NULL AND undone_ms IS NULL AND kind = 3");
        rows.With(company.Number).With(session);
        while (rows.Next()) unbindings.Add(new(rows.Long(0), rows.Long(1)));
        return unbindings;
    }

    /// <summary>Why an operator keeps two identifiers apart; null where none does.</summary>
    /// <param name="unixMilliseconds">When it was first said that they are one person.</param>
    public JoinStop? KeptApart(Company company, long one, long other, long unixMilliseconds)
    {
        JoinStop? stop = null;
        foreach (var (identifier, counterpart) in new[] { (one, other), (other, one) })
        {
            using var rows = database.Use("SELECT kind, other, from_ms FROM act WHERE company = ? AND identifier = ? AND identifier IS NOT NULL AND undone_ms IS NULL AND kind IN (2, 5, 6)");
            rows.With(company.Number).With(identifier);
            while (rows.Next())
            {
                var applies = (ActKind)rows.Long(0) switch
                {
                    ActKind.RevokePair => rows.Long(1) == counterpart,
                    ActKind.Isolate => true,
                    _ => rows.Long(2) <= unixMilliseconds,
                };
                if (!applies) continue;
                if ((ActKind)rows.Long(0) is not ActKind.Freeze) return JoinStop.Revoked;
                stop = JoinStop.Frozen;
            }
        }

        return stop;
    }

    /// <summary>Merges that name an identifier, each with the other one.</summary>
    public List<(string MergeId, long Other, long At)> MergesOf(Company company, long identifier)
    {
        var merges = new List<(string, long, long)>();
        using var rows = database.Use("""
            SELECT act_id, other, at_ms FROM act WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND undone_ms IS NULL AND kind = 4
            UNION ALL
            SELECT act_id, identifier, at_ms FROM act WHERE company = ?1 AND other = ?2 AND other IS NOT NULL AND undone_ms IS NULL AND kind = 4
            """);
        rows.With(company.Number).With(identifier);
        while (rows.Next()) merges.Add((rows.Text(0), rows.Long(1), rows.Long(2)));
        return merges;
    }
}
