using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

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
    public Person Of(Company company, long identifier) => Defer(company, identifier).Value;

    /// <summary>Asks for the person that holds an identifier now.</summary>
    public Lazy<Person> Defer(Company company, long identifier) =>
        database.Use("""
            SELECT id, kind, value, first_named_ms, leaf FROM identifier
            WHERE company = ?1 AND person = (SELECT person FROM identifier WHERE company = ?1 AND id = ?2)
            """).With(company.Number).With(identifier).Defer(rows => Read(company, rows));

    /// <summary>Persons of a company, the last that came first.</summary>
    /// <param name="before">The number of the last one of the page before.</param>
    public List<(Person Person, long Number)> List(Company company, long? before, int limit)
    {
        var numbers = new List<long>();
        using (var rows = database.Use("""
            SELECT id FROM identifier i INDEXED BY identifier_by_person
            WHERE company = ?1 AND person < ?2 AND id = person AND EXISTS (
              SELECT 1 FROM identifier j WHERE j.company = ?1 AND j.person = i.id AND j.first_named_ms IS NOT NULL)
            ORDER BY person DESC LIMIT ?3
            """))
        {
            rows.With(company.Number).With(before ?? long.MaxValue).With(limit);
            while (rows.Next()) numbers.Add(rows.Long(0));
        }

        return [.. numbers.Select(number => (Read(company, number), number))];
    }

    /// <summary>Persons by when they were created: the earliest message that named any of their identifiers.</summary>
    /// <param name="after">Where the page before ended; null for the beginning.</param>
    /// <param name="ascending">The oldest first.</param>
    public List<(Person Person, PersonPlace Place)> ByCreation(Company company, PersonPlace? after, bool ascending, int limit)
    {
        var places = new List<PersonPlace>();
        var from = after ?? (ascending ? new(long.MinValue, long.MinValue) : new(long.MaxValue, long.MaxValue));
        // A person stands where the first of its identifiers does.
        using (var rows = database.Use(ascending
            ? """
              SELECT first_named_ms, id FROM identifier i INDEXED BY identifier_by_created
              WHERE company = ?1 AND first_named_ms IS NOT NULL AND (first_named_ms, id) > (?2, ?3) AND NOT EXISTS (
                SELECT 1 FROM identifier j WHERE j.company = ?1 AND j.person = i.person AND j.first_named_ms IS NOT NULL AND (j.first_named_ms, j.id) < (i.first_named_ms, i.id))
              ORDER BY first_named_ms, id LIMIT ?4
              """
            : """
              SELECT first_named_ms, id FROM identifier i INDEXED BY identifier_by_created
              WHERE company = ?1 AND first_named_ms IS NOT NULL AND (first_named_ms, id) < (?2, ?3) AND NOT EXISTS (
                SELECT 1 FROM identifier j WHERE j.company = ?1 AND j.person = i.person AND j.first_named_ms IS NOT NULL AND (j.first_named_ms, j.id) < (i.first_named_ms, i.id))
              ORDER BY first_named_ms DESC, id DESC LIMIT ?4
              """))
        {
            rows.With(company.Number).With(from.CreatedAt).With(from.Number).With(limit);
            while (rows.Next()) places.Add(new(rows.Long(0), rows.Long(1)));
        }

        return [.. places.Select(place => (Of(company, place.Number), place))];
    }

    /// <summary>How many persons a company has, counted no further than <paramref name="most"/>.</summary>
    public long Count(Company company, int most)
    {
        using var count = database.Use("""
            SELECT COUNT(DISTINCT person) FROM (
              SELECT person FROM identifier INDEXED BY identifier_by_person WHERE company = ? AND first_named_ms IS NOT NULL ORDER BY person LIMIT ?) AS named
            """);
        count.With(company.Number).With(most).Next();
        return count.Long(0);
    }

    /// <inheritdoc cref="Traits(Person, out Identifier)"/>
    public SortedDictionary<string, (string Json, Trust Trust)> Traits(Person person) => Traits(person, out _);

    /// <summary>Traits by name; each is JSON as it was sent, with what stands behind it. Of several identifiers' the verified wins, then the later (B15).</summary>
    /// <param name="namedBy">The identifier of which the name was said; null where the person has none.</param>
    public SortedDictionary<string, (string Json, Trust Trust)> Traits(Person person, out Identifier? namedBy)
    {
        namedBy = null;
        var traits = new SortedDictionary<string, (string Value, TraitPlace Place)>(StringComparer.Ordinal);
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("SELECT name, value, trust, at_ms, event_id FROM trait WHERE company = ? AND identifier = ? ORDER BY name = 'name' DESC, trust DESC, name LIMIT ?");
            rows.With(person.Company.Number).With(identifier.Number).With(MaxTraits);
            while (rows.Next())
            {
                var (name, value, place) = (rows.Text(0), rows.Text(1), new TraitPlace((Trust)rows.Long(2), new(rows.Long(3), rows.Text(4))));
                if (traits.TryGetValue(name, out var known) && place <= known.Place) continue;
                traits[name] = (value, place);
                if (name == "name") namedBy = value == "null" ? null : identifier.Identifier;
            }
        }

        return new(traits.Where(trait => trait.Value.Value != "null").ToDictionary(trait => trait.Key, trait => (trait.Value.Value, trait.Value.Place.Trust)), StringComparer.Ordinal);
    }

    /// <summary>The trait <c>name</c>, where it is a text.</summary>
    public string? NameOf(Person person) =>
        Traits(person).TryGetValue("name", out var said) && JsonElement.Parse(said.Json) is { ValueKind: JsonValueKind.String } name && name.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>Whether a back end has named the identifier that stands for the person, so that it is not only what a browser claims.</summary>
    public bool IsVerified(Person person) => Contradictions.IsVerified(database, person.Company, person.Identifiers[0].Number);

    /// <summary>Whether a back end has named any of the person's identifiers.</summary>
    public bool IsKnown(Person person) => person.Identifiers.Any(identifier => Contradictions.IsVerified(database, person.Company, identifier.Number));

    /// <summary>The person's <c>user_registered</c>; null where <see cref="Registrations"/> derives none (B3).</summary>
    public Registration? RegistrationOf(Person person)
    {
        var earliest = Registrations.Of(
            person.Company.Settings,
            person.Identifiers.Select(identifier => HasSentRegistration(person.Company, identifier.Number)),
            person.Identifiers.Select(identifier => FirstIdentifyOf(person.Company, identifier.Number)).OfType<FirstIdentify>());
        return earliest is null ? null : new(person.Id, earliest.Identifier, earliest.Session, earliest.Place.UnixMilliseconds, earliest.ReceivedAt, earliest.Claim, earliest.Trust);
    }

    private FirstIdentify? FirstIdentifyOf(Company company, long identifier)
    {
        using var row = database.Use($"""
            SELECT c.session, c.at_ms, c.event_id, m.received_ms, c.id, c.trust FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message
            WHERE c.company = ? AND c.identifier = ? AND c.method = {ClaimTable.Identify} AND c.standing = {ClaimTable.Stands} ORDER BY c.at_ms, c.event_id LIMIT 1
            """);
        return row.With(company.Number).With(identifier).Next() ? new(identifier, row.Long(0), new(row.Long(1), row.Text(2)), row.Long(3), row.Long(4), (Trust)row.Long(5)) : null;
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
