using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>Updates an identifier after messages that named it were deleted. Its first naming moves to a later time, or only its id stays known, or it is deleted.</summary>
internal sealed class IdentifierEraser(Database database)
{
    /// <summary>Deletes the rows of an identifier that no message names any more, including the acts about it.</summary>
    private static readonly string[] OfIdentifier =
    [
        "DELETE FROM pair WHERE company = ?1 AND (low = ?2 OR high = ?2)",
        "DELETE FROM trait WHERE company = ? AND identifier = ?",
        "DELETE FROM trait_said WHERE company = ? AND identifier = ?",
        "DELETE FROM first_claim WHERE company = ? AND identifier = ?",
        "DELETE FROM first_claim_day WHERE company = ? AND identifier = ?",
        "DELETE FROM server_run WHERE company = ? AND identifier = ?",
        "DELETE FROM span WHERE company = ? AND identifier = ?",
        "DELETE FROM alarm WHERE company = ? AND identifier = ?",
        "DELETE FROM act WHERE company = ?1 AND (identifier = ?2 OR other = ?2)",
    ];

    private readonly PersonRows persons = new(database);
    private readonly SearchIndex search = new(database);

    /// <summary>Derives identifiers again from the messages that still name them, and deletes those that no message names.</summary>
    /// <param name="isLast">Whether identifiers that are hidden during the erasure are updated too, since all messages of the erasure are deleted now.</param>
    public void Rederive(Company company, HashSet<long> identifiers, bool isLast = false)
    {
        var dropped = new List<long>();
        foreach (var identifier in identifiers.ToList())
        {
            if (IsNamed(company, identifier))
            {
                // An identifier that is no longer known as an externalId may now join another one.
                if (RederiveFirstNamed(company, identifier, isLast)) identifiers.UnionWith(PairedWith(company, identifier));
                database.Use($"UPDATE identifier SET verified = CASE WHEN {Contradictions.IsNamedByVerified} THEN 1 ELSE 0 END WHERE company = ?1 AND id = ?2").With(company.Number).With(identifier).Run();
                continue;
            }

            dropped.Add(identifier);
            search.Remove(company, identifier);
            identifiers.UnionWith(PairedWith(company, identifier));
            foreach (var delete in OfIdentifier) database.Use(delete).With(company.Number).With(identifier).Run();
        }

        // The deleted messages may have kept other identifiers from joining.
        persons.RejoinEach(company, identifiers);
        // Deleted names must not stay in the index until its next regular update.
        search.Update(company, identifiers);
        foreach (var identifier in dropped) database.Use("DELETE FROM identifier WHERE company = ? AND id = ?").With(company.Number).With(identifier).Run();
    }

    private List<long> PairedWith(Company company, long identifier)
    {
        var others = new List<long>();
        using var rows = database.Use($"""
            SELECT high FROM pair WHERE company = ?1 AND low = ?2 UNION SELECT low FROM pair WHERE company = ?1 AND high = ?2
            UNION SELECT other FROM act WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Merge}
            UNION SELECT identifier FROM act WHERE company = ?1 AND other = ?2 AND other IS NOT NULL AND undone_ms IS NULL AND kind = {ActTable.Merge}
            """);
        rows.With(company.Number).With(identifier);
        while (rows.Next()) others.Add(rows.Long(0));
        return others;
    }

