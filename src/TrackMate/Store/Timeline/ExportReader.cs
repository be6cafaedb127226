using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A stored message with all that it said, as an export writes it.</summary>
/// <param name="Message">As it was accepted; of an identify without its traits, which <c>Said</c> holds.</param>
/// <param name="IdsOf">Where a userId was named: what it is the id of, as far as that is known.</param>
public sealed record ExportedMessage(Message Message, IReadOnlyDictionary<ProfileId, Identifier> IdsOf);

/// <summary>An act of an operator, as an export writes it.</summary>
/// <param name="From">Unix milliseconds, and likewise the other times.</param>
public sealed record ExportedAct(string ActId, long Kind, string? SessionId, Identifier? Identifier, Identifier? Other, long? From, long? To, long At, string Actor, long? UndoneAt);

/// <summary>Reads messages back as they were sent, in the order in which they arrived, and the acts of operators.</summary>
internal sealed class ExportReader(Database database)
{
    private sealed record ClaimRow(long? Session, long Identifier, IdentifierKind NamedAs, IReadOnlyList<long> Others, Trust Trust);

    /// <summary>What the messages of a page lead to.</summary>
    private sealed record BatchPrefetch(long First, long Last)
    {
        public Dictionary<long, ClaimRow> Claims { get; } = [];

        public Dictionary<long, string> Sessions { get; } = [];

        public Dictionary<long, Identifier> Identifiers { get; } = [];
    }

    private BatchPrefetch? ahead;

    /// <summary>A page of all messages of a company.</summary>
    /// <param name="after">The number of the last one of the page before.</param>
    public (List<ExportedMessage> Messages, long? Last) Page(Company company, long after, long until, int limit)
    {
        // Messages are numbered over all companies, and read in their order; the plus keeps the planner off an index that would sort them.
        using var rows = database.Use(MessageTable.Select + " WHERE id > ? AND id <= ? AND +company = ? ORDER BY id LIMIT ?");
        rows.With(after).With(until).With(company.Number).With(limit);
        var page = new List<MessageRow>();
        while (rows.Next()) page.Add(MessageTable.Read(rows));
        if (page.Count > 0) LookAhead(company, page[0].Number, page[^1].Number);
        return (page.ConvertAll(row => Whole(company, row)), page.Count == 0 ? null : page[^1].Number);
    }

    /// <summary>Those of some numbers that are still there.</summary>
    public List<ExportedMessage> Of(Company company, IEnumerable<long> numbers)
    {
        var found = new List<ExportedMessage>();
        foreach (var number in numbers)
        {
            MessageRow? row = null;
            using (var rows = database.Use(MessageTable.Select + " WHERE id = ? AND company = ?"))
            {
                if (rows.With(number).With(company.Number).Next()) row = MessageTable.Read(rows);
            }

            if (row is not null) found.Add(Whole(company, row));
        }

        return found;
    }

    /// <summary>Acts in the order in which they were done, those that were taken back too.</summary>
    /// <param name="person">Only those about one of its identifiers or sessions; null for all.</param>
    public List<ExportedAct> Acts(Company company, Person? person)
    {
        var rows = new List<(string ActId, long Kind, long? Session, long? Identifier, long? Other, long? From, long? To, long At, string Actor, long? Undone)>();
        using (var acts = database.Use("SELECT act_id, kind, session, identifier, other, from_ms, to_ms, at_ms, actor, undone_ms FROM act WHERE company = ? ORDER BY id"))
        {
            acts.With(company.Number);
            while (acts.Next())
                rows.Add((acts.Text(0), acts.Long(1), acts.LongOrNull(2), acts.LongOrNull(3), acts.LongOrNull(4), acts.LongOrNull(5), acts.LongOrNull(6), acts.Long(7), acts.Text(8), acts.LongOrNull(9)));
        }

        if (person is not null)
        {
            var identifiers = person.Identifiers.Select(identifier => identifier.Number).ToHashSet();
            var sessions = new PersonMessages(database).RangesOf(person).Select(range => range.Session).ToHashSet();
            rows.RemoveAll(act => !identifiers.Contains(act.Identifier ?? 0) && !identifiers.Contains(act.Other ?? 0) && !(act.Identifier is null && sessions.Contains(act.Session ?? 0)));
        }

        return rows.ConvertAll(act =>
        {
            var (one, other) = (act.Identifier is { } left ? IdentifierOf(company, left) : null, act.Other is { } right ? IdentifierOf(company, right) : null);
            // Of two, the smaller id first: in which order they lie follows from numbers, which are given in the order of arrival.
            if (one is not null && other is not null && other.Id.CompareTo(one.Id) < 0) (one, other) = (other, one);
            return new ExportedAct(act.ActId, act.Kind, act.Session is { } session ? SessionIdOf(company, session) : null, one, other, act.From, act.To, act.At, act.Actor, act.Undone);
        });
    }

