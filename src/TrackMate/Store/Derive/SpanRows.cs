using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>Whose a session is, from when to when, as its claims say.</summary>
/// <param name="marks">Told of sessions that become somebody's or nobody's; null for a reader, and for one who marks all sessions of the company at the end.</param>
internal sealed class SpanRows(Database database, DirtySessions? marks = null)
{
    private readonly OpeningRows openings = new(database);
    private readonly NamedEarliest named = new(database);

    /// <param name="Openings">Those around the claim's time.</param>
    /// <param name="Spans">Those around it.</param>
    /// <param name="Named">The earliest claims that name whom it names.</param>
    internal sealed record PriorState(Lazy<List<Opening>> Openings, Lazy<List<Span>> Spans, IReadOnlyList<Lazy<List<ClaimPlace>>> Named)
    {
        /// <summary>That of a session which nobody has named before: of it there is nothing to ask.</summary>
        public static readonly PriorState OfNewSession = new(new([]), new([]), []);
    }

    /// <summary>Asks for what is to be known before a claim that stands is added to a session's, and before it is stored.</summary>
    public PriorState Defer(Company company, long session, Claim claim) => new(
        openings.Near(company, session, claim.UnixMilliseconds),
        Near(company, session, claim.UnixMilliseconds, areWhole: false),
        [.. claim.Identifiers.Select(identifier => named.Defer(company, session, identifier, onlyVerified: claim.Method is ClaimMethod.Identify))]);

    /// <summary>Whose a session is at a time: an identifier's number, or null while it is nobody's.</summary>
    public Lazy<long?> OwnerOf(Company company, long session, EventOrder order) =>
        database.Use("SELECT identifier, to_ms FROM span WHERE company = ? AND session = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1")
            .With(company.Number).With(session).With(order.UnixMilliseconds).Defer(span => span.Next() && order.UnixMilliseconds < span.Long(1) ? (long?)span.Long(0) : null);

    /// <summary>
    /// Adds one claim to a session's spans. <see cref="SessionSpans.Add"/> decides which openings change: at most one more, and one fewer for each identifier. Each
    /// change touches only the spans between the openings before and after it, so the cost of a claim does not grow with the session.
    /// </summary>
    public void Add(Company company, long session, Claim claim, IReadOnlyCollection<Unbinding> unbindings, PriorState prior)
    {
        var decision = SessionSpans.Add(claim, [.. prior.Named.SelectMany(places => places.Value)]);
        if (decision.Opens)
        {
            var near = unbindings.Count == 0 ? prior.Spans.Value : Near(company, session, claim.UnixMilliseconds, areWhole: true).Value;
            Change(company, session, claim.UnixMilliseconds, claim.Opening, prior.Openings.Value, near, unbindings, hasEvents: !ReferenceEquals(prior, PriorState.OfNewSession));
            openings.Insert(company, session, claim.Opening);
        }

        foreach (var later in decision.Closed)
        {
            if (!openings.Delete(company, session, later, byEmail: false)) continue;
            var (around, near) = (openings.Near(company, session, later.UnixMilliseconds), Near(company, session, later.UnixMilliseconds, unbindings.Count > 0));
            Change(company, session, later.UnixMilliseconds, null, around.Value, near.Value, unbindings);
        }
    }

    /// <summary>Derives a session's spans anew.</summary>
    /// <param name="claims">Its claims that stand.</param>
    /// <returns>The identifiers whose spans changed.</returns>
    public List<long> Rewrite(Company company, long session, IReadOnlyCollection<Claim> claims, IReadOnlyCollection<Unbinding> unbindings)
    {
        var opening = SessionSpans.Openings(claims);
        openings.Rewrite(company, session, opening);
        var whole = SessionSpans.Of(opening);
        StoreWhole(company, session, SpanChange.Between(All(company, session, areWhole: true), unbindings.Count > 0 ? whole : []));

        // A late claim changes its neighbours; the others stay as they lie.
        var (stored, spans) = (All(company, session, areWhole: false), SessionSpans.Beside(whole, unbindings));
        var change = SpanChange.Between(stored, spans);
        Store(company, session, change, mayMark: (stored.Count == 0) != (spans.Count == 0));
        return [.. change.Gone.Concat(change.Come).Select(span => span.Identifier).Distinct()];
    }

