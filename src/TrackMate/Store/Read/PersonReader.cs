using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Write;

namespace TrackMate.Store.Read;

/// <summary>Reads persons: who they are, what is known of them, and when they first said so.</summary>
internal sealed class PersonReader(Database database)
{
    /// <summary>Traits shown of one identifier; browsers may claim any number of names.</summary>
    private const int MaxTraits = 256;

    /// <summary>The person that an id leads to; null where no e-mail or externalId of theirs has turned up.</summary>
    public Person? Find(Company company, ProfileId id) => FindEvenUnnamed(company, id) is { } person && person.Identifiers[0].FirstNamed is not null ? person : null;

    /// <summary>The same, and also what events have been sent to by an id that no e-mail or externalId leads to yet (B4).</summary>
    public Person? FindEvenUnnamed(Company company, ProfileId id)
    {
        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        id.CopyTo(leaf);
        using var row = database.Use("SELECT person FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(leaf).Next() ? Read(company, row.Long(0)) : null;
    }

    /// <summary>The person that holds an identifier now.</summary>
    public Person Of(Company company, long identifier) => Ask(company, identifier).Value;

    /// <summary>Asks for the person that holds an identifier now.</summary>
    public Lazy<Person> Ask(Company company, long identifier) =>
        database.Use("""
            SELECT id, kind, value, first_named_ms, leaf FROM identifier
            WHERE company = ?1 AND person = (SELECT person FROM identifier WHERE company = ?1 AND id = ?2)
            """).With(company.Number).With(identifier).Ask(rows => Read(company, rows));

    /// <summary>Persons of a company, the newest first.</summary>
    /// <param name="search">A part of an e-mail, externalId or name; null for all.</param>
    /// <param name="before">The number of the last one of the page before.</param>
    public List<(Person Person, long Number)> List(Company company, string? search, long? before, int limit)
    {
        var numbers = new List<long>();
        using (var rows = database.Use("""
            SELECT id FROM identifier i
            WHERE company = ?1 AND id < ?2 AND id = person AND EXISTS (
              SELECT 1 FROM identifier j WHERE j.company = ?1 AND j.person = i.id AND j.first_named_ms IS NOT NULL AND (?3 IS NULL OR j.search LIKE ?3 ESCAPE '\'))
            ORDER BY id DESC LIMIT ?4
            """))
        {
            var pattern = search is null ? null : "%" + search.ToLowerInvariant().Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_") + "%";
            rows.With(company.Number).With(before ?? long.MaxValue).With(pattern).With(limit);
            while (rows.Next()) numbers.Add(rows.Long(0));
        }

        return [.. numbers.Select(number => (Read(company, number), number))];
    }

    public long Count(Company company)
    {
        using var count = database.Use("SELECT COUNT(DISTINCT person) FROM identifier WHERE company = ? AND first_named_ms IS NOT NULL");
        count.With(company.Number).Next();
        return count.Long(0);
    }

    /// <summary>Traits by name; each is JSON as it was sent, with what stands behind it. Of several identifiers' the verified wins, then the later (B15).</summary>
    public SortedDictionary<string, (string Json, Trust Trust)> Traits(Person person)
    {
        var traits = new SortedDictionary<string, (string Value, long Trust, long At, string EventId)>(StringComparer.Ordinal);
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("SELECT name, value, trust, at_ms, event_id FROM trait WHERE company = ? AND identifier = ? ORDER BY name = 'name' DESC, trust DESC, name LIMIT ?");
            rows.With(person.Company.Number).With(identifier.Number).With(MaxTraits);
            while (rows.Next())
            {
                var said = (Value: rows.Text(1), Trust: rows.Long(2), At: rows.Long(3), EventId: rows.Text(4));
                if (!traits.TryGetValue(rows.Text(0), out var known) || IsStronger(said, known)) traits[rows.Text(0)] = said;
            }
        }

        return new(traits.Where(trait => trait.Value.Value != "null").ToDictionary(trait => trait.Key, trait => (trait.Value.Value, (Trust)trait.Value.Trust)), StringComparer.Ordinal);
    }

