using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Two profiles that browsers said are one person, where their claims may not join them (<see cref="ClaimedJoins"/>): for an operator to decide.</summary>
/// <param name="One">The profile of the identifier with the smaller id.</param>
/// <param name="OneIdentifier">The identifier of it that the browsers named.</param>
/// <param name="Claims">The claims that say so, the earliest first; of many the first few.</param>
/// <param name="GivesTwoExternalIds">A merge of the two would give one person two externalIds: something verified says otherwise.</param>
internal sealed record ClaimSuggestion(Person One, Identifier OneIdentifier, Person Other, Identifier OtherIdentifier, IReadOnlyList<SuggestedBy> Claims, bool GivesTwoExternalIds);

/// <param name="At">Unix milliseconds.</param>
/// <param name="Origin">Whose message it is: a browser's identify, or the webhook of a back end that named an externalId and a session that a browser had identified.</param>
internal sealed record SuggestedBy(long At, Origin Origin, string EventId, string? SessionId);

/// <summary>Lists what browsers claim and may not join. To accept one is to merge its two profiles (<c>ActWriter.Merge</c>): then it is listed no more; nor once the pair is revoked.</summary>
internal sealed class ClaimSuggestionReader(Database database)
{
    /// <summary>Claims that are looked at: the newest so many.</summary>
    public const int Looked = 20_000;

    private const int MostClaims = 5;

    private readonly PersonReader people = new(database);

    /// <summary>How many pairs of profiles there are among the newest claims.</summary>
    public int Count(Company company) => Pairs(company).Count;

    /// <summary>Some of them, the newest first.</summary>
    public List<ClaimSuggestion> Page(Company company, int skip, int take) => [.. Pairs(company).Skip(skip).Take(take).Select(pair => Of(company, pair.Low, pair.High))];

    private List<(long Low, long High)> Pairs(Company company)
    {
        var pairs = new List<(long, long)>();
        if (company.Settings.ClaimedJoins is ClaimedJoins.All) return pairs;
        var (known, persons) = (new HashSet<(long, long)>(), new HashSet<(long, long)>());
        using var rows = database.Use($"""
            SELECT p.low, p.high, a.person, b.person FROM (
              SELECT low, high, at_ms FROM pair WHERE company = ?1 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} ORDER BY at_ms DESC, low, high LIMIT ?2) p
            JOIN identifier a ON a.company = ?1 AND a.id = p.low JOIN identifier b ON b.company = ?1 AND b.id = p.high
            WHERE a.person <> b.person AND a.first_named_ms IS NOT NULL AND b.first_named_ms IS NOT NULL AND (?3 = 1 OR (a.verified = 1 AND b.verified = 1))
            ORDER BY p.at_ms DESC, p.low, p.high
            """);
        rows.With(company.Number).With(Looked).With(company.Settings.ClaimedJoins is ClaimedJoins.None ? 1 : 0);
        while (rows.Next())
        {
            // One for two profiles, however many of their identifiers were named together.
            var (one, other) = (Math.Min(rows.Long(2), rows.Long(3)), Math.Max(rows.Long(2), rows.Long(3)));
            if (persons.Add((one, other)) && known.Add((rows.Long(0), rows.Long(1)))) pairs.Add((rows.Long(0), rows.Long(1)));
        }

        return pairs;
    }

    private ClaimSuggestion Of(Company company, long low, long high)
    {
        var (one, other) = (people.Of(company, low), people.Of(company, high));
        var externals = one.Identifiers.Concat(other.Identifiers).Count(known => known.Identifier.Kind is IdentifierKind.External);
        return new(one, IdentifierOf(one, low), other, IdentifierOf(other, high), ClaimsOf(company, low, high), externals > 1);
    }

    private static Identifier IdentifierOf(Person person, long number) => person.Identifiers.First(known => known.Number == number).Identifier;

    private List<SuggestedBy> ClaimsOf(Company company, long low, long high)
    {
        var claims = new List<SuggestedBy>();
        using var rows = database.Use($"""
            SELECT p.at_ms, p.event_id, p.session, s.session_id FROM pair p
            LEFT JOIN session s ON s.company = ?1 AND s.id = CASE WHEN p.session > 0 THEN p.session ELSE (
              SELECT c.session FROM message m JOIN claim c ON c.company = ?1 AND c.message = m.id WHERE m.company = ?1 AND m.origin = {MessageTable.Browser} AND m.event_id = p.event_id AND c.session IS NOT NULL LIMIT 1) END
            WHERE p.company = ?1 AND p.low = ?2 AND p.high = ?3 AND p.trust = {PairTable.Claimed} AND p.standing = {PairTable.MayJoin} ORDER BY p.at_ms, p.event_id LIMIT ?4
            """);
        rows.With(company.Number).With(low).With(high).With(MostClaims);
        while (rows.Next()) claims.Add(new(rows.Long(0), rows.Long(2) == 0 ? Origin.Browser : Origin.Server, rows.Text(1), rows.TextOrNull(3)));
        return claims;
    }
}