    /// <summary>Reads what a page's messages lead to at once: asked one by one, over a network, that takes far longer than the messages.</summary>
    private void LookAhead(Company company, long first, long last)
    {
        ahead = new(first, last);
        using (var rows = database.Use("""
            SELECT message, session, identifier, named, second, third, trust FROM claim INDEXED BY claim_by_message WHERE company = ? AND message >= ? AND message <= ? ORDER BY id
            """))
        {
            rows.With(company.Number).With(first).With(last);
            while (rows.Next()) ahead.Claims.TryAdd(rows.Long(0), ClaimIn(rows, 1));
        }

        using (var rows = database.Use("""
            SELECT id, session_id FROM session WHERE +company = ?1 AND id IN (
              SELECT session FROM message WHERE +company = ?1 AND id >= ?2 AND id <= ?3
              UNION SELECT session FROM claim INDEXED BY claim_by_message WHERE company = ?1 AND message >= ?2 AND message <= ?3)
            """))
        {
            rows.With(company.Number).With(first).With(last);
            while (rows.Next()) ahead.Sessions.Add(rows.Long(0), rows.Text(1));
        }

        using (var rows = database.Use("""
            SELECT id, kind, value, leaf FROM identifier WHERE +company = ?1 AND id IN (
              SELECT identifier FROM message WHERE +company = ?1 AND id >= ?2 AND id <= ?3
              UNION SELECT identifier FROM claim INDEXED BY claim_by_message WHERE company = ?1 AND message >= ?2 AND message <= ?3
              UNION SELECT second FROM claim INDEXED BY claim_by_message WHERE company = ?1 AND message >= ?2 AND message <= ?3
              UNION SELECT third FROM claim INDEXED BY claim_by_message WHERE company = ?1 AND message >= ?2 AND message <= ?3)
            """))
        {
            rows.With(company.Number).With(first).With(last);
            while (rows.Next()) ahead.Identifiers.Add(rows.Long(0), IdentifierIn(rows, 1));
        }
    }

    private static ClaimRow ClaimIn(Statement row, int at) => new(
        row.LongOrNull(at), row.Long(at + 1), (IdentifierKind)row.Long(at + 2), [.. new[] { row.LongOrNull(at + 3), row.LongOrNull(at + 4) }.OfType<long>()], (Trust)row.Long(at + 5));

    private static Identifier IdentifierIn(Statement row, int at) => new((IdentifierKind)row.Long(at), row.Text(at + 1), ProfileId.FromBytes(row.Bytes(at + 2)));

    private ExportedMessage Whole(Company company, MessageRow row)
    {
        var claim = ClaimOf(company, row.Number);
        var idsOf = new Dictionary<ProfileId, Identifier>();
        var named = NamedIn(company, row, claim, idsOf);
        var session = row.Session ?? claim?.Session;
        var sessionId = session is { } number ? SessionIdOf(company, number) : null;
        return new(row.ToMessage(company, sessionId, named, claim?.Trust ?? Trust.Claimed), idsOf);
    }

    /// <summary>
    /// Whom a message named, in its own order: userId, email, externalId. The message keeps the first, the claim the one its session goes to and then the others,
    /// a userId that is the id of the externalId twice.
    /// </summary>
    private List<Identifier> NamedIn(Company company, MessageRow row, ClaimRow? claim, Dictionary<ProfileId, Identifier> idsOf)
    {
        var named = new List<Identifier>();
        if (row.Identifier is { } bound && row.NamedAs is IdentifierKind.Bare)
        {
            var identifier = IdentifierOf(company, bound);
            named.Add(Identifier.Bare(identifier.Id));
            if (identifier.Kind is not IdentifierKind.Bare) idsOf[identifier.Id] = identifier;
        }
        else if (row.Identifier is { } first && claim is null)
        {
            named.Add(IdentifierOf(company, first));
        }

        if (claim is null || claim.NamedAs is IdentifierKind.Bare) return named;
        named.Add(IdentifierOf(company, claim.Identifier));
        var others = claim.Others.ToList();
        if (row.NamedAs is IdentifierKind.Bare && row.Identifier != claim.Identifier) others.Remove(row.Identifier!.Value);
        named.AddRange(others.Select(other => IdentifierOf(company, other)));
        return named;
    }

    private ClaimRow? ClaimOf(Company company, long message)
    {
        if (ahead is { } seen && message >= seen.First && message <= seen.Last) return seen.Claims.GetValueOrDefault(message);
        using var row = database.Use("SELECT session, identifier, named, second, third, trust FROM claim WHERE company = ? AND message = ?");
        return row.With(company.Number).With(message).Next() ? ClaimIn(row, 0) : null;
    }

    private Identifier IdentifierOf(Company company, long number)
    {
        if (ahead is { } seen && seen.Identifiers.TryGetValue(number, out var known)) return known;
        using var row = database.Use("SELECT kind, value, leaf FROM identifier WHERE id = ? AND company = ?");
        row.With(number).With(company.Number).Next();
        return IdentifierIn(row, 0);
    }

    private string SessionIdOf(Company company, long number)
    {
        if (ahead is { } seen && seen.Sessions.TryGetValue(number, out var known)) return known;
        using var row = database.Use("SELECT session_id FROM session WHERE id = ? AND company = ?");
        row.With(number).With(company.Number).Next();
        return row.Text(0);
    }
}