    /// <summary>Takes away what is derived of a company's claims.</summary>
    public void Clear(Company company)
    {
        database.Use("DELETE FROM opening WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM whole_span WHERE company = ?").With(company.Number).Run();
        database.Use("DELETE FROM span WHERE company = ?").With(company.Number).Run();
    }

    /// <summary>Of a row of <c>span s</c>, whose company is ?1: whether a verified claim on the session, at whatever time, names its identifier.</summary>
    internal const string IsVerified = $"""
        CASE WHEN EXISTS (SELECT 1 FROM claim v INDEXED BY claim_by_session_and_identifier
            WHERE v.company = ?1 AND v.session = s.session AND v.session IS NOT NULL AND v.identifier = s.identifier AND v.trust = {ClaimTable.Verified} AND v.standing <> {ClaimTable.Excluded})
          OR EXISTS (SELECT 1 FROM claim v INDEXED BY claim_by_session_and_second
            WHERE v.company = ?1 AND v.session = s.session AND v.session IS NOT NULL AND v.second = s.identifier AND v.second IS NOT NULL AND v.standing <> {ClaimTable.Excluded} AND v.trust = {ClaimTable.Verified})
          OR EXISTS (SELECT 1 FROM claim v INDEXED BY claim_by_session_and_third
            WHERE v.company = ?1 AND v.session = s.session AND v.session IS NOT NULL AND v.third = s.identifier AND v.third IS NOT NULL AND v.standing <> {ClaimTable.Excluded} AND v.trust = {ClaimTable.Verified}) THEN 1 ELSE 0 END
        """;

    /// <param name="opened">The opening that comes to that time, if one does.</param>
    /// <param name="around">The stored ones around it.</param>
    /// <param name="near">The spans around it, as claims alone make them.</param>
    /// <param name="hasEvents">Whether events may be bound through the session.</param>
    private void Change(Company company, long session, long time, Opening? opened, List<Opening> around, List<Span> near, IReadOnlyCollection<Unbinding> unbindings, bool hasEvents = true)
    {
        var last = around.Where(opening => opening.UnixMilliseconds <= time).MaxBy(opening => opening.Place);
        var at = last?.UnixMilliseconds == time ? last : null;
        // At one time the last opening holds the session.
        if (opened is not null && at is not null && at.Place > opened.Place) return;
        var before = at is null ? last : openings.LastUntil(company, session, time - 1);
        var next = around.Where(opening => opening.UnixMilliseconds > time).Select(opening => (long?)opening.UnixMilliseconds).Min();
        var after = next is { } then ? openings.LastUntil(company, session, then) : null;

        var change = SessionSpans.Change(before, opened ?? at, after, near);
        if (unbindings.Count > 0)
        {
            StoreWhole(company, session, change);
            change = change.Beside(unbindings);
        }

        Store(company, session, change, mayMark: near.Count == 0 || unbindings.Count > 0, hasEvents);
    }

    private void Store(Company company, long session, SpanChange change, bool mayMark, bool hasEvents = true)
    {
        var stays = change.Come.Select(span => span.From).Intersect(change.Gone.Select(span => span.From)).ToHashSet();
        foreach (var gone in change.Gone.Where(gone => !stays.Contains(gone.From)))
            database.Use("DELETE FROM span WHERE company = ? AND session = ? AND from_ms = ?").With(company.Number).With(session).With(gone.From).Run();
        foreach (var come in change.Come)
        {
            database.Use(stays.Contains(come.From)
                ? "UPDATE span SET to_ms = ?, identifier = ?, claim = ? WHERE company = ? AND session = ? AND from_ms = ?"
                : "INSERT INTO span (to_ms, identifier, claim, company, session, from_ms) VALUES (?, ?, ?, ?, ?, ?)")
                .With(come.To).With(come.Identifier).With(come.Claim).With(company.Number).With(session).With(come.From).Run();
            // A statement of its own: Citus takes no sub-select among the values of an insertion.
            if (hasEvents) NoteServerEvents(database, company, session, come.From, come.To);
        }

        if (mayMark && change.Gone.Count + change.Come.Count > 0) marks?.SpansChanged(company, session);
    }

