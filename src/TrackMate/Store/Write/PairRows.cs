using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>Pairs of identifiers as they were said to be one person, each at its earliest, and which of them may join (B13).</summary>
internal sealed class PairRows(Database database)
{
    /// <summary>What a verified pair has until it is decided.</summary>
    private const JoinStop Undecided = JoinStop.TooManyJoins;

    private readonly StandingActs acts = new(database);

    /// <param name="KeptApart">Why an operator keeps the two apart.</param>
    /// <param name="Said">When they were first said to be one person, as far as is known.</param>
    internal readonly record struct Background(Lazy<JoinStop?> KeptApart, Lazy<(long At, string EventId)?> Said);

    /// <summary>Asks for what is to be known before a pair is noted.</summary>
    /// <inheritdoc cref="Say(Company, Leaf, Leaf, Trust, long, string, Background, long)"/>
    public Background Ask(Company company, Leaf left, Leaf right, Trust trust, long unixMilliseconds, long session = 0)
    {
        var (low, high) = InOrder(left, right);
        return new(
            acts.KeptApart(company, low.Number, high.Number, trust, unixMilliseconds),
            database.Use("SELECT at_ms, event_id FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ?")
                .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).Ask(row => row.Next() ? (row.Long(0), row.Text(1)) : ((long, string)?)null));
    }

    /// <summary>Notes that two identifiers were said to be one person.</summary>
    /// <param name="session">Of a claim that follows from a session's identifies: that session; else 0.</param>
    /// <returns>Whether it is news that may join: the pair, or an earlier time of it.</returns>
    public bool Say(Company company, Leaf left, Leaf right, Trust trust, long unixMilliseconds, string eventId, Background background, long session = 0)
    {
        var (low, high) = InOrder(left, right);
        var keptApart = background.KeptApart.Value;
        // Written whoever was first: a stranger's must not take less where the two are known to be one person.
        database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id, stop, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, low, high, trust, session) DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, stop = excluded.stop, standing = excluded.standing
            WHERE (excluded.at_ms, excluded.event_id) < (pair.at_ms, pair.event_id)
            """)
            .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).With(unixMilliseconds).With(eventId)
            .With((long?)(keptApart ?? (trust is Trust.Verified ? Undecided : null))).With(keptApart is null ? 1 : 0).Run();
        return keptApart is null && (background.Said.Value is not { } said || unixMilliseconds < said.At || (unixMilliseconds == said.At && EventIds.Compare(eventId, said.EventId) < 0));
    }

    private static (Leaf Low, Leaf High) InOrder(Leaf left, Leaf right) => CandidatePairs.InOrder(left, right);

    /// <summary>Says anew which pairs of an identifier an operator keeps apart.</summary>
    /// <returns>The identifiers on the other side of those that changed: what comes after such a pair may join them now.</returns>
    public List<long> Restand(Company company, long identifier)
    {
        var changed = new List<long>();
        var pairs = new List<(long Low, long High, long Trust, long Session, long At)>();
        using (var rows = database.Use("""
            SELECT low, high, trust, session, at_ms FROM pair WHERE company = ?1 AND low = ?2
            UNION ALL SELECT low, high, trust, session, at_ms FROM pair INDEXED BY every_pair_by_high WHERE company = ?1 AND high = ?2
            """))
        {
            rows.With(company.Number).With(identifier);
            while (rows.Next()) pairs.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4)));
        }

        foreach (var pair in pairs)
        {
            if (Decide(company, pair)) changed.Add(pair.Low == identifier ? pair.High : pair.Low);
        }

        return changed;
    }

    /// <summary>Says anew whether an operator keeps one pair apart.</summary>
    public void Restand(Company company, long one, long other)
    {
        var pairs = new List<(long Low, long High, long Trust, long Session, long At)>();
        using (var rows = database.Use("""
            SELECT low, high, trust, session, at_ms FROM pair WHERE company = ?1 AND low = ?2 AND high = ?3
            UNION ALL SELECT low, high, trust, session, at_ms FROM pair WHERE company = ?1 AND low = ?3 AND high = ?2
            """))
        {
            rows.With(company.Number).With(one).With(other);
            while (rows.Next()) pairs.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4)));
        }

        foreach (var pair in pairs) Decide(company, pair);
    }

    /// <summary>Whether browsers claim that two identifiers are one person, and no operator keeps them apart.</summary>
    public bool StandsClaimed(Company company, long one, long other)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND high = ?3 AND trust = 0 AND standing = 1)
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?3 AND high = ?2 AND trust = 0 AND standing = 1)
            """);
        found.With(company.Number).With(one).With(other).Next();
        return found.Long(0) == 1;
    }

    /// <returns>Whether it stands or falls by that.</returns>
    private bool Decide(Company company, (long Low, long High, long Trust, long Session, long At) pair)
    {
        var stop = acts.KeptApart(company, pair.Low, pair.High, (Trust)pair.Trust, pair.At).Value;
        // A verified one that stands again is a candidate only once its place among the others is known.
        var (stands, undecided) = pair.Trust == (long)Trust.Verified ? (2, (JoinStop?)Undecided) : (1, null);
        var change = database.Use(stop is null
            ? "UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing = 0"
            : "UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing <> 0");
        return change.With((long?)(stop ?? undecided)).With(stop is null ? stands : 0).With(company.Number).With(pair.Low).With(pair.High).With(pair.Trust).With(pair.Session).RunCounted() > 0;
    }

    /// <summary>
    /// Says anew what follows from a session: a back end that names an externalId and a session, but no e-mail, proposes that this externalId and the e-mail of
    /// that session's identify are one person (B13). A late identify changes it.
    /// </summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    public HashSet<long> SayFromSession(Company company, long session, IReadOnlyCollection<Claim> claims)
    {
        var touched = new HashSet<long>();
        using (var before = database.Use("SELECT low, high FROM pair WHERE company = ? AND session = ? AND session > 0"))
        {
            before.With(company.Number).With(session);
            while (before.Next()) touched.UnionWith([before.Long(0), before.Long(1)]);
        }

        if (touched.Count > 0) database.Use("DELETE FROM pair WHERE company = ? AND session = ? AND session > 0").With(company.Number).With(session).Run();

        var identifies = claims.Where(claim => claim is { Method: ClaimMethod.Identify, FirstNamedAs: IdentifierKind.Email }).Order(SessionSpans.Order).ToList();
        if (identifies.Count == 0) return touched;
        foreach (var claim in claims.Where(claim => claim is { Method: ClaimMethod.Webhook, FirstNamedAs: IdentifierKind.External }))
        {
            var at = identifies.FindLastIndex(identify => identify.UnixMilliseconds <= claim.UnixMilliseconds);
            var (external, email) = (LeafOf(company, claim.Identifiers[0]).Value, LeafOf(company, identifies[Math.Max(at, 0)].Identifiers[0]).Value);
            Say(company, external, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, Ask(company, external, email, Trust.Claimed, claim.UnixMilliseconds, session), session);
            touched.UnionWith([external.Number, email.Number]);
        }

        return touched;
    }

    /// <summary>The same for one new webhook, whose session's identifies are as they were.</summary>
    /// <returns>The identifiers whose pairs changed.</returns>
    public IReadOnlyList<long> SayFromWebhook(Company company, long session, Claim claim)
    {
        var (before, first, external) = (IdentifyTimeAtOrBefore(company, session, claim.UnixMilliseconds), FirstIdentifyTime(company, session), LeafOf(company, claim.Identifiers[0]));
        if ((before.Value ?? first.Value) is not { } time) return [];
        var latest = time <= claim.UnixMilliseconds;
        var identified = database.Use(latest
            ? "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms = ? ORDER BY trust DESC, event_id DESC LIMIT 1"
            : "SELECT identifier FROM claim INDEXED BY claim_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms = ? ORDER BY trust, event_id LIMIT 1")
            .With(company.Number).With(session).With(time).Ask(row => row.Next() ? row.Long(0) : throw new InvalidOperationException("An identify that was found is gone."));
        var email = LeafOf(company, identified.Value).Value;
        return Say(company, external.Value, email, Trust.Claimed, claim.UnixMilliseconds, claim.EventId, Ask(company, external.Value, email, Trust.Claimed, claim.UnixMilliseconds, session), session)
            ? [external.Value.Number, email.Number] : [];
    }

    private Lazy<long?> IdentifyTimeAtOrBefore(Company company, long session, long unixMilliseconds) =>
        database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 AND at_ms <= ? ORDER BY at_ms DESC LIMIT 1
            """).With(company.Number).With(session).With(unixMilliseconds).Ask(row => row.Next() ? (long?)row.Long(0) : null);

    private Lazy<long?> FirstIdentifyTime(Company company, long session) =>
        database.Use("""
            SELECT at_ms FROM claim INDEXED BY claim_by_session
            WHERE company = ? AND session = ? AND session IS NOT NULL AND method = 1 AND named = 1 AND standing <> 0 ORDER BY at_ms LIMIT 1
            """).With(company.Number).With(session).Ask(row => row.Next() ? (long?)row.Long(0) : null);

    /// <summary>Why a verified pair does not join; null where it does.</summary>
    public Lazy<JoinStop?> StopOf(Company company, Leaf left, Leaf right)
    {
        var (low, high) = InOrder(left, right);
        return database.Use("SELECT stop FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = 1 AND session = 0")
            .With(company.Number).With(low.Number).With(high.Number).Ask(row => row.Next() ? (JoinStop?)row.LongOrNull(0) : null);
    }

    public Lazy<Leaf> LeafOf(Company company, long identifier) =>
        database.Use("SELECT leaf, kind FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Ask(row =>
        {
            row.Next();
            return new Leaf(identifier, ProfileId.FromBytes(row.Bytes(0)), (IdentifierKind)row.Long(1));
        });

    /// <summary>Derives the pairs of a company anew from its claims.</summary>
    /// <returns>The identifiers that are in any.</returns>
    public HashSet<long> Rebuild(Company company, SessionClaims claims)
    {
        database.Use("DELETE FROM pair WHERE company = ?").With(company.Number).Run();
        var named = new HashSet<long>();
        using (var rows = database.Use("SELECT identifier, second, third, trust, at_ms, event_id FROM claim WHERE company = ? AND second IS NOT NULL"))
        {
            rows.With(company.Number);
            while (rows.Next())
            {
                // A claim's first identifier is the one that the others were named beside: of three the e-mail, which stands between the other two.
                var first = LeafOf(company, rows.Long(0)).Value;
                foreach (var other in new[] { rows.LongOrNull(1), rows.LongOrNull(2) }.OfType<long>())
                {
                    var second = LeafOf(company, other).Value;
                    Say(company, first, second, (Trust)rows.Long(3), rows.Long(4), rows.Text(5), Ask(company, first, second, (Trust)rows.Long(3), rows.Long(4)));
                    named.UnionWith([first.Number, other]);
                }
            }
        }

        foreach (var session in claims.SessionsWithClaims(company)) named.UnionWith(SayFromSession(company, session, claims.ClaimsOn(company, session)));
        return named;
    }
}
