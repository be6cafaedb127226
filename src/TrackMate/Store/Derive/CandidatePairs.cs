using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>A pair as it is stored.</summary>
/// <param name="Session">Of a claim that follows from a session's identifies: that session; else 0.</param>
/// <param name="Stop">Of a verified pair: why it does not join.</param>
/// <param name="IsOneTooMany">It stands, but beyond the pairs that are candidates of one of the two.</param>
/// <param name="OtherInLarge">Whether the one that was not asked for is in a large cluster, as far as is noted.</param>
internal sealed record StoredPair(IdentifierPair Pair, long Session, JoinStop? Stop, bool IsOneTooMany, bool OtherInLarge)
{
    public bool IsSameAs(StoredPair? other) => Pair == other?.Pair && Session == other.Session;
}

/// <summary>Which pairs of an identifier may join it: of each the earliest so many (<see cref="JoinLimits"/>).</summary>
internal sealed class CandidatePairs(Database database)
{
    /// <summary>Beyond the pairs that count, so many are read that those of one message, which only ids tell apart, are all there.</summary>
    private const int Ties = 8;

    /// <summary>Verified pairs of an identifier that are candidates of both its sides, the earliest first.</summary>
    /// <param name="most">So many at most.</param>
    public Lazy<List<StoredPair>> Of(Company company, long identifier, Lazy<IdentifierNode> leaf, int most) =>
        Defer($"""
            SELECT p.other, p.at_ms, p.event_id, 0, p.stop, p.standing, i.leaf, i.kind, i.in_large_cluster FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Verified} AND standing = {PairTable.MayJoin} ORDER BY at_ms, event_id LIMIT ?3) AS above
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Verified} AND standing = {PairTable.MayJoin} ORDER BY at_ms, event_id LIMIT ?3) AS below) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1
            """, company, identifier, leaf, Trust.Verified, most);

    /// <summary>Its earliest verified pairs, candidates or not, but for those that an operator keeps apart.</summary>
    public Lazy<List<StoredPair>> Earliest(Company company, long identifier, Lazy<IdentifierNode> leaf, int most) =>
        Defer($"""
            SELECT p.other, p.at_ms, p.event_id, 0, p.stop, p.standing, i.leaf, i.kind, i.in_large_cluster FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Verified} AND standing <> {PairTable.KeptApart} ORDER BY at_ms, event_id LIMIT ?3) AS above
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id, stop, standing FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Verified} AND standing <> {PairTable.KeptApart} ORDER BY at_ms, event_id LIMIT ?3) AS below) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1
            """, company, identifier, leaf, Trust.Verified, most);

    /// <summary>Its earliest claimed pairs, each for itself, whichever session it follows from.</summary>
    public Lazy<List<StoredPair>> Claimed(Company company, long identifier, Lazy<IdentifierNode> leaf, int most) =>
        Defer($"""
            SELECT p.other, p.at_ms, p.event_id, p.session, p.stop, p.standing, i.leaf, i.kind, i.in_large_cluster FROM (
              SELECT * FROM (SELECT high AS other, at_ms, event_id, session, stop, standing FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} ORDER BY at_ms, event_id LIMIT ?3) AS above
              UNION ALL
              SELECT * FROM (SELECT low AS other, at_ms, event_id, session, stop, standing FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} ORDER BY at_ms, event_id LIMIT ?3) AS below) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1
            """, company, identifier, leaf, Trust.Claimed, most);

    /// <summary>
    /// Says anew of identifiers which of their verified pairs are candidates: those within the earliest so many of both sides. So no walk ever meets the others, and
    /// the ten-thousandth customer of <c>noreply@</c> costs what the hundred-and-first did.
    /// </summary>
    /// <param name="crowded">Called with each that has more than are candidates.</param>
    /// <returns>The pairs that became candidates or are none any more, the lower number first.</returns>
    public Dictionary<(long Low, long High), bool> Settle(Company company, IEnumerable<long> identifiers, Action<long> crowded)
    {
        var most = company.Settings.JoinLimits.Pairs;
        var settled = new Dictionary<(long Low, long High), bool>();
        var asked = identifiers.Select(identifier => (Number: identifier, Earliest: Earliest(company, identifier, LeafOf(company, identifier), most + 1))).ToList();
        foreach (var (identifier, earliest) in asked)
        {
            var candidates = earliest.Value;
            if (candidates.Count > most)
            {
                crowded(identifier);
                candidates = candidates[..most];
                var kept = candidates.Select(candidate => candidate.Pair).ToHashSet();
                foreach (var one in Of(company, identifier, LeafOf(company, identifier), int.MaxValue / 2).Value.Where(one => !kept.Contains(one.Pair))) Set(one.Pair, isCandidate: false);
            }

            foreach (var one in candidates.Where(one => one.IsOneTooMany))
            {
                var other = one.Pair.Other(identifier);
                if (Earliest(company, other.Number, new(other), most).Value.Exists(ofOther => ofOther.Pair == one.Pair)) Set(one.Pair, isCandidate: true);
            }
        }

        return settled;

        void Set(IdentifierPair pair, bool isCandidate)
        {
            database.Use($"UPDATE pair SET standing = ?, stop = ? WHERE company = ? AND low = ? AND high = ? AND trust = {PairTable.Verified} AND session = 0")
                .With(isCandidate ? 1 : 2).With((long)JoinStop.TooManyJoins).With(company.Number).With(pair.Low.Number).With(pair.High.Number).Run();
            settled[(Math.Min(pair.Low.Number, pair.High.Number), Math.Max(pair.Low.Number, pair.High.Number))] = isCandidate;
        }
    }