    /// <summary>The trait <c>name</c>, where it is a text.</summary>
    public string? NameOf(Person person) =>
        Traits(person).TryGetValue("name", out var said) && JsonElement.Parse(said.Json) is { ValueKind: JsonValueKind.String } name && name.GetString() is { Length: > 0 } text ? text : null;

    private static bool IsStronger((string Value, long Trust, long At, string EventId) said, (string Value, long Trust, long At, string EventId) known) =>
        (said.Trust, said.At).CompareTo((known.Trust, known.At)) is var order && (order > 0 || (order == 0 && EventIds.Compare(said.EventId, known.EventId) > 0));

    /// <summary>Whether a back end has named the identifier that stands for the person, so that it is not only what a browser claims.</summary>
    public bool IsVerified(Person person) => Contradictions.IsVerified(database, person.Company, person.Identifiers[0].Number);

    /// <summary>Whether a back end has named any of the person's identifiers.</summary>
    public bool IsKnown(Person person) => person.Identifiers.Any(identifier => Contradictions.IsVerified(database, person.Company, identifier.Number));

    /// <summary>The person's <c>user_registered</c>, unless one was sent or the company does not want it (B3).</summary>
    public Registration? RegistrationOf(Person person)
    {
        if (!person.Company.Settings.UserRegistered || person.Identifiers.Any(identifier => HasSentRegistration(person.Company, identifier.Number))) return null;
        (Registration Registration, string EventId)? earliest = null;
        foreach (var identifier in person.Identifiers)
        {
            using var row = database.Use("""
                SELECT c.session, c.at_ms, c.id, c.trust, c.event_id, m.received_ms FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
                WHERE c.company = ? AND c.identifier = ? AND c.method = 1 AND c.standing = 1 ORDER BY c.at_ms, c.event_id LIMIT 1
                """);
            if (!row.With(person.Company.Number).With(identifier.Number).Next()) continue;
            var found = (Registration: new Registration(person.Id, identifier.Number, row.Long(0), row.Long(1), row.Long(5), row.Long(2), (Trust)row.Long(3)), EventId: row.Text(4));
            if (earliest is null || TimelineReader.Compare((found.Registration.Order, found.EventId), (earliest.Value.Registration.Order, earliest.Value.EventId)) < 0) earliest = found;
        }

        return earliest?.Registration;
    }

    private bool HasSentRegistration(Company company, long identifier)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND type = 'user_registered')
                OR EXISTS (SELECT 1 FROM span s JOIN message m
                   ON m.company = s.company AND m.session = s.session AND m.session IS NOT NULL AND m.type = 'user_registered'
                   WHERE s.company = ?1 AND s.identifier = ?2 AND (m.at >> 11) >= s.from_ms AND (m.at >> 11) < s.to_ms)
            """);
        found.With(company.Number).With(identifier).Next();
        return found.Long(0) == 1;
    }

    private Person Read(Company company, long person)
    {
        using var rows = database.Use("SELECT id, kind, value, first_named_ms, leaf FROM identifier WHERE company = ? AND person = ?");
        return Read(company, rows.With(company.Number).With(person));
    }

    private static Person Read(Company company, Statement rows)
    {
        var identifiers = new List<KnownIdentifier>();
        while (rows.Next())
            identifiers.Add(new(rows.Long(0), new((IdentifierKind)rows.Long(1), rows.Text(2), ProfileId.FromBytes(rows.Bytes(4))), rows.LongOrNull(3)));
        if (identifiers.Count == 0) throw new InvalidOperationException("An identifier that is referred to has no row.");

        // The e-mail first named earliest stands for the person, else the externalId, else a bare id (B9); which was stored first does not show.
        var inOrder = identifiers.OrderBy(identifier => identifier.Identifier.Kind).ThenBy(identifier => identifier.FirstNamed).ThenBy(identifier => identifier.Identifier.Id).ToList();
        return new(company, inOrder[0].Identifier.Id, inOrder);
    }
}
