using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>
/// When each session first claimed an identifier, as only a browser says it. Of those of one UTC day the first so many are believed (B13), whatever came first: a
/// stranger who names somebody from a thousand new sessions buries nobody.
/// </summary>
internal sealed class FirstClaims(Database database)
{
    private const int Revoked = 0;
    private const int Standing = 1;
    private const int Late = 2;

    internal sealed record Row(long Session, long At, string EventId, long Standing);

    /// <param name="Known">When the session first claimed the identifier, as far as is known.</param>
    /// <param name="OfDay">How many sessions of the claim's day are believed.</param>
    internal readonly record struct PriorState(Lazy<Row?> Known, Lazy<long> OfDay);

    /// <summary>Asks for what is to be known before a claim is noted.</summary>
    public PriorState Defer(Company company, long identifier, long session, long unixMilliseconds) => new(Find(company, identifier, session), Count(company, identifier, DayCounters.DayOf(unixMilliseconds)));

    /// <summary>Notes a claim of a browser.</summary>
    /// <returns>Whether it is believed, and the sessions of which the claims on this identifier stand or fall by it, its own among them where what it said before changes.</returns>
    public (bool Stands, IReadOnlyList<long> Changed) Note(Company company, long identifier, long session, long unixMilliseconds, string eventId, bool isRevoked, PriorState background)
    {
        var known = background.Known.Value;
        if (known is not null && (known.At < unixMilliseconds || (known.At == unixMilliseconds && EventIds.Compare(known.EventId, eventId) <= 0))) return (known.Standing == Standing, []);

        var changed = new List<long>();
        if (known is not null) Leave(company, identifier, known, changed);
        database.Use("""
            INSERT INTO first_claim (company, identifier, session, at_ms, event_id, standing) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, identifier, session) DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, standing = excluded.standing
            """)
            .With(company.Number).With(identifier).With(session).With(unixMilliseconds).With(eventId).With(isRevoked ? Revoked : Late).Run();
        var stands = !isRevoked && Enter(company, identifier, new(session, unixMilliseconds, eventId, Late), changed, known is null ? background.OfDay : null);
        if (known is not null && (known.Standing == Standing) != stands) changed.Add(session);
        return (stands, changed);
    }

    /// <summary>A session's claims on an identifier are taken back, or lifted again.</summary>
    /// <returns>The sessions that stand or fall by it, besides this one.</returns>
    public IReadOnlyList<long> Revoke(Company company, long identifier, long session, bool isRevoked)
    {
        var changed = new List<long>();
        if (Find(company, identifier, session).Value is not { } row || (row.Standing == Revoked) == isRevoked) return changed;
        if (isRevoked)
        {
            Set(company, identifier, row.Session, Revoked);
            Leave(company, identifier, row, changed);
        }
        else
        {
            Enter(company, identifier, row, changed);
        }

        return changed;
    }

    /// <summary>Derives anew when a session first claimed an identifier, where claims of it are not in the store any more.</summary>
    /// <returns>The sessions of which the claims on this identifier may stand or fall by it, besides this one.</returns>
    public IReadOnlyList<long> Forget(Company company, long identifier, long session)
    {
        if (Find(company, identifier, session).Value is not { } known) return [];
        (long At, string EventId)? first = null;
        using (var row = database.Use("""
            SELECT at_ms, event_id FROM claim INDEXED BY claim_by_session_and_identifier
            WHERE company = ? AND session = ? AND session IS NOT NULL AND identifier = ? AND trust = 0 ORDER BY at_ms, event_id LIMIT 1
            """))
        {
            if (row.With(company.Number).With(session).With(identifier).Next()) first = (row.Long(0), row.Text(1));
        }

        if (first == (known.At, known.EventId)) return [];
        var changed = new List<long>();
        Leave(company, identifier, known, changed);
        database.Use("DELETE FROM first_claim WHERE company = ? AND identifier = ? AND session = ?").With(company.Number).With(identifier).With(session).Run();
        if (first is { } left) changed.AddRange(Note(company, identifier, session, left.At, left.EventId, known.Standing == Revoked, Defer(company, identifier, session, left.At)).Changed);
        return [.. changed.Where(other => other != session)];
    }

    /// <summary>Whether what browsers say of this session and identifier is believed.</summary>
    public bool Stands(Company company, long identifier, long session) => Find(company, identifier, session).Value is not { } row || row.Standing == Standing;

    /// <summary>Brings a day nearer to what the company has chosen, by one session that is believed or not.</summary>
    /// <returns>The sessions whose claims on this identifier stand or fall by it; none where the day is as it should be.</returns>
    public IReadOnlyList<long> Correct(Company company, long identifier, long day)
    {
        var (believed, most) = (Count(company, identifier, day).Value, company.Settings.NewSessionsPerDay);
        var (last, late) = (Last(company, identifier, day), FirstLate(company, identifier, day, besides: 0));
        if (last is not null && (believed > most || (late is not null && believed == most && IsEarlier(late, last))))
        {
            Set(company, identifier, last.Session, Late);
            Count(company, identifier, day, -1);
            return [last.Session];
        }

        if (late is null || believed >= most) return [];
        Set(company, identifier, late.Session, Standing);
        Count(company, identifier, day, 1);
        return [late.Session];
    }

