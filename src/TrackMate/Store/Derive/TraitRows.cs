using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>What identifies say of a person: kept for each session that said it, and for each identifier the one that counts (B15).</summary>
internal sealed class TraitRows(Database database)
{
    private static readonly HashSet<string> Compared = [.. Likeness.TraitNames];

    /// <summary>Names that were said in this transaction: what an identifier is searched by follows from the one in force.</summary>
    private readonly List<(long Company, long Identifier, Lazy<string> Value, Lazy<string> Name)> named = [];

    /// <summary>And traits by which it is compared with others, as they were and as they are.</summary>
    private readonly List<(long Company, long Identifier, Lazy<string?> Before, Lazy<string> After)> compared = [];

    /// <param name="stands">Whether the claim that says it stands; what does not is kept for when it is lifted.</param>
    public void Say(Identify identify, long session, long identifier, bool stands)
    {
        foreach (var trait in identify.Traits)
        {
            Say(identify.Company, identifier, session, trait, (long)identify.Trust, identify.Order.UnixMilliseconds, identify.EventId, stands);
            if (!stands) continue;

            // The order of TraitPlace (B15), whatever came first. The row is written whoever wins, and the search as
            // well: a stranger's identify must not take less where a known person's trait stands against it.
            var before = Compared.Contains(trait.Name) ? ValueOf(identify.Company, identifier, trait.Name) : null;
            var inForce = database.Use("""
                INSERT INTO trait (company, identifier, name, value, trust, at_ms, event_id) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (company, identifier, name) DO UPDATE SET
                  value = CASE WHEN (excluded.trust, excluded.at_ms, excluded.event_id) > (trait.trust, trait.at_ms, trait.event_id) THEN excluded.value ELSE trait.value END,
                  event_id = CASE WHEN (excluded.trust, excluded.at_ms, excluded.event_id) > (trait.trust, trait.at_ms, trait.event_id) THEN excluded.event_id ELSE trait.event_id END,
                  at_ms = CASE WHEN (excluded.trust, excluded.at_ms) > (trait.trust, trait.at_ms) THEN excluded.at_ms ELSE trait.at_ms END,
                  trust = CASE WHEN excluded.trust > trait.trust THEN excluded.trust ELSE trait.trust END
                RETURNING value
                """)
                .With(identify.Company.Number).With(identifier).With(trait.Name).With(trait.Json)
                .With((long)identify.Trust).With(identify.Order.UnixMilliseconds).With(identify.EventId).Defer(First);
            if (trait.Name == "name") named.Add((identify.Company.Number, identifier, ValueOf(identify.Company, identifier), inForce));
            if (before is not null) compared.Add((identify.Company.Number, identifier, before, inForce));
        }
    }

    /// <summary>Writes what follows from the names that were said; after all that they rest on.</summary>
    public void Finish()
    {
        foreach (var (company, identifier, value, name) in named) StoreSearch(company, identifier, value.Value, name.Value);
        foreach (var (company, identifier, before, after) in compared)
        {
            if (before.Value != after.Value) IndexAgain(company, identifier);
        }

        Clear();
    }

    public void Clear()
    {
        named.Clear();
        compared.Clear();
    }

    /// <summary>What a session said of an identifier stands or falls with its claims.</summary>
    /// <param name="verified">Whether what was verified stands.</param>
    /// <param name="claimed">Whether what only the browser said stands.</param>
    public void Recompute(Company company, long session, long identifier, bool verified, bool claimed)
    {
        // What was kept before each session's was kept apart does not say whose it is: the messages do.
        if (IsSaid(company, identifier, session: 0))
        {
            Forget(company, session, identifier);
            return;
        }

        var changed = new List<string>();
        using (var rows = database.Use($"SELECT name FROM trait_said WHERE company = ?1 AND identifier = ?2 AND session = ?3 AND standing <> CASE WHEN trust = {TraitSaidTable.Verified} THEN ?4 ELSE ?5 END"))
        {
            rows.With(company.Number).With(identifier).With(session).With(verified ? 1 : 0).With(claimed ? 1 : 0);
            while (rows.Next()) changed.Add(rows.Text(0));
        }

        if (changed.Count == 0) return;
        database.Use($"UPDATE trait_said SET standing = CASE WHEN trust = {TraitSaidTable.Verified} THEN ?4 ELSE ?5 END WHERE company = ?1 AND identifier = ?2 AND session = ?3")
            .With(company.Number).With(identifier).With(session).With(verified ? 1 : 0).With(claimed ? 1 : 0).Run();
        foreach (var name in changed) Choose(company, identifier, name);
    }

    /// <summary>Tells anew what a session said of an identifier, where some of it is not in the store any more.</summary>
    public void Forget(Company company, long session, long identifier)
    {
        // What was said before each session's was kept apart (session 0) may be of any of them.
        var all = IsSaid(company, identifier, session: 0);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var said in all ? [0, session] : new[] { session })
        {
            using var rows = database.Use("SELECT name FROM trait_said WHERE company = ? AND identifier = ? AND session = ?");
            rows.With(company.Number).With(identifier).With(said);
            while (rows.Next()) names.Add(rows.Text(0));
        }

