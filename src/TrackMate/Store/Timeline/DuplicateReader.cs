using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Why two profiles may be one person.</summary>
public enum DuplicateReason
{
    /// <summary>It was said that they are, and a rule stopped it.</summary>
    Stopped,

    /// <summary>The externalId of the one is the e-mail of the other.</summary>
    EmailAsExternalId,

    /// <summary>Two spellings of one mailbox.</summary>
    SameMailbox,

    /// <summary>External ids that differ in case, accents or blanks only.</summary>
    AlikeExternalIds,

    /// <summary>They have one name, and their e-mails are alike up to the @.</summary>
    AlikeEmails,

    /// <summary>They have one name, and one phone number, birthday or postal address.</summary>
    SameTrait,

    /// <summary>They were in one session and have one name: a shared device can be that too.</summary>
    SharedSession,
}

/// <summary>Two profiles that no rule joins and that are probably one person.</summary>
/// <param name="One">The identifier that was found; its pair with <paramref name="Other"/> is what "not the same" keeps apart.</param>
/// <param name="Stop">Of a stopped one: the rule.</param>
public sealed record Duplicate(DuplicateReason Reason, Identifier One, Identifier Other, Person First, Person Second, JoinStop? Stop);

/// <param name="Next">The number to go on before; null where all were looked at.</param>
public sealed record DuplicatesPage(List<Duplicate> Pairs, long? Next);

/// <summary>
/// Finds duplicates: those that are alike by an index of all (<see cref="AlikeReader"/>), and among a company's newest persons those whom a rule kept apart or who
/// shared a session, each compared by index with what was said of it. So the work is bounded whatever the company holds.
/// </summary>
internal sealed class DuplicateReader(Database database)
{
    /// <summary>The newest identifiers whose stopped pairs and sessions are looked at.</summary>
    public const int Looked = 500;

    private const int PairsOfEach = 120;
    private const int SessionsOfEach = 20;
    private const int MostIdentifiers = 20;

    /// <summary>More stopped pairs than this on one identifier say nothing of any of them.</summary>
    private const int Crowd = 5;

    private readonly PersonReader people = new(database);
    private readonly AlikeReader alike = new(database);
    private readonly StandingActs acts = new(database);
    private readonly Dictionary<long, Person> persons = [];
    private readonly Dictionary<long, bool> crowded = [];

    private sealed record Recent(long Number, long Person, Identifier Identifier);

    /// <summary>On the first page those that a rule stopped; then those that are alike, the newest first; last those that shared a session.</summary>
    /// <param name="before">As the page before gave it.</param>
    public DuplicatesPage Of(Company company, long? before, int limit)
    {
        var recent = before is null ? Newest(company) : [];
        var page = alike.Page(company, before, limit);
        var found = new List<Duplicate>();
        var seen = new HashSet<(ProfileId, ProfileId)>();
        foreach (var (reason, one, other, stop) in recent.SelectMany(identifier => Stopped(company, identifier))
            .Concat(page.Pairs.Select(pair => (ReasonOf(company, pair), pair.One, pair.Other, (JoinStop?)null)))
            .Concat(recent.SelectMany(identifier => Sharing(company, identifier))))
        {
            var (first, second) = (PersonOf(company, one), PersonOf(company, other));
            if (first.Id == second.Id || first.Identifiers[0].FirstNamed is null || second.Identifiers[0].FirstNamed is null) continue;
            if (!seen.Add(first.Id.CompareTo(second.Id) < 0 ? (first.Id, second.Id) : (second.Id, first.Id))) continue;
            if (reason is DuplicateReason.SharedSession && (found.Count >= limit || !HaveOneName(first, second))) continue;
            if (reason is DuplicateReason.Stopped && (found.Count >= limit || IsCrowded(company, one) || IsCrowded(company, other))) continue;
            if (AreKeptApart(company, first, second)) continue;
            found.Add(new(reason, IdentifierOf(first, one), IdentifierOf(second, other), first, second, stop));
        }

        return new(found, page.Next);
    }

    private DuplicateReason ReasonOf(Company company, AlikePair pair) => pair.Kind switch
    {
        LikenessKind.Mailbox when IdentifierOf(PersonOf(company, pair.One), pair.One).Kind != IdentifierOf(PersonOf(company, pair.Other), pair.Other).Kind => DuplicateReason.EmailAsExternalId,
        LikenessKind.Mailbox => DuplicateReason.SameMailbox,
        LikenessKind.ExternalId => DuplicateReason.AlikeExternalIds,
        LikenessKind.NameAndMailbox => DuplicateReason.AlikeEmails,
        _ => DuplicateReason.SameTrait,
    };

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
        using var rows = database.Use($"""
            SELECT p.other, p.stop FROM (
              SELECT * FROM (SELECT high AS other, stop FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Verified} AND standing = {PairTable.MayJoin} ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_1
              UNION ALL
              SELECT * FROM (SELECT low AS other, stop FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Verified} AND standing = {PairTable.MayJoin} ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_2
              UNION ALL
              SELECT * FROM (SELECT high AS other, stop FROM pair WHERE company = ?1 AND low = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_3
              UNION ALL
              SELECT * FROM (SELECT low AS other, stop FROM pair WHERE company = ?1 AND high = ?2 AND trust = {PairTable.Claimed} AND standing = {PairTable.MayJoin} ORDER BY at_ms DESC, event_id DESC LIMIT ?4) AS pairs_4) p
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
        people.NameOf(first) is { } name && people.NameOf(second) is { } other && Folding.Fold(name) is { Length: > 0 } folded && folded == Folding.Fold(other);

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