    /// <summary>
    /// The claimed pair by which an identifier may join another: the earliest of it that is the earliest of the other too. No other is followed, or browsers could
    /// lay chains of them for every message to walk.
    /// </summary>
    public Lazy<IdentifierPair?> ClaimOf(Company company, IdentifierNode leaf)
    {
        if (company.Settings.ClaimedJoins is ClaimedJoins.None) return new((IdentifierPair?)null);
        var own = Claimed(company, leaf.Number, new(leaf), MostClaims(company));
        return new(() =>
        {
            if (FirstOf(company, leaf, own.Value) is not { } first) return null;
            var other = first.Pair.Other(leaf.Number);
            return first.IsSameAs(FirstOf(company, other, Claimed(company, other.Number, new(other), MostClaims(company)).Value)) ? first.Pair : null;
        }, LazyThreadSafetyMode.None);
    }

    /// <summary>Whose claims may be decided otherwise where those of some identifiers are: the other sides of the earliest ones, which may take another instead.</summary>
    public List<long> BesideClaims(Company company, IReadOnlyCollection<long> identifiers)
    {
        if (company.Settings.ClaimedJoins is not ClaimedJoins.New) return [];
        // One more than are candidates: an earlier one may have put the last of them out.
        var asked = identifiers.Select(identifier => (identifier, Pairs: Claimed(company, identifier, LeafOf(company, identifier), MostClaims(company) + 1))).ToList();
        return [.. asked.SelectMany(one => one.Pairs.Value, (one, claim) => claim.Pair.Other(one.identifier).Number)];
    }

    /// <summary>Where every claim may join, only the very first is looked at.</summary>
    private static int MostClaims(Company company) => company.Settings.ClaimedJoins is ClaimedJoins.New ? company.Settings.JoinLimits.Claims : 1;

    /// <param name="own">Its earliest claims.</param>
    private StoredPair? FirstOf(Company company, IdentifierNode leaf, List<StoredPair> own)
    {
        if (company.Settings.ClaimedJoins is ClaimedJoins.All) return own.FirstOrDefault();
        var isVerified = own.Count > 0 && IsVerified(company, leaf.Number).Value;
        foreach (var claim in own)
        {
            var other = claim.Pair.Other(leaf.Number);
            if (isVerified && IsVerified(company, other.Number).Value) continue;
            if (Claimed(company, other.Number, new(other), MostClaims(company)).Value.Exists(claim.IsSameAs)) return claim;
        }

        return null;
    }

    private Lazy<bool> IsVerified(Company company, long identifier) =>
        database.Use("SELECT verified FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).DeferFlag();

    public Lazy<IdentifierNode> LeafOf(Company company, long identifier) =>
        database.Use("SELECT leaf, kind FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Defer(row =>
        {
            row.Next();
            return new IdentifierNode(identifier, ProfileId.FromBytes(row.Bytes(0)), (IdentifierKind)row.Long(1));
        });

    private Lazy<List<StoredPair>> Defer(string sql, Company company, long identifier, Lazy<IdentifierNode> leaf, Trust trust, int most) =>
        database.Use(sql).With(company.Number).With(identifier).With(most + Ties).Defer(rows =>
        {
            var pairs = new List<StoredPair>();
            while (rows.Next())
            {
                var (low, high) = InOrder(leaf.Value, new(rows.Long(0), ProfileId.FromBytes(rows.Bytes(6)), (IdentifierKind)rows.Long(7)));
                pairs.Add(new(new(low, high, trust, rows.Long(1), rows.Text(2)), rows.Long(3), (JoinStop?)rows.LongOrNull(4), rows.Long(5) == 2, rows.Long(8) == 1));
            }

            pairs.Sort((left, right) => left.Pair.CompareTo(right.Pair) is not 0 and var byPair ? byPair : left.Session.CompareTo(right.Session));
            return pairs.Count > most ? pairs[..most] : pairs;
        });

    internal static (IdentifierNode Low, IdentifierNode High) InOrder(IdentifierNode left, IdentifierNode right) => left.Id.CompareTo(right.Id) < 0 ? (left, right) : (right, left);
}