    /// <summary>Decides anew for a whole company, as after an import of acts.</summary>
    public void Rebuild(Company company)
    {
        database.Use("DELETE FROM first_claim WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM first_claim_day WHERE company = ?").With(company.Number).Run();
        database.Use("""
            INSERT INTO first_claim (company, identifier, session, at_ms, event_id, standing)
            SELECT company, identifier, session, at_ms, event_id,
              CASE WHEN is_revoked THEN 0 WHEN ROW_NUMBER() OVER (PARTITION BY identifier, at_ms / 86400000, is_revoked ORDER BY at_ms, event_id) <= ?2 THEN 1 ELSE 2 END
            FROM (
              SELECT c.company, c.identifier, c.session, c.at_ms, c.event_id,
                EXISTS (SELECT 1 FROM act a WHERE a.company = ?1 AND a.session = c.session AND a.session IS NOT NULL AND a.undone_ms IS NULL AND a.kind IN (1, 7) AND a.identifier = c.identifier) AS is_revoked,
                ROW_NUMBER() OVER (PARTITION BY c.identifier, c.session ORDER BY c.at_ms, c.event_id) AS place
              FROM claim c WHERE c.company = ?1 AND c.session IS NOT NULL AND c.trust = 0) AS said
            WHERE place = 1
            """).With(company.Number).With(company.Settings.NewSessionsPerDay).Run();
        database.Use("""
            INSERT INTO first_claim_day (company, identifier, day, standing)
            SELECT company, identifier, at_ms / 86400000, COUNT(*) FROM first_claim WHERE company = ? AND standing = 1 GROUP BY 1, 2, 3
            """).With(company.Number).Run();
    }

    /// <summary>Gives a session its place in its day, if need be that of the last one there.</summary>
    /// <param name="ofDay">How many of the day are believed, where that is known.</param>
    private bool Enter(Company company, long identifier, Row row, List<long> changed, Lazy<long>? ofDay = null)
    {
        var day = DayCounters.DayOf(row.At);
        if ((ofDay ?? Count(company, identifier, day)).Value < company.Settings.NewSessionsPerDay)
        {
            Count(company, identifier, day, 1);
        }
        else
        {
            if (Last(company, identifier, day) is not { } last || IsEarlier(last, row))
            {
                Set(company, identifier, row.Session, Late);
                return false;
            }

            Set(company, identifier, last.Session, Late);
            changed.Add(last.Session);
        }

        Set(company, identifier, row.Session, Standing);
        return true;
    }

    /// <summary>Frees a session's place for the first that came too late.</summary>
    private void Leave(Company company, long identifier, Row row, List<long> changed)
    {
        if (row.Standing != Standing) return;
        var day = DayCounters.DayOf(row.At);
        if (FirstLate(company, identifier, day, row.Session) is { } next)
        {
            Set(company, identifier, next.Session, Standing);
            changed.Add(next.Session);
        }
        else
        {
            Count(company, identifier, day, -1);
        }
    }

    private static bool IsEarlier(Row left, Row right) => left.At < right.At || (left.At == right.At && EventIds.Compare(left.EventId, right.EventId) < 0);

    private Lazy<Row?> Find(Company company, long identifier, long session) =>
        database.Use("SELECT at_ms, event_id, standing FROM first_claim WHERE company = ? AND identifier = ? AND session = ?")
            .With(company.Number).With(identifier).With(session).Defer(row => row.Next() ? new Row(session, row.Long(0), row.Text(1), row.Long(2)) : null);

    private Row? Last(Company company, long identifier, long day)
    {
        using var row = database.Use("""
            SELECT session, at_ms, event_id FROM first_claim
            WHERE company = ? AND identifier = ? AND standing = 1 AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC, event_id DESC LIMIT 1
            """);
        return row.With(company.Number).With(identifier).With(DayCounters.StartOf(day)).With(DayCounters.StartOf(day + 1)).Next() ? new(row.Long(0), row.Long(1), row.Text(2), Standing) : null;
    }

    private Row? FirstLate(Company company, long identifier, long day, long besides)
    {
        using var row = database.Use("""
            SELECT session, at_ms, event_id FROM first_claim
            WHERE company = ? AND identifier = ? AND standing = 2 AND at_ms >= ? AND at_ms < ? AND session <> ? ORDER BY at_ms, event_id LIMIT 1
            """);
        return row.With(company.Number).With(identifier).With(DayCounters.StartOf(day)).With(DayCounters.StartOf(day + 1)).With(besides).Next() ? new(row.Long(0), row.Long(1), row.Text(2), Late) : null;
    }

    private void Set(Company company, long identifier, long session, long standing) =>
        database.Use("UPDATE first_claim SET standing = ? WHERE company = ? AND identifier = ? AND session = ?").With(standing).With(company.Number).With(identifier).With(session).Run();

    private Lazy<long> Count(Company company, long identifier, long day) =>
        database.Use("SELECT standing FROM first_claim_day WHERE company = ? AND identifier = ? AND day = ?")
            .With(company.Number).With(identifier).With(day).Defer(row => row.Next() ? row.Long(0) : 0);

    private void Count(Company company, long identifier, long day, long more) =>
        database.Use("INSERT INTO first_claim_day (company, identifier, day, standing) VALUES (?, ?, ?, ?) ON CONFLICT (company, identifier, day) DO UPDATE SET standing = first_claim_day.standing + excluded.standing")
            .With(company.Number).With(identifier).With(day).With(more).Run();
}
