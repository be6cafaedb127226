using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>Notices that browsers claim something of a customer whom verified messages know, and that something else that was said contradicts it (B13).</summary>
internal sealed class Contradictions(Database database)
{
    /// <summary>What an alarm says of a contradiction, where others say how many identifiers have piled up.</summary>
    public const long Mark = 0;

    /// <summary>Whether a verified message names an identifier that is still stored: of a row of <c>identifier</c>; ?1 is the company.</summary>
    public const string IsNamedByVerified = $"""
        EXISTS (SELECT 1 FROM message m WHERE m.company = ?1 AND m.identifier = identifier.id AND m.identifier IS NOT NULL)
        OR EXISTS (SELECT 1 FROM claim c WHERE c.company = ?1 AND c.identifier = identifier.id AND c.session IS NOT NULL AND c.trust = {ClaimTable.Verified})
        OR EXISTS (SELECT 1 FROM claim c WHERE c.company = ?1 AND c.identifier = identifier.id AND c.session IS NULL AND c.trust = {ClaimTable.Verified})
        OR EXISTS (SELECT 1 FROM claim c WHERE c.company = ?1 AND c.second = identifier.id AND c.second IS NOT NULL AND c.trust = {ClaimTable.Verified})
        OR EXISTS (SELECT 1 FROM claim c WHERE c.company = ?1 AND c.third = identifier.id AND c.third IS NOT NULL AND c.trust = {ClaimTable.Verified})
        """;

    /// <summary>Raises an alarm on those of two identifiers that verified messages know, where browsers' claim that they are one person is contradicted.</summary>
    /// <returns>Whether it is.</returns>
    public bool Raise(Company company, long one, long other, long receivedAt)
    {
        if (AreOnePerson(company, one, other) || !(IsSaidOtherwise(company, one, other) || IsSaidOtherwise(company, other, one))) return false;
        var isKnown = false;
        foreach (var known in new[] { one, other }.Where(identifier => IsVerified(database, company, identifier)))
        {
            isKnown = true;
            database.Use("""
                INSERT INTO alarm (company, identifier, at_ms, identifiers) VALUES (?, ?, ?, ?) ON CONFLICT (company, identifier) DO UPDATE SET
                  at_ms = CASE WHEN excluded.at_ms > alarm.at_ms THEN excluded.at_ms ELSE alarm.at_ms END
                """).With(company.Number).With(known).With(receivedAt).With(Mark).Run();
        }

        return isKnown;
    }

    /// <summary>How many claims of browsers say that an identifier is one person with another, and it is not.</summary>
    public long CountOf(Company company, long identifier)
    {
        using var count = database.Use($"""
            SELECT (SELECT COUNT(*) FROM pair p JOIN identifier i ON i.company = p.company AND i.id = p.high JOIN identifier own ON own.company = p.company AND own.id = p.low
                WHERE p.company = ?1 AND p.low = ?2 AND p.trust = {PairTable.Claimed} AND p.standing = {PairTable.MayJoin} AND i.person <> own.person)
              + (SELECT COUNT(*) FROM pair p JOIN identifier i ON i.company = p.company AND i.id = p.low JOIN identifier own ON own.company = p.company AND own.id = p.high
                WHERE p.company = ?1 AND p.high = ?2 AND p.trust = {PairTable.Claimed} AND p.standing = {PairTable.MayJoin} AND i.person <> own.person)
            """);
        count.With(company.Number).With(identifier).Next();
        return count.Long(0);
    }

    /// <summary>Whether a back end, or a signed token, has named an identifier.</summary>
    public static bool IsVerified(Database database, Company company, long identifier)
    {
        using var found = database.Use("SELECT verified FROM identifier WHERE company = ? AND id = ?");
        return found.With(company.Number).With(identifier).Next() && found.Long(0) == 1;
    }

    private bool AreOnePerson(Company company, long one, long other)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM identifier i JOIN identifier j ON j.company = i.company AND j.person = i.person WHERE i.company = ?1 AND i.id = ?2 AND j.id = ?3)
            """);
        found.With(company.Number).With(one).With(other).Next();
        return found.Long(0) == 1;
    }

    private bool IsSaidOtherwise(Company company, long identifier, long besides)
    {
        using var found = database.Use($"""
            SELECT EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND low = ?2 AND standing = {PairTable.MayJoin} AND high <> ?3)
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND high = ?2 AND standing = {PairTable.MayJoin} AND low <> ?3)
            """);
        found.With(company.Number).With(identifier).With(besides).Next();
        return found.Long(0) == 1;
    }
}
