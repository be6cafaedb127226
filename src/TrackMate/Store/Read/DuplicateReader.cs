using TrackMate.Bind;
using TrackMate.Store.Write;

namespace TrackMate.Store.Read;

/// <summary>Why two profiles may be one person.</summary>
public enum DuplicateReason
{
    /// <summary>It was said that they are, and a rule stopped it.</summary>
    Stopped,

    /// <summary>The externalId of the one is the e-mail of the other.</summary>
    EmailAsExternalId,

    /// <summary>They have one name, and their e-mails are alike up to the @.</summary>
    AlikeEmails,

    /// <summary>They were in one session and have one name: a shared device can be that too.</summary>
    SharedSession,
}

/// <summary>Two profiles that no rule joins and that are probably one person.</summary>
/// <param name="One">The identifier that was found; its pair with <paramref name="Other"/> is what "not the same" keeps apart.</param>
/// <param name="Stop">Of a stopped one: the rule.</param>
public sealed record Duplicate(DuplicateReason Reason, Identifier One, Identifier Other, Person First, Person Second, JoinStop? Stop);

/// <summary>
/// Looks for duplicates among a company's newest persons: each is compared by index with what was said of it, so that the work is bounded whatever the company holds.
/// An older pair is found when either side is among the newest.
/// </summary>
internal sealed class DuplicateReader(Database database)
{
    /// <summary>The newest identifiers that are looked at.</summary>
    public const int Looked = 500;

    private const int PairsOfEach = 120;
    private const int SessionsOfEach = 20;
    private const int MostIdentifiers = 20;

    /// <summary>More stopped pairs than this on one identifier say nothing of any of them.</summary>
    private const int Crowd = 5;

    private readonly PersonReader people = new(database);
    private readonly StandingActs acts = new(database);
    private readonly Dictionary<long, Person> persons = [];
    private readonly Dictionary<long, bool> crowded = [];

    private sealed record Recent(long Number, long Person, Identifier Identifier);

    /// <summary>The most telling first, then the newest.</summary>
    public List<Duplicate> Of(Company company, int limit)
    {
        var recent = Newest(company);
        var found = new List<Duplicate>();
        var seen = new HashSet<(ProfileId, ProfileId)>();
        foreach (var (reason, one, other, stop) in recent.SelectMany(identifier => Stopped(company, identifier)).Concat(recent.SelectMany(identifier => Mixed(company, identifier)))
            .Concat(Alike(recent)).Concat(recent.SelectMany(identifier => Sharing(company, identifier))))
        {
            if (found.Count == limit) break;
            var (first, second) = (PersonOf(company, one), PersonOf(company, other));
            if (first.Id == second.Id || first.Identifiers[0].FirstNamed is null || second.Identifiers[0].FirstNamed is null) continue;
            if (!seen.Add(first.Id.CompareTo(second.Id) < 0 ? (first.Id, second.Id) : (second.Id, first.Id))) continue;
            if (reason is DuplicateReason.AlikeEmails or DuplicateReason.SharedSession && !HaveOneName(first, second)) continue;
            if (reason is DuplicateReason.Stopped && (IsCrowded(company, one) || IsCrowded(company, other))) continue;
            if (AreKeptApart(company, first, second)) continue;
            found.Add(new(reason, IdentifierOf(first, one), IdentifierOf(second, other), first, second, stop));
        }

        return found;
    }

    private List<Recent> Newest(Company company)
    {
        var recent = new List<Recent>();
        using var rows = database.Use("""
            SELECT id, person, kind, value, leaf FROM identifier INDEXED BY identifier_by_person
            WHERE company = ? AND first_named_ms IS NOT NULL ORDER BY person DESC LIMIT ?
            """);
        rows.With(company.Number).With(Looked);
        while (rows.Next()) recent.Add(new(rows.Long(0), rows.Long(1), new((IdentifierKind)rows.Long(2), rows.Text(3), ProfileId.FromBytes(rows.Bytes(4)))));
        return recent;
    }

