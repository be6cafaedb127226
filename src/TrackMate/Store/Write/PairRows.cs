using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>Pairs of identifiers as they were said to be one person, each at its earliest, and which of them may join (B13).</summary>
internal sealed class PairRows(Database database)
{
    /// <summary>Beyond the pairs that count, so many are read that those of one message, which only ids tell apart, are all there.</summary>
    private const int Ties = 8;

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
        var stop = background.KeptApart.Value;
        // Written whoever was first: a stranger's must not take less where the two are known to be one person.
        database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id, stop, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, low, high, trust, session) DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, stop = excluded.stop, standing = excluded.standing
            WHERE (excluded.at_ms, excluded.event_id) < (pair.at_ms, pair.event_id)
            """)
            .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).With(unixMilliseconds).With(eventId)
            .With((long?)stop).With(stop is null ? 1 : 0).Run();
        return stop is null && (background.Said.Value is not { } said || unixMilliseconds < said.At || (unixMilliseconds == said.At && EventIds.Compare(eventId, said.EventId) < 0));
    }

    private static (Leaf Low, Leaf High) InOrder(Leaf left, Leaf right) => left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);

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
        var stands = stop is null ? 1 : 0;
        return database.Use("UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing <> ?")
            .With((long?)stop).With(stands).With(company.Number).With(pair.Low).With(pair.High).With(pair.Trust).With(pair.Session).With(stands).RunCounted() > 0;
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

    public void Stop(Company company, Leaf left, Leaf right, JoinStop? stop)
    {
        var (low, high) = InOrder(left, right);
        database.Use("UPDATE pair SET stop = ?4 WHERE company = ?1 AND low = ?2 AND high = ?3 AND trust = 1 AND session = 0 AND stop IS DISTINCT FROM ?4")
            .With(company.Number).With(low.Number).With(high.Number).With((long?)stop).Run();
    }

    /// <summary>
    /// Of a verified pair that is past the number that is believed of one of its identifiers, and changes nothing else, that identifier: the hundred-and-first
    /// customer of <c>noreply@</c> costs two look-ups.
    /// </summary>
    public long? Crowded(Company company, Leaf left, Leaf right)
    {
        var (askedLeft, askedRight) = (PairsOf(company, left.Number, new(left), Trust.Verified), PairsOf(company, right.Number, new(right), Trust.Verified));
        var (ofLeft, ofRight) = (askedLeft.Value, askedRight.Value);
        var (inLeft, inRight) = (ofLeft.Exists(pair => pair.Other(left.Number).Number == right.Number), ofRight.Exists(pair => pair.Other(right.Number).Number == left.Number));
        var isOneTooMany = (!inLeft && (!inRight || ofRight.Count < Joins.MaxPairs)) || (!inRight && ofLeft.Count < Joins.MaxPairs);
        return isOneTooMany ? (inLeft ? right : left).Number : null;
    }

    /// <summary>Whether an identifier hangs together with any other.</summary>
    public bool HangsTogether(Company company, long identifier)
    {
        using var row = database.Use("""
            SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND standing = 1)
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND high = ?2 AND standing = 1)
                OR EXISTS (SELECT 1 FROM identifier WHERE company = ?1 AND person = ?2 AND id <> ?2)
            """);
        row.With(company.Number).With(identifier).Next();
        return row.Long(0) == 1;
    }

    /// <summary>
    /// The pairs that may join identifiers to others. Of the claimed ones of an identifier that is its first, where it is the other's first too: no other is followed,
    /// or browsers could lay chains of them for every message to walk.
    /// </summary>
    public List<IdentifierPair> CandidatesOf(Company company, IReadOnlyCollection<(long Number, Lazy<Leaf> Leaf)> identifiers)
    {
        var verified = identifiers.Select(identifier => PairsOf(company, identifier.Number, identifier.Leaf, Trust.Verified)).ToList();
        var claimed = identifiers.Select(identifier => (identifier.Number, Pairs: PairsOf(company, identifier.Number, identifier.Leaf, Trust.Claimed))).ToList();
        var others = claimed.SelectMany(one => one.Pairs.Value, (one, pair) => (Pair: pair, OfOther: PairsOf(company, pair.Other(one.Number).Number, new(pair.Other(one.Number)), Trust.Claimed))).ToList();
        return [.. verified.SelectMany(pairs => pairs.Value), .. others.Where(one => one.OfOther.Value[0] == one.Pair).Select(one => one.Pair)];
    }

    /// <summary>Asks for the earliest pairs of an identifier: those that may join it. Of the claimed ones only the very first may, whichever session it follows from.</summary>
    private Lazy<List<IdentifierPair>> PairsOf(Company company, long identifier, Lazy<Leaf> leaf, Trust trust)
    {
        var most = trust is Trust.Verified ? Joins.MaxPairs : 1;
        return database.Use("""
            SELECT p.other, p.at_ms, p.event_id, i.leaf, i.kind FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id FROM pair WHERE company = ?1 AND low = ?2 AND trust = ?3 AND standing = 1 ORDER BY at_ms, event_id LIMIT ?4) AS above
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id FROM pair WHERE company = ?1 AND high = ?2 AND trust = ?3 AND standing = 1 ORDER BY at_ms, event_id LIMIT ?4) AS below) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1
            """).With(company.Number).With(identifier).With((long)trust).With(most + Ties).Ask(rows =>
            {
                var pairs = new List<IdentifierPair>();
                while (rows.Next())
                {
                    var (low, high) = InOrder(leaf.Value, new(rows.Long(0), ProfileId.FromBytes(rows.Bytes(3)), (IdentifierKind)rows.Long(4)));
                    pairs.Add(new(low, high, trust, rows.Long(1), rows.Text(2)));
                }

                pairs.Sort();
                return pairs.Count > most ? pairs[..most] : pairs;
            });
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
