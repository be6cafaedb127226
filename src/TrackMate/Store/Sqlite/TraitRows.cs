using System.Text.Json;
using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>What identifies say of a person: kept for each session that said it, and for each identifier the one that counts (B15).</summary>
internal sealed class TraitRows(Database database)
{
    /// <param name="stands">Whether the claim that says it stands; what does not is kept for when it is lifted.</param>
    public void Say(Identify identify, long session, long identifier, bool stands)
    {
        foreach (var trait in identify.Traits)
        {
            database.Use("""
                INSERT INTO trait_said (company, identifier, session, name, value, trust, at_ms, event_id, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value, trust = excluded.trust, at_ms = excluded.at_ms, event_id = excluded.event_id, standing = excluded.standing
                WHERE (excluded.trust, excluded.at_ms, excluded.event_id) > (trust, at_ms, event_id)
                """)
                .With(identify.Company.Number).With(identifier).With(session).With(trait.Name).With(trait.Json)
                .With((long)identify.Trust).With(identify.Order.UnixMilliseconds).With(identify.EventId).With(stands ? 1 : 0).Run();
            if (!stands) continue;

            // The verified wins over the claimed, then the later over the earlier (B15), whatever came first. The row is written whoever wins, and the search as
            // well: a stranger's identify must not take less where a known person's trait stands against it.
            string inForce;
            using (var upsert = database.Use("""
                INSERT INTO trait (company, identifier, name, value, trust, at_ms, event_id) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET
                  value = CASE WHEN (excluded.trust, excluded.at_ms, excluded.event_id) > (trust, at_ms, event_id) THEN excluded.value ELSE value END,
                  event_id = CASE WHEN (excluded.trust, excluded.at_ms, excluded.event_id) > (trust, at_ms, event_id) THEN excluded.event_id ELSE event_id END,
                  at_ms = CASE WHEN (excluded.trust, excluded.at_ms) > (trust, at_ms) THEN excluded.at_ms ELSE at_ms END,
                  trust = MAX(excluded.trust, trust)
                RETURNING value
                """))
            {
                upsert.With(identify.Company.Number).With(identifier).With(trait.Name).With(trait.Json)
                    .With((long)identify.Trust).With(identify.Order.UnixMilliseconds).With(identify.EventId).Next();
                inForce = upsert.Text(0);
                upsert.Next();
            }

            if (trait.Name == "name") StoreSearch(identify.Company, identifier, inForce);
        }
    }

    /// <summary>What a session said of an identifier stands or falls with its claims.</summary>
    /// <param name="verified">Whether what was verified stands.</param>
    /// <param name="claimed">Whether what only the browser said stands.</param>
    public void Restand(Company company, long session, long identifier, bool verified, bool claimed)
    {
        var changed = new List<string>();
        using (var rows = database.Use("SELECT name FROM trait_said WHERE company = ?1 AND identifier = ?2 AND session = ?3 AND standing <> CASE trust WHEN 1 THEN ?4 ELSE ?5 END"))
        {
            rows.With(company.Number).With(identifier).With(session).With(verified ? 1 : 0).With(claimed ? 1 : 0);
            while (rows.Next()) changed.Add(rows.Text(0));
        }

        if (changed.Count == 0) return;
        database.Use("UPDATE trait_said SET standing = CASE trust WHEN 1 THEN ?4 ELSE ?5 END WHERE company = ?1 AND identifier = ?2 AND session = ?3")
            .With(company.Number).With(identifier).With(session).With(verified ? 1 : 0).With(claimed ? 1 : 0).Run();
        foreach (var name in changed) Choose(company, identifier, name);
    }

    /// <summary>The strongest of what stands is the one that counts.</summary>
    private void Choose(Company company, long identifier, string name)
    {
        database.Use("DELETE FROM trait WHERE company = ? AND identifier = ? AND name = ?").With(company.Number).With(identifier).With(name).Run();
        database.Use("""
            INSERT INTO trait (company, identifier, name, value, trust, at_ms, event_id)
            SELECT company, identifier, name, value, trust, at_ms, event_id FROM trait_said
            WHERE company = ? AND identifier = ? AND name = ? AND standing = 1 ORDER BY trust DESC, at_ms DESC, event_id DESC LIMIT 1
            """).With(company.Number).With(identifier).With(name).Run();
        if (name != "name") return;
        using var row = database.Use("SELECT value FROM trait WHERE company = ? AND identifier = ? AND name = 'name'");
        StoreSearch(company, identifier, row.With(company.Number).With(identifier).Next() ? row.Text(0) : "null");
    }

    private void StoreSearch(Company company, long identifier, string json)
    {
        var name = JsonElement.Parse(json);
        string value;
        using (var row = database.Use("SELECT value FROM identifier WHERE id = ? AND company = ?"))
        {
            row.With(identifier).With(company.Number).Next();
            value = row.Text(0);
        }

        database.Use("UPDATE identifier SET search = ? WHERE id = ? AND company = ?")
            .With((name.ValueKind is JsonValueKind.String ? $"{value} {name.GetString()}" : value).ToLowerInvariant()).With(identifier).With(company.Number).Run();
    }
}