    /// <summary>A pair that stands in the way of no operator and yet has joined nobody was stopped by a rule, or is contradicted.</summary>
    private List<(DuplicateReason Reason, long One, long Other, JoinStop? Stop)> Stopped(Company company, Recent recent)
    {
        var stopped = new List<(DuplicateReason, long, long, JoinStop?)>();
        using var rows = database.Use("""
            SELECT p.other, p.stop FROM (
              SELECT * FROM (SELECT high AS other, stop FROM pair WHERE company = ?1 AND low = ?2 AND trust = 1 AND standing = 1 ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_1
              UNION ALL
              SELECT * FROM (SELECT low AS other, stop FROM pair WHERE company = ?1 AND high = ?2 AND trust = 1 AND standing = 1 ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_2
              UNION ALL
              SELECT * FROM (SELECT high AS other, stop FROM pair WHERE company = ?1 AND low = ?2 AND trust = 0 AND standing = 1 ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_3
              UNION ALL
              SELECT * FROM (SELECT low AS other, stop FROM pair WHERE company = ?1 AND high = ?2 AND trust = 0 AND standing = 1 ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_4) p
            JOIN identifier i ON i.id = p.other AND i.company = ?1 WHERE i.person <> ?3
            """);
        rows.With(company.Number).With(recent.Number).With(recent.Person).With(PairsOfEach);
        while (rows.Next())
        {
            var stop = (JoinStop?)rows.LongOrNull(1) ?? JoinStop.Contradicted;
            stopped.Add((DuplicateReason.Stopped, recent.Number, rows.Long(0), stop));
        }

        return stopped;
    }

    private List<(DuplicateReason Reason, long One, long Other, JoinStop? Stop)> Mixed(Company company, Recent recent)
    {
        var counterpart = recent.Identifier.Kind switch
        {
            IdentifierKind.External when EmailAddress.TryNormalize(recent.Identifier.Value, out var email) => Identifier.Email(company, email),
            IdentifierKind.Email => Identifier.External(company, recent.Identifier.Value),
            _ => null,
        };
        if (counterpart is null) return [];
        using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ? AND person <> ?");
        return row.With(company.Number).WithBlob(counterpart.Id.ToBytes()).With(recent.Person).Next() ? [(DuplicateReason.EmailAsExternalId, recent.Number, row.Long(0), null)] : [];
    }

    /// <summary>Only among the newest: the store has no index of the parts of an e-mail.</summary>
    private static IEnumerable<(DuplicateReason Reason, long One, long Other, JoinStop? Stop)> Alike(List<Recent> recent) =>
        recent.Where(known => known.Identifier.Kind is IdentifierKind.Email).GroupBy(known => known.Identifier.Value.Split('@')[0])
            .SelectMany(alike => alike.Take(MostIdentifiers).ToList() is var some ? some.SelectMany((one, at) => some.Skip(at + 1).Where(other => other.Person != one.Person)
                .Select(other => (DuplicateReason.AlikeEmails, one.Number, other.Number, (JoinStop?)null))) : []);

    private List<(DuplicateReason Reason, long One, long Other, JoinStop? Stop)> Sharing(Company company, Recent recent)
    {
        var sharing = new List<(DuplicateReason, long, long, JoinStop?)>();
        using var rows = database.Use("""
            SELECT DISTINCT t.identifier FROM (SELECT session FROM span WHERE company = ?1 AND identifier = ?2 ORDER BY session DESC LIMIT ?4) s
            JOIN span t ON t.company = ?1 AND t.session = s.session JOIN identifier i ON i.id = t.identifier AND i.company = ?1
            WHERE t.identifier <> ?2 AND i.person <> ?3 LIMIT ?4
            """);
        rows.With(company.Number).With(recent.Number).With(recent.Person).With(SessionsOfEach);
        while (rows.Next()) sharing.Add((DuplicateReason.SharedSession, recent.Number, rows.Long(0), null));
        return sharing;
    }

    /// <summary>An address that everybody uses is stopped by many rules and is nobody's duplicate.</summary>
    private bool IsCrowded(Company company, long identifier)
    {
        if (crowded.TryGetValue(identifier, out var known)) return known;
        var person = PersonOf(company, identifier);
        var stopped = Stopped(company, new(identifier, person.Identifiers.Min(member => member.Number), IdentifierOf(person, identifier)));
        return crowded[identifier] = stopped.DistinctBy(pair => pair.Other).Count() > Crowd;
    }

    private bool HaveOneName(Person first, Person second) =>
        people.NameOf(first)?.Trim() is { Length: > 0 } name && string.Equals(name, people.NameOf(second)?.Trim(), StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an operator has said of any of their identifiers that the two are not the same.</summary>
    private bool AreKeptApart(Company company, Person first, Person second) =>
        first.Identifiers.Take(MostIdentifiers).Any(one => second.Identifiers.Take(MostIdentifiers).Any(other => acts.KeptApart(company, one.Number, other.Number, Trust.Claimed, long.MinValue).Value is not null));

    private Person PersonOf(Company company, long identifier)
    {
        if (persons.TryGetValue(identifier, out var person)) return person;
        return persons[identifier] = people.Of(company, identifier);
    }

    private static Identifier IdentifierOf(Person person, long number) => person.Identifiers.First(known => known.Number == number).Identifier;
}
