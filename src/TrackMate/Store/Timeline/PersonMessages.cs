using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A stretch of a session that is a person's.</summary>
/// <param name="From">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
/// <param name="To">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end.</param>
internal readonly record struct SessionRange(long Session, long From, long To);

/// <summary>The messages that concern a person: those that name one of its identifiers, and the events on its timeline.</summary>
internal sealed class PersonMessages(Database database)
{
    /// <summary>Where its events lie, but for those that name it.</summary>
    public List<SessionRange> RangesOf(Person person)
    {
        var stretches = new List<SessionRange>();
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("SELECT session, from_ms, to_ms FROM span WHERE company = ? AND identifier = ?");
            rows.With(person.Company.Number).With(identifier.Number);
            while (rows.Next()) stretches.Add(new(rows.Long(0), rows.Long(1), rows.Long(2)));
        }

        return stretches;
    }

    /// <summary>Messages that name an identifier beside another, or a session: those that claims rest on.</summary>
    public List<long> WithClaimsOn(Company company, long identifier, long until, long limit) => Numbers("""
        SELECT message FROM claim INDEXED BY claim_by_identifier WHERE company = ?1 AND identifier = ?2 AND session IS NOT NULL AND message <= ?3
        UNION SELECT message FROM claim WHERE company = ?1 AND identifier = ?2 AND session IS NULL AND message <= ?3
        UNION SELECT message FROM claim WHERE company = ?1 AND second = ?2 AND second IS NOT NULL AND message <= ?3
        UNION SELECT message FROM claim WHERE company = ?1 AND third = ?2 AND third IS NOT NULL AND message <= ?3
        LIMIT ?4
        """, company, identifier, until, limit);

    /// <summary>Events of back ends that are bound by an identifier, the earliest first.</summary>
    public List<long> BoundBy(Company company, long identifier, long until, long limit) =>
        Numbers("SELECT id FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND id <= ?3 ORDER BY at, event_id LIMIT ?4", company, identifier, until, limit);

    /// <summary>Those of them that say nothing of who anybody is.</summary>
    public List<long> OnlyBoundBy(Company company, long identifier, long until, long limit) => Numbers("""
        SELECT id FROM message m WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND id <= ?3
          AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.company = ?1 AND c.message = m.id)
        ORDER BY at, event_id LIMIT ?4
        """, company, identifier, until, limit);

    /// <summary>Events of a stretch of a session, the earliest first.</summary>
    public List<long> Within(Company company, SessionRange stretch, long until, long limit)
    {
        var numbers = new List<long>();
        using var rows = database.Use("SELECT id FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND id <= ? ORDER BY at, event_id LIMIT ?");
        rows.With(company.Number).With(stretch.Session)
            .With(stretch.From == long.MinValue ? long.MinValue : EventOrder.Start(stretch.From).Value)
            .With(stretch.To == long.MaxValue ? long.MaxValue : EventOrder.Start(stretch.To).Value)
            .With(until).With(limit);
        while (rows.Next()) numbers.Add(rows.Long(0));
        return numbers;
    }

    /// <summary>All of them, in the order in which they arrived. Eight bytes each.</summary>
    public List<long> Of(Person person)
    {
        var all = new HashSet<long>();
        foreach (var identifier in person.Identifiers)
        {
            all.UnionWith(WithClaimsOn(person.Company, identifier.Number, long.MaxValue, long.MaxValue));
            all.UnionWith(BoundBy(person.Company, identifier.Number, long.MaxValue, long.MaxValue));
        }

        foreach (var stretch in RangesOf(person)) all.UnionWith(Within(person.Company, stretch, long.MaxValue, long.MaxValue));
        return [.. all.Order()];
    }

    private List<long> Numbers(string sql, Company company, long identifier, long until, long limit)
    {
        var numbers = new List<long>();
        using var rows = database.Use(sql);
        rows.With(company.Number).With(identifier).With(until).With(limit);
        while (rows.Next()) numbers.Add(rows.Long(0));
        return numbers;
    }
}