    private bool IsNamed(Company company, long identifier)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL)
                OR EXISTS (SELECT 1 FROM claim INDEXED BY claim_by_identifier WHERE company = ?1 AND identifier = ?2 AND session IS NOT NULL)
                OR EXISTS (SELECT 1 FROM claim WHERE company = ?1 AND identifier = ?2 AND session IS NULL)
                OR EXISTS (SELECT 1 FROM claim WHERE company = ?1 AND second = ?2 AND second IS NOT NULL)
                OR EXISTS (SELECT 1 FROM claim WHERE company = ?1 AND third = ?2 AND third IS NOT NULL)
            """);
        found.With(company.Number).With(identifier).Next();
        return found.Long(0) == 1;
    }

    /// <summary>Updates the time at which an identifier was first named. If only its id is left, it becomes a bare id, since nobody knows which identifier that is.</summary>
    /// <returns>Whether it has become a bare id.</returns>
    private bool RederiveFirstNamed(Company company, long identifier, bool isLast)
    {
        long? known, named;
        using (var row = database.Use("SELECT first_named_ms FROM identifier WHERE id = ? AND company = ?"))
        {
            if (!row.With(identifier).With(company.Number).Next() || ((known = row.LongOrNull(0)) is null && !isLast)) return false;
        }

        using (var row = database.Use($"""
            SELECT MIN(at) FROM (
              SELECT (SELECT at >> 11 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND named <> {MessageTable.NamedBare} ORDER BY at LIMIT 1) AS at
              UNION ALL SELECT (SELECT at_ms FROM claim INDEXED BY claim_by_identifier WHERE company = ?1 AND identifier = ?2 AND session IS NOT NULL AND named <> {ClaimTable.NamedBare} ORDER BY at_ms LIMIT 1)
              UNION ALL SELECT (SELECT MIN(at_ms) FROM claim WHERE company = ?1 AND identifier = ?2 AND session IS NULL AND named <> {ClaimTable.NamedBare})
              UNION ALL SELECT (SELECT MIN(c.at_ms) FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                WHERE c.company = ?1 AND c.second = ?2 AND c.second IS NOT NULL AND (m.named IS DISTINCT FROM {MessageTable.NamedBare} OR m.identifier IS DISTINCT FROM ?2 OR c.third IS NOT DISTINCT FROM ?2))
              UNION ALL SELECT (SELECT MIN(c.at_ms) FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                WHERE c.company = ?1 AND c.third = ?2 AND c.third IS NOT NULL AND (m.named IS DISTINCT FROM {MessageTable.NamedBare} OR m.identifier IS DISTINCT FROM ?2 OR c.second IS NOT DISTINCT FROM ?2))) AS named
            """))
        {
            row.With(company.Number).With(identifier).Next();
            named = row.LongOrNull(0);
        }

        if (named == known && !isLast) return false;
        if (named is null) MakeBare(company, identifier, persons.Pairs.LeafOf(company, identifier).Value.Id);
        else database.Use("UPDATE identifier SET first_named_ms = ? WHERE id = ? AND company = ?").With(named).With(identifier).With(company.Number).Run();
        return named is null;
    }

    /// <summary>Hides an identifier: without a time of first naming no list and no search finds its person. Its joins stay as they are.</summary>
    public void Hide(Company company, long identifier) =>
        database.Use("UPDATE identifier SET first_named_ms = NULL WHERE id = ? AND company = ?").With(identifier).With(company.Number).Run();

    /// <summary>Called after all messages of the erasure are deleted. An identifier that was named again meanwhile becomes visible again, with the new messages only.</summary>
    public void Settle(Company company, IEnumerable<ProfileId> leaves)
    {
        Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
        var left = new HashSet<long>();
        foreach (var leaf in leaves)
        {
            leaf.CopyTo(bytes);
            using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ?");
            if (row.With(company.Number).WithBlob(bytes).Next()) left.Add(row.Long(0));
        }

        Rederive(company, left, isLast: true);
    }

    /// <summary>Turns an identifier into a bare id.</summary>
    private void MakeBare(Company company, long identifier, ProfileId leaf)
    {
        search.Remove(company, identifier);
        database.Use($"UPDATE identifier SET kind = {IdentifierTable.Bare}, value = ?3, search = ?3, first_named_ms = NULL WHERE company = ?1 AND id = ?2")
            .With(company.Number).With(identifier).With(leaf.ToString()).Run();
    }
}
