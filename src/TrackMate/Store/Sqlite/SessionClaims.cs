using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Claims, and the spans of a session that follow from them.</summary>
internal sealed class SessionClaims(Database database)
{
    /// <summary>Appends a claim and, where it is about a session, rewrites that session's spans if they change.</summary>
    public void Add(Company company, long message, long? session, Claim claim)
    {
        database.Use("""
            INSERT INTO claim (company, message, session, identifier, named, second, third, method, trust, at_ms, event_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
            .With(company.Number).With(message).With(session)
            .With(claim.Identifiers[0]).With((long)claim.FirstNamedAs).With(At(claim.Identifiers, 1)).With(At(claim.Identifiers, 2))
            .With((long)claim.Method).With((long)claim.Trust).With(claim.UnixMilliseconds).With(claim.EventId).Run();
        if (session is { } number) RewriteSpans(company, number);
    }

    /// <summary>Derives the spans of every session of a company anew.</summary>
    public void Rebuild(Company company)
    {
        database.Use("DELETE FROM span WHERE company = ?").With(company.Number).Run();
        foreach (var session in SessionsWithClaims(company)) RewriteSpans(company, session);
    }

    public List<long> SessionsWithClaims(Company company)
    {
        var sessions = new List<long>();
        using var rows = database.Use("SELECT DISTINCT session FROM claim WHERE company = ? AND session IS NOT NULL");
        rows.With(company.Number);
        while (rows.Next()) sessions.Add(rows.Long(0));
        return sessions;
    }

    /// <summary>Whose a session is at a time: an identifier's number, or null while it is nobody's.</summary>
    public long? OwnerOf(Company company, long session, EventOrder order)
    {
        using var span = database.Use("SELECT identifier FROM span WHERE company = ? AND session = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1");
        return span.With(company.Number).With(session).With(order.UnixMilliseconds).Next() ? span.Long(0) : null;
    }

    private void RewriteSpans(Company company, long session)
    {
        var spans = SessionSpans.Of(ClaimsOn(company, session));
        if (spans.SequenceEqual(SpansOf(company, session))) return;

        database.Use("DELETE FROM span WHERE company = ? AND session = ?").With(company.Number).With(session).Run();
        foreach (var span in spans)
        {
            database.Use("""
                INSERT INTO span (company, session, from_ms, to_ms, identifier, claim, trust, has_runs)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, EXISTS (SELECT 1 FROM server_run WHERE company = ?1 AND identifier = 0 AND session = ?2))
                """)
                .With(company.Number).With(session).With(span.From).With(span.To).With(span.Identifier).With(span.Claim).With((long)span.Trust).Run();
        }
    }

    public List<Claim> ClaimsOn(Company company, long session)
    {
        var claims = new List<Claim>();
        using var rows = database.Use("SELECT id, method, trust, at_ms, event_id, identifier, second, third, named FROM claim WHERE company = ? AND session = ? AND session IS NOT NULL");
        rows.With(company.Number).With(session);
        while (rows.Next())
        {
            List<long> identifiers = [rows.Long(5)];
            if (rows.LongOrNull(6) is { } second) identifiers.Add(second);
            if (rows.LongOrNull(7) is { } third) identifiers.Add(third);
            claims.Add(new(rows.Long(0), (ClaimMethod)rows.Long(1), (Trust)rows.Long(2), rows.Long(3), rows.Text(4), identifiers, (IdentifierKind)rows.Long(8)));
        }

        return claims;
    }

    private List<Span> SpansOf(Company company, long session)
    {
        var spans = new List<Span>();
        using var rows = database.Use("SELECT from_ms, to_ms, identifier, claim, trust FROM span WHERE company = ? AND session = ? ORDER BY from_ms");
        rows.With(company.Number).With(session);
        while (rows.Next()) spans.Add(new(rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), (Trust)rows.Long(4)));
        return spans;
    }

    private static long? At(IReadOnlyList<long> numbers, int index) => index < numbers.Count ? numbers[index] : null;
}