        if (names.Count == 0) return;
        foreach (var said in all ? [0, session] : new[] { session })
            database.Use("DELETE FROM trait_said WHERE company = ? AND identifier = ? AND session = ?").With(company.Number).With(identifier).With(said).Run();
        foreach (var (inSession, trust, at, eventId, standing, data) in IdentifiesOf(company, identifier, all ? null : session))
        {
            foreach (var trait in SaidTraits.Of(data)) Say(company, identifier, inSession, trait, trust, at, eventId, standing != 0);
        }

        foreach (var name in names) Choose(company, identifier, name);
    }

    private bool IsSaid(Company company, long identifier, long session)
    {
        using var found = database.Use("SELECT EXISTS (SELECT 1 FROM trait_said WHERE company = ? AND identifier = ? AND session = ?)");
        found.With(company.Number).With(identifier).With(session).Next();
        return found.Long(0) == 1;
    }

    private List<(long Session, long Trust, long At, string EventId, long Standing, byte[] Said)> IdentifiesOf(Company company, long identifier, long? session)
    {
        var identifies = new List<(long, long, long, string, long, byte[])>();
        using var rows = database.Use(session is null
            ? $"SELECT c.session, c.trust, c.at_ms, c.event_id, c.standing, m.data FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message WHERE c.company = ?1 AND c.identifier = ?2 AND c.session IS NOT NULL AND c.method = {ClaimTable.Identify} AND ?3 IS NULL"
            : $"SELECT c.session, c.trust, c.at_ms, c.event_id, c.standing, m.data FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message WHERE c.company = ?1 AND c.identifier = ?2 AND c.session = ?3 AND c.session IS NOT NULL AND c.method = {ClaimTable.Identify}");
        rows.With(company.Number).With(identifier).With(session);
        while (rows.Next()) identifies.Add((rows.Long(0), rows.Long(1), rows.Long(2), rows.Text(3), rows.Long(4), rows.Bytes(5).ToArray()));
        return identifies;
    }

    private void Say(Company company, long identifier, long session, Trait trait, long trust, long at, string eventId, bool stands) =>
        database.Use("""
            INSERT INTO trait_said (company, identifier, session, name, value, trust, at_ms, event_id, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (company, identifier, session, name) DO UPDATE SET value = excluded.value, trust = excluded.trust, at_ms = excluded.at_ms, event_id = excluded.event_id, standing = excluded.standing
            WHERE (excluded.trust, excluded.at_ms, excluded.event_id) > (trait_said.trust, trait_said.at_ms, trait_said.event_id)
            """)
            .With(company.Number).With(identifier).With(session).With(trait.Name).With(trait.Json).With(trust).With(at).With(eventId).With(stands ? 1 : 0).Run();

    /// <summary>The strongest of what stands is the one that counts.</summary>
    private void Choose(Company company, long identifier, string name)
    {
        database.Use("DELETE FROM trait WHERE company = ? AND identifier = ? AND name = ?").With(company.Number).With(identifier).With(name).Run();
        database.Use($"""
            INSERT INTO trait (company, identifier, name, value, trust, at_ms, event_id)
            SELECT company, identifier, name, value, trust, at_ms, event_id FROM trait_said
            WHERE company = ? AND identifier = ? AND name = ? AND standing = {TraitSaidTable.Stands} ORDER BY trust DESC, at_ms DESC, event_id DESC LIMIT 1
            """).With(company.Number).With(identifier).With(name).Run();
        if (Compared.Contains(name)) IndexAgain(company.Number, identifier);
        if (name != "name") return;
        using var row = database.Use("SELECT value FROM trait WHERE company = ? AND identifier = ? AND name = 'name'");
        StoreSearch(company.Number, identifier, ValueOf(company, identifier).Value, row.With(company.Number).With(identifier).Next() ? row.Text(0) : "null");
    }

    private Lazy<string> ValueOf(Company company, long identifier) => database.Use("SELECT value FROM identifier WHERE id = ? AND company = ?").With(identifier).With(company.Number).Defer(First);

    private Lazy<string?> ValueOf(Company company, long identifier, string name) =>
        database.Use("SELECT value FROM trait WHERE company = ? AND identifier = ? AND name = ?").With(company.Number).With(identifier).With(name).Defer(row => row.Next() ? row.Text(0) : null);

    /// <summary>The text of the one row, read to its end: a statement that also writes is not done before.</summary>
    private static string First(Statement row)
    {
        row.Next();
        var text = row.Text(0);
        row.Next();
        return text;
    }

    private void StoreSearch(long company, long identifier, string value, string json) =>
        database.Use("UPDATE identifier SET indexed_as = CASE WHEN indexed_as IS NULL AND search <> ?1 THEN search ELSE indexed_as END, search = ?1 WHERE id = ?2 AND company = ?3")
            .With(SearchText.Of(value, SearchText.NameIn(json))).With(identifier).With(company).Run();

    /// <summary>What it is compared by may have changed; its text has not.</summary>
    private void IndexAgain(long company, long identifier) =>
        database.Use("UPDATE identifier SET indexed_as = COALESCE(indexed_as, search) WHERE id = ? AND company = ?").With(identifier).With(company).Run();
}