    /// <summary>Notes which server events that are bound through the session lie in a span: the first and the last.</summary>
    public static void NoteServerEvents(Database database, Company company, long session, long from, long to) => database.Use($"""
        UPDATE span SET
          first_server_at = (SELECT MIN(at) FROM message INDEXED BY server_message_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND origin = {MessageTable.Server} AND at >= ?4 AND at < ?5),
          last_server_at = (SELECT MAX(at) FROM message INDEXED BY server_message_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND origin = {MessageTable.Server} AND at >= ?4 AND at < ?5)
        WHERE company = ?1 AND session = ?2 AND from_ms = ?3 AND (last_server_at IS NOT NULL OR EXISTS (
          SELECT 1 FROM message INDEXED BY server_message_by_session WHERE company = ?1 AND session = ?2 AND session IS NOT NULL AND origin = {MessageTable.Server} AND at >= ?4 AND at < ?5))
        """).With(company.Number).With(session).With(from).With(StartOf(from)).With(StartOf(to)).Run();

    private void StoreWhole(Company company, long session, SpanChange change)
    {
        foreach (var gone in change.Gone)
            database.Use("DELETE FROM whole_span WHERE company = ? AND session = ? AND from_ms = ?").With(company.Number).With(session).With(gone.From).Run();
        foreach (var come in change.Come)
        {
            database.Use("INSERT INTO whole_span (company, session, from_ms, to_ms, identifier, claim) VALUES (?, ?, ?, ?, ?, ?)")
                .With(company.Number).With(session).With(come.From).With(come.To).With(come.Identifier).With(come.Claim).Run();
        }
    }

    private static long StartOf(long unixMilliseconds) => unixMilliseconds is long.MinValue or long.MaxValue ? unixMilliseconds : EventOrder.Start(unixMilliseconds).Value;

    /// <summary>Asks for the spans between the openings before and after a time, oldest first: no others begin between them than at that time.</summary>
    private Lazy<List<Span>> Near(Company company, long session, long unixMilliseconds, bool areWhole) => database.Use(areWhole
        ? """
            SELECT from_ms, to_ms, identifier, claim FROM (SELECT * FROM whole_span WHERE company = ?1 AND session = ?2 AND from_ms <= ?3 ORDER BY from_ms DESC LIMIT 2) AS a
            UNION ALL SELECT from_ms, to_ms, identifier, claim FROM (SELECT * FROM whole_span WHERE company = ?1 AND session = ?2 AND from_ms > ?3 ORDER BY from_ms LIMIT 1) AS b
            """
        : """
            SELECT from_ms, to_ms, identifier, claim FROM (SELECT * FROM span WHERE company = ?1 AND session = ?2 AND from_ms <= ?3 ORDER BY from_ms DESC LIMIT 2) AS a
            UNION ALL SELECT from_ms, to_ms, identifier, claim FROM (SELECT * FROM span WHERE company = ?1 AND session = ?2 AND from_ms > ?3 ORDER BY from_ms LIMIT 1) AS b
            """)
        .With(company.Number).With(session).With(unixMilliseconds).Defer(rows =>
        {
            var spans = new List<Span>();
            while (rows.Next()) spans.Add(Read(rows));
            spans.Sort((left, right) => left.From.CompareTo(right.From));
            return spans;
        });

    private List<Span> All(Company company, long session, bool areWhole) => database.Use(areWhole
        ? "SELECT from_ms, to_ms, identifier, claim FROM whole_span WHERE company = ? AND session = ?"
        : "SELECT from_ms, to_ms, identifier, claim FROM span WHERE company = ? AND session = ?")
        .With(company.Number).With(session).DeferAll(Read).Value;

    private static Span Read(Statement row) => new(row.Long(0), row.Long(1), row.Long(2), row.Long(3));
}
