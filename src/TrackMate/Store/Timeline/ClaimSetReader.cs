using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Finds the claims of browsers that an operator would undo at once, and what would move by it. It only reads, so its time is nobody else's.</summary>
internal sealed class ClaimSetReader(Database database)
{
    /// <summary>Of a large set so many sessions, and so many pairs, are looked at to say what would move; the others are taken to be like them.</summary>
    private const int MostWeighed = 2000;

    private const string Columns = $"SELECT c.session, c.identifier, c.second, c.third FROM claim c JOIN message m ON m.company = c.company AND m.id = c.message WHERE c.company = ?1 AND c.trust = {ClaimTable.Claimed} AND c.session IS NOT NULL AND m.received_ms >= ?2 AND m.received_ms < ?3";

    private readonly PersonReader people = new(database);
    private readonly TotalsReader totals = new(database);

    /// <summary>The claims that still count, by what they say; null where they are more than <see cref="ClaimSet.Most"/>.</summary>
    public ClaimSet? Find(Company company, ClaimFilter filter)
    {
        var identifier = filter.Identifier is { } id ? NumberOf(company, id) : null;
        if (filter.Identifier is not null && identifier is null) return new(0, [], []);

        var (apartSessions, apartPairs) = (Revoked(company), RevokedPairs(company));
        var (claims, sessions, pairs) = (0L, new HashSet<(long, long)>(), new HashSet<(long, long)>());
        foreach (var rows in Sources(company, filter, identifier))
        {
            using (rows)
            {
                while (rows.Next())
                {
                    long?[] named = [rows.Long(1), rows.LongOrNull(2), rows.LongOrNull(3)];
                    if (identifier is { } sought && !named.Contains(sought)) continue;
                    var counts = false;
                    if (!apartSessions.Contains((rows.Long(0), rows.Long(1)))) counts |= sessions.Add((rows.Long(0), rows.Long(1))) || true;
                    foreach (var other in named.Skip(1).OfType<long>())
                    {
                        var pair = (Math.Min(rows.Long(1), other), Math.Max(rows.Long(1), other));
                        if (pair.Item1 != pair.Item2 && !apartPairs.Contains(pair)) counts |= pairs.Add(pair) || true;
                    }

                    if (counts) claims++;
                    if (sessions.Count + pairs.Count > ClaimSet.Most) return null;
                }
            }
        }

        return new(claims, [.. sessions.Order()], [.. pairs.Order()]);
    }

    /// <summary>What would move, about: a claim that takes another's place, or its day, is not followed.</summary>
    public Moved Weigh(Company company, ClaimSet set)
    {
        var undone = set.Sessions.ToHashSet();
        var sessions = set.Sessions.Select(claim => claim.Session).Distinct().ToList();
        var (events, left) = (0.0, 0.0);
        foreach (var session in sessions.Take(MostWeighed))
        {
            var lost = LostIn(company, session, undone);
            events += lost;
            if (lost > 0) left++;
        }

        var scale = sessions.Count > MostWeighed ? (double)sessions.Count / MostWeighed : 1;
        (events, left) = (events * scale, left * scale);
        scale = set.Pairs.Count > MostWeighed ? (double)set.Pairs.Count / MostWeighed : 1;
        var revenue = new SortedDictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var (low, high) in set.Pairs.Take(MostWeighed))
        {
            var person = people.Of(company, low);
            if (person.Identifiers.FirstOrDefault(known => known.Number == high) is not { } other || person.Identifiers.FirstOrDefault(known => known.Number == low) is not { } one) continue;
            var (ofOne, ofOther) = (totals.Of(new(company, one.Identifier.Id, [one])), totals.Of(new(company, other.Identifier.Id, [other])));
            var moved = ofOne.Events < ofOther.Events ? ofOne : ofOther;
            events += moved.Events * scale;
            left += (moved.ClientSessions + moved.ServerSessions) * scale;
            foreach (var (currency, amount) in moved.Revenue) revenue[currency] = revenue.GetValueOrDefault(currency) + amount;
        }

        return new((long)events, (long)left, [.. revenue.Select(total => (total.Key, total.Value))]);
    }

    /// <summary>Events of a session that are another identifier's, or nobody's, without what is undone.</summary>
    private long LostIn(Company company, long session, HashSet<(long Session, long Identifier)> undone)
    {
        var claims = new SessionClaims(database).ClaimsOn(company, session).FindAll(claim => claim.Trust is Trust.Verified || !undone.Contains((session, claim.Identifiers[0])));
        var after = SessionSpans.Of(claims, new StandingActs(database).UnbindingsOf(company, session).Value);
        var lost = 0L;
        foreach (var span in new SessionReader(database).Spans(company, session))
        {
            lost += EventsIn(company, session, span.From, span.To);
            foreach (var same in after.Where(same => same.Identifier == span.Identifier && same.From < span.To && same.To > span.From))
                lost -= EventsIn(company, session, Math.Max(same.From, span.From), Math.Min(same.To, span.To));
        }

        return lost;
    }

    private long EventsIn(Company company, long session, long from, long to)
    {
        using var count = database.Use($"SELECT COUNT(*) FROM message INDEXED BY server_message_by_session WHERE company = ? AND session = ? AND session IS NOT NULL AND origin = {MessageTable.Server} AND at >= ? AND at < ?");
        count.With(company.Number).With(session)
            .With(from == long.MinValue ? long.MinValue : EventOrder.Start(from).Value).With(to == long.MaxValue ? long.MaxValue : EventOrder.Start(to).Value).Next();
        return count.Long(0) + totals.CountPart(company, (session, from, to)).Events;
    }

    private IEnumerable<Statement> Sources(Company company, ClaimFilter filter, long? identifier)
    {
        Statement Times(Statement rows) => rows.With(company.Number).With(filter.From ?? long.MinValue).With(filter.To ?? long.MaxValue);
        if (filter.Sessions is { } sessions)
        {
            var reader = new SessionReader(database);
            foreach (var session in sessions.Distinct(StringComparer.Ordinal).Select(id => reader.Find(company, id)).OfType<long>())
                yield return Times(database.Use(Columns + " AND c.session = ?4")).With(session);
        }
        else if (identifier is { } number)
        {
            yield return Times(database.Use(Columns + " AND c.identifier = ?4")).With(number);
            yield return Times(database.Use(Columns + " AND c.second = ?4 AND c.second IS NOT NULL AND c.identifier <> ?4")).With(number);
        }
        else
        {
            yield return Times(database.Stream(Columns));
        }
    }

    private HashSet<(long, long)> Revoked(Company company) => Pairs(company, $"SELECT session, identifier FROM act WHERE company = ? AND undone_ms IS NULL AND kind IN ({ActTable.RevokeClaim}, {ActTable.RevokeClaimed})");

    private HashSet<(long, long)> RevokedPairs(Company company) => Pairs(company, $"SELECT identifier, other FROM act WHERE company = ? AND undone_ms IS NULL AND kind IN ({ActTable.RevokePair}, {ActTable.RevokeClaimedPair})");

    private HashSet<(long, long)> Pairs(Company company, string sql)
    {
        var pairs = new HashSet<(long, long)>();
        using var rows = database.Use(sql);
        rows.With(company.Number);
        while (rows.Next()) pairs.Add((rows.Long(0), rows.Long(1)));
        return pairs;
    }

    private long? NumberOf(Company company, ProfileId id)
    {
        using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(id.ToBytes()).Next() ? row.Long(0) : null;
    }
}
