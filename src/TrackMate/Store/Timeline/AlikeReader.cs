using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Timeline;

/// <summary>Two identifiers of different persons that are alike.</summary>
internal readonly record struct AlikePair(LikenessKind Kind, long One, long Other);

/// <param name="Next">The number to go on before; null where all were looked at.</param>
internal sealed record AlikePage(List<AlikePair> Pairs, long? Next);

/// <summary>
/// Finds identifiers that are alike, the newest first, each with the oldest that is like it: by an index of those that came after another one, and one by one among
/// the few that are not indexed yet.
/// </summary>
internal sealed class AlikeReader(Database database)
{
    /// <summary>Rows looked at for one page; most are duplicates that nobody has merged.</summary>
    private const int MostLookedAt = 1000;

    /// <summary>Of those that are like one, so many are looked at: the oldest may be the same person already.</summary>
    private const int MostOfEach = 5;

    private readonly SearchIndex index = new(database);

    public AlikePage Page(Company company, long? before, int limit)
    {
        var pairs = before is null ? NotIndexed(company) : [];
        var (looked, last) = (0, before ?? long.MaxValue);
        var rows = new List<(long Identifier, long Hash, LikenessKind Kind)>();
        using (var found = database.Use("SELECT identifier, hash, kind FROM alike INDEXED BY alike_again WHERE company = ? AND identifier < ? AND again = 1 ORDER BY identifier DESC, kind LIMIT ?"))
        {
            found.With(company.Number).With(last).With(MostLookedAt);
            while (found.Next()) rows.Add((found.Long(0), found.Long(1), (LikenessKind)found.Long(2)));
        }

        foreach (var (identifier, hash, kind) in rows)
        {
            // All of one identifier's stand on one page, since the next begins behind it.
            if (pairs.Count >= limit && identifier != last) return new(pairs, last);
            if (OldestLike(company, identifier, hash) is { } other) pairs.Add(new(kind, identifier, other));
            (last, looked) = (identifier, looked + 1);
        }

        return new(pairs, looked == MostLookedAt ? last : null);
    }

    private List<AlikePair> NotIndexed(Company company)
    {
        var pairs = new List<AlikePair>();
        var first = new Dictionary<long, long>();
        var persons = new Dictionary<long, long?>();
        var waiting = index.Waiting(company);
        // The oldest first, so that each is compared with those before it.
        foreach (var (identifier, likeness) in waiting)
        {
            var hash = SearchIndex.HashOf(company, likeness);
            var other = OldestLike(company, identifier, hash) ?? (first.TryGetValue(hash, out var known) && PersonOf(known) != PersonOf(identifier) ? known : null);
            if (other is { } found) pairs.Add(new(likeness.Kind, identifier, found));
            first.TryAdd(hash, identifier);
        }

        // In a stable order: of one identifier the most telling stays first.
        return [.. pairs.OrderByDescending(pair => pair.One)];

        long? PersonOf(long identifier)
        {
            if (persons.TryGetValue(identifier, out var person)) return person;
            using var row = database.Use("SELECT person FROM identifier WHERE id = ? AND company = ?");
            return persons[identifier] = row.With(identifier).With(company.Number).Next() ? row.Long(0) : null;
        }
    }

    private long? OldestLike(Company company, long identifier, long hash)
    {
        using var row = database.Use("""
            SELECT known.identifier FROM (SELECT identifier FROM alike WHERE company = ?1 AND hash = ?2 AND identifier <> ?3 ORDER BY identifier LIMIT ?4) AS known
            JOIN identifier i ON i.company = ?1 AND i.id = known.identifier
            WHERE i.first_named_ms IS NOT NULL AND i.person <> (SELECT person FROM identifier WHERE company = ?1 AND id = ?3) ORDER BY known.identifier LIMIT 1
            """);
        return row.With(company.Number).With(hash).With(identifier).With(MostOfEach).Next() ? row.Long(0) : null;
    }
}
