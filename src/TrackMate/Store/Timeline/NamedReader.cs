using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Timeline;

/// <summary>Finds whom a text names as a whole: a profile's id, an e-mail, an external id, a session, an event, an order, a payment or a parcel. Each is one look into an index.</summary>
internal sealed class NamedReader(Database database)
{
    /// <summary>Events of one key that are looked at: an order has a few.</summary>
    private const int MostEvents = 20;

    private readonly SessionReader sessions = new(database);
    private readonly ArrivalReader arrivals = new(database);

    /// <summary>Persons by their number, each once.</summary>
    /// <param name="text">As it was typed, without blanks around it.</param>
    public List<long> Find(Company company, string text)
    {
        var found = new List<long>();
        // PostgreSQL has no such text, and nothing that is stored has it.
        if (text.Contains('\0', StringComparison.Ordinal)) return found;
        foreach (var identifier in Identifiers(company, text))
        {
            if (PersonOf(company, identifier) is { } person && !found.Contains(person)) found.Add(person);
        }

        return found;
    }

    private IEnumerable<long> Identifiers(Company company, string text)
    {
        if (ProfileId.TryParse(text, out var id) && ByLeaf(company, id) is { } profile) yield return profile;
        if (EmailAddress.TryNormalize(text, out var email) && ByLeaf(company, Identifier.Email(company, email).Id) is { } mailbox) yield return mailbox;
        if (ByLeaf(company, Identifier.External(company, text).Id) is { } external) yield return external;
        if (sessions.FindAnchor(company, text) is { } anchor && (anchor.Identifier ?? sessions.SpanAt(company, anchor.Session!.Value, anchor.Order)?.Identifier) is { } told) yield return told;
        if (sessions.Find(company, text) is { } session)
        {
            foreach (var span in Enumerable.Reverse(sessions.Spans(company, session)).Take(MostEvents)) yield return span.Identifier;
        }

        if (text.StartsWith("reg_", StringComparison.Ordinal) && ProfileId.TryParse(text[4..], out var registered) && ByLeaf(company, registered) is { } registration) yield return registration;
        foreach (var origin in new[] { Origin.Browser, Origin.Server })
        {
            if (arrivals.Stored(company, origin, text) is { } stored && (stored.Identifier ?? sessions.SpanAt(company, stored.Session!.Value, stored.Order)?.Identifier) is { } owner) yield return owner;
        }

        foreach (var identifier in ByKey(company, text)) yield return identifier;
    }

    private List<long> ByKey(Company company, string text)
    {
        var owners = new List<long>();
        if (Placeholders.IsPlaceholder(text, company.Settings) || EventKeys.Compared(text) is not { Length: > 0 } key) return owners;
        var events = new List<(long? Session, long? Identifier, EventOrder Order)>();
        using (var rows = database.Use("""
            SELECT m.session, m.identifier, m.at FROM event_key k JOIN message m ON m.company = k.company AND m.id = k.message
            WHERE k.company = ? AND k.value = ? ORDER BY k.message DESC LIMIT ?
            """))
        {
            rows.With(company.Number).With(key).With(MostEvents);
            while (rows.Next()) events.Add((rows.LongOrNull(0), rows.LongOrNull(1), new(rows.Long(2))));
        }

        foreach (var (session, identifier, order) in events)
        {
            if ((identifier ?? sessions.SpanAt(company, session!.Value, order)?.Identifier) is { } owner) owners.Add(owner);
        }

        return owners;
    }

    private long? ByLeaf(Company company, ProfileId id)
    {
        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        id.CopyTo(leaf);
        using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(leaf).Next() ? row.Long(0) : null;
    }

    /// <summary>Null for one whom no message has named, as while it is erased.</summary>
    private long? PersonOf(Company company, long identifier)
    {
        using var row = database.Use("""
            SELECT person FROM identifier WHERE company = ?1 AND person = (SELECT person FROM identifier WHERE company = ?1 AND id = ?2) AND first_named_ms IS NOT NULL LIMIT 1
            """);
        return row.With(company.Number).With(identifier).Next() ? row.Long(0) : null;
    }
}
