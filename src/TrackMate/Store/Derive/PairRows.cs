using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>Pairs of identifiers as they were said to be one person, each at its earliest, and which of them may join (B13).</summary>
internal sealed partial class PairRows(Database database)
{
    /// <summary>What a verified pair has until it is decided.</summary>
    private const JoinStop Undecided = JoinStop.TooManyJoins;

    private readonly StandingActs acts = new(database);

    /// <param name="KeptApart">Why an operator keeps the two apart.</param>
    /// <param name="Said">When they were first said to be one person, as far as is known.</param>
    internal readonly record struct PriorState(Lazy<JoinStop?> KeptApart, Lazy<MessagePlace?> Said);

    /// <summary>Asks for what is to be known before a pair is noted.</summary>
    /// <inheritdoc cref="Say(Company, IdentifierNode, IdentifierNode, Trust, MessagePlace, PriorState, long)"/>
    public PriorState Defer(Company company, IdentifierNode left, IdentifierNode right, Trust trust, long unixMilliseconds, long session = 0)
    {
        var (low, high) = InOrder(left, right);
        return new(
            acts.KeptApart(company, low.Number, high.Number, trust, unixMilliseconds),
            database.Use("SELECT at_ms, event_id FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ?")
                .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).Defer(row => row.Next() ? new MessagePlace(row.Long(0), row.Text(1)) : (MessagePlace?)null));
    }

    /// <summary>Notes that two identifiers were said to be one person.</summary>
    /// <param name="session">Of a claim that follows from a session's identifies: that session; else 0.</param>
    /// <returns>Whether it is news that may join: the pair, or an earlier time of it.</returns>
    public bool Say(Company company, IdentifierNode left, IdentifierNode right, Trust trust, MessagePlace place, PriorState prior, long session = 0)
    {
        var (low, high) = InOrder(left, right);
        var keptApart = prior.KeptApart.Value;
        // Written whoever was first: a stranger's must not take less where the two are known to be one person.
        database.Use("""
            INSERT INTO pair (company, low, high, trust, session, at_ms, event_id, stop, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, low, high, trust, session) DO UPDATE SET at_ms = excluded.at_ms, event_id = excluded.event_id, stop = excluded.stop, standing = excluded.standing
            WHERE (excluded.at_ms, excluded.event_id) < (pair.at_ms, pair.event_id)
            """)
            .With(company.Number).With(low.Number).With(high.Number).With((long)trust).With(session).With(place.UnixMilliseconds).With(place.EventId)
            .With((long?)(keptApart ?? (trust is Trust.Verified ? Undecided : null))).With(keptApart is null ? 1 : 0).Run();
        return keptApart is null && (prior.Said.Value is not { } said || place < said);
    }

    private static (IdentifierNode Low, IdentifierNode High) InOrder(IdentifierNode left, IdentifierNode right) => CandidatePairs.InOrder(left, right);

    /// <summary>Says anew which pairs of an identifier an operator keeps apart.</summary>
    /// <returns>The identifiers on the other side of those that changed: what comes after such a pair may join them now.</returns>
    public List<long> Recompute(Company company, long identifier)
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
    public void Recompute(Company company, long one, long other)
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
        using var found = database.Use($"""
            SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND high = ?3 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin})
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?3 AND high = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin})
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
            ? $"UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing = {PairTable.KeptApart}"
            : $"UPDATE pair SET stop = ?, standing = ? WHERE company = ? AND low = ? AND high = ? AND trust = ? AND session = ? AND standing <> {PairTable.KeptApart}");
        return change.With((long?)(stop ?? undecided)).With(stop is null ? stands : 0).With(company.Number).With(pair.Low).With(pair.High).With(pair.Trust).With(pair.Session).RunCounted() > 0;
    }

    /// <summary>Why a verified pair does not join; null where it does.</summary>
    public Lazy<JoinStop?> StopOf(Company company, IdentifierNode left, IdentifierNode right)
    {
        var (low, high) = InOrder(left, right);
        return database.Use($"SELECT stop FROM pair WHERE company = ? AND low = ? AND high = ? AND trust = {PairTable.Verified} AND session = 0")
            .With(company.Number).With(low.Number).With(high.Number).Defer(row => row.Next() ? (JoinStop?)row.LongOrNull(0) : null);
    }

    public Lazy<IdentifierNode> LeafOf(Company company, long identifier) =>
        database.Use("SELECT leaf, kind FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Defer(row =>
        {
            row.Next();
            return new IdentifierNode(identifier, ProfileId.FromBytes(row.Bytes(0)), (IdentifierKind)row.Long(1));
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
                    Say(company, first, second, (Trust)rows.Long(3), new(rows.Long(4), rows.Text(5)), Defer(company, first, second, (Trust)rows.Long(3), rows.Long(4)));
                    named.UnionWith([first.Number, other]);
                }
            }
        }

        foreach (var session in claims.SessionsWithClaims(company)) named.UnionWith(SayFromSession(company, session, claims.ClaimsOn(company, session)));
        return named;
    }
}
