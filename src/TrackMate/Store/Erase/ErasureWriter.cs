using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Erase;

/// <summary>
/// Erases a person in steps, each in a writer's transaction. The first step hides the person from all searches and lists. Then the messages on the timeline are
/// deleted, and last the messages that name the person. In this order the claims, which keep the person's events off other timelines, exist as long as these events.
/// </summary>
/// <param name="marks">Records the sessions whose messages were deleted; null for a reader, which only searches.</param>
internal sealed class ErasureWriter(Database database, DirtySessions? marks = null)
{
    /// <summary>The most messages deleted in one step; a step takes some tenths of a second.</summary>
    public const int MostInStep = 2000;

    private const int Rows = 1;
    private const int Bytes = 3;

    private readonly PersonReader people = new(database);
    private readonly PersonMessages messages = new(database);
    private readonly MessageEraser eraser = new(database, marks ?? new(database));
    private readonly IdentifierEraser identifiers = new(database);
    private readonly RejectedTraces rejected = new(database);

    private sealed record ErasureItem(long? Identifier, ProfileId? Leaf, SessionRange? Range);

    /// <summary>Runs a step of an erasure in a writer's transaction.</summary>
    public static ErasureState? Run(WriteTransaction transaction, Func<ErasureWriter, ErasureState?> step)
    {
        var state = step(new(transaction.Database, transaction.Marks));
        transaction.InvalidateErased();
        return state;
    }

    /// <summary>What an erasure would delete; null if the company has no such profile.</summary>
    public Erased? Preview(Company company, ProfileId id) => people.Find(company, id) is { } person ? Count(person, RejectedOf(person)) : null;

    /// <summary>Starts to erase a person, and finishes if one step is enough.</summary>
    /// <param name="suppress">Whether to keep keyed hashes of the identifiers, by which later messages of the person are dropped.</param>
    /// <param name="most">The most messages deleted in a step.</param>
    /// <param name="seen">The result of a preceding <see cref="Look"/>, so that the writer need not search all rejected messages.</param>
    /// <returns>Null if the company has no such profile.</returns>
    public ErasureState? Begin(Company company, ProfileId id, ActBy by, bool suppress, int most = MostInStep, SeenTraces? seen = null)
    {
        company = Current(company);
        if (people.Find(company, id) is not { } person) return null;
        var traces = RejectedOf(person, seen);
        var erased = Count(person, traces);
        foreach (var trace in traces) rejected.Delete(company, trace);
        if (suppress || company.Settings.SuppressErased)
        {
            foreach (var identifier in person.Identifiers) Suppressed.Add(database, company, identifier.Identifier, by.At);
        }

        var erasure = Plan(person, by);
        foreach (var identifier in person.Identifiers) identifiers.Hide(company, identifier.Number);
        Audit.Note(database, company, by.Actor, by.At, "erase", writer =>
        {
            writer.WriteString("id", person.Id.ToString());
            writer.WriteNumber("events", erased.Events);
            writer.WriteNumber("sessions", erased.Sessions);
            writer.WriteBoolean("suppressed", suppress || company.Settings.SuppressErased);
        });
        return new(erasure, company, erased, Step(company, erasure, most));
    }

    /// <summary>The rejected messages that name a person, found by a reader; null if the company has no such profile.</summary>
    public SeenTraces? Look(Company company, ProfileId id)
    {
        company = Current(company);
        return people.Find(company, id) is { } person ? rejected.Look(company, NamesOf(person), OwnSessions(person)) : null;
    }

    /// <summary>Continues an erasure.</summary>
    /// <param name="state">The state after the previous step.</param>
    /// <param name="most">The most messages deleted in a step.</param>
    public ErasureState Continue(ErasureState state, int most = MostInStep) => state with { RowsGone = Step(Current(state.Company), state.Number, most) };

    /// <summary>Erasures that were started and not finished, for example by a killed process.</summary>
    public static List<ErasureState> Unfinished(Database database)
    {
        var companies = CompanyRows.Read(database).ToDictionary(company => company.Number);
        var unfinished = new List<ErasureState>();
        using var rows = database.Use("SELECT id, company, stage FROM erasure ORDER BY id");
        while (rows.Next())
        {
            if (companies.TryGetValue(rows.Long(1), out var company)) unfinished.Add(new(rows.Long(0), company, new(default, 0, 0, 0, 0, 0, []), rows.Long(2) == Bytes));
        }

        return unfinished;
    }

    /// <summary>Records that the bytes are gone from the files too.</summary>
    public void Close(long erasure)
    {
        database.Use("DELETE FROM erasure_part WHERE erasure = ?").With(erasure).Run();
        database.Use("DELETE FROM erasure WHERE id = ?").With(erasure).Run();
    }

    private Company Current(Company company) => CompanyRows.Read(database).Find(known => known.Number == company.Number) ?? company;

    private long Plan(Person person, ActBy by)
    {
        // The number is a time, so that numbers are not reused: a process that is late to close one erasure cannot close another one.
        long erasure;
        using (var plan = database.Use("""
            INSERT INTO erasure (id, company, until, stage)
            SELECT CASE WHEN last >= ?1 THEN last + 1 ELSE ?1 END, ?2, ?3, ?4
            FROM (SELECT COALESCE(MAX(id), 0) AS last FROM erasure) AS erasures
            RETURNING id
            """))
        {
            plan.With(by.At).With(person.Company.Number).With(database.LastMessage(person.Company.Number)).With(Rows).Next();
            erasure = plan.Long(0);
            plan.Next();
        }

        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        foreach (var identifier in person.Identifiers)
        {
            identifier.Identifier.Id.CopyTo(leaf);
            database.Use("INSERT INTO erasure_part (erasure, identifier, leaf) VALUES (?, ?, ?)").With(erasure).With(identifier.Number).WithBlob(leaf).Run();
        }

        foreach (var range in messages.RangesOf(person))
            database.Use("INSERT INTO erasure_part (erasure, session, from_ms, to_ms) VALUES (?, ?, ?, ?)").With(erasure).With(range.Session).With(range.From).With(range.To).Run();
        return erasure;
    }

    /// <returns>Whether no row of the person is left.</returns>
    private bool Step(Company company, long erasure, int most)
    {
        var (until, stage) = StageOf(erasure);
        if (stage == Bytes) return true;
        var left = most;
        var items = ItemsOf(erasure);
        var named = items.Where(item => item.Identifier is not null).ToList();

        // Claims and pairs are deleted last: until then the remaining messages still belong to this person only. A message that names two of its identifiers is found by
        // both, so each search runs after the messages of the previous one are deleted.
        var rounds = items.Where(item => item.Range is not null).Select(item => (Func<List<long>>)(() => messages.Within(company, item.Range!.Value, until, left)))
            .Concat(named.Select(item => (Func<List<long>>)(() => messages.OnlyBoundBy(company, item.Identifier!.Value, until, left))))
            .Concat(named.Select(item => (Func<List<long>>)(() => messages.WithClaimsOn(company, item.Identifier!.Value, until, left))))
            .Concat(named.Select(item => (Func<List<long>>)(() => messages.BoundBy(company, item.Identifier!.Value, until, left))));
        foreach (var round in rounds)
        {
            left -= Erase(company, round());
            if (left <= 0) return false;
        }

        identifiers.Settle(company, named.Select(item => item.Leaf!.Value));
        SetStage(erasure, Bytes);
        database.Use("DELETE FROM erasure_part WHERE erasure = ?").With(erasure).Run();
        return true;
    }

    private int Erase(Company company, List<long> numbers)
    {
        if (numbers.Count > 0) eraser.Erase(company, numbers);
        return numbers.Count;
    }

    private (long Until, long Stage) StageOf(long erasure)
    {
        using var row = database.Use("SELECT until, stage FROM erasure WHERE id = ?");
        return row.With(erasure).Next() ? (row.Long(0), row.Long(1)) : (0, Bytes);
    }

    private void SetStage(long erasure, long stage) => database.Use("UPDATE erasure SET stage = ? WHERE id = ?").With(stage).With(erasure).Run();

    private List<ErasureItem> ItemsOf(long erasure)
    {
        var items = new List<ErasureItem>();
        using var rows = database.Use("SELECT identifier, leaf, session, from_ms, to_ms FROM erasure_part WHERE erasure = ? ORDER BY id");
        rows.With(erasure);
        while (rows.Next())
        {
            items.Add(rows.LongOrNull(0) is { } identifier
                ? new(identifier, ProfileId.FromBytes(rows.Bytes(1)), null)
                : new(null, null, new(rows.Long(2), rows.Long(3), rows.Long(4))));
        }

        return items;
    }

    private Erased Count(Person person, List<long> traces)
    {
        var company = person.Company;
        var naming = new HashSet<long>();
        var events = 0L;
        foreach (var identifier in person.Identifiers)
        {
            naming.UnionWith(messages.WithClaimsOn(company, identifier.Number, long.MaxValue, long.MaxValue));
            events += CountBoundBy(company, identifier.Number);
        }

        var identifies = 0L;
        foreach (var message in naming)
        {
            using var row = database.Use("SELECT type IS NULL, identifier FROM message WHERE id = ? AND company = ?");
            row.With(message).With(company.Number).Next();
            if (row.Long(0) == 1) identifies++;
            else if (row.LongOrNull(1) is { } bound && !person.Identifiers.Any(identifier => identifier.Number == bound)) events++;
        }

        foreach (var range in messages.RangesOf(person)) events += CountWithin(company, range);
        var totals = new TotalsReader(database).Of(person);
        return new(person.Id, events, identifies, totals.ClientSessions + totals.ServerSessions, person.Identifiers.Count, traces.Count, totals.Revenue);
    }

    private long CountBoundBy(Company company, long identifier)
    {
        using var count = database.Use("SELECT COUNT(*) FROM message WHERE company = ? AND identifier = ? AND identifier IS NOT NULL");
        count.With(company.Number).With(identifier).Next();
        return count.Long(0);
    }

    private long CountWithin(Company company, SessionRange range)
    {
        using var count = database.Use("SELECT COUNT(*) FROM message WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ?");
        count.With(company.Number).With(range.Session)
            .With(range.From == long.MinValue ? long.MinValue : EventOrder.Start(range.From).Value)
            .With(range.To == long.MaxValue ? long.MaxValue : EventOrder.Start(range.To).Value).Next();
        return count.Long(0);
    }

    private List<long> RejectedOf(Person person, SeenTraces? seen = null) => rejected.Of(person.Company, NamesOf(person), OwnSessions(person), seen);

    private static List<string> NamesOf(Person person) => [.. person.Identifiers.SelectMany(identifier => new[] { identifier.Identifier.Value, identifier.Identifier.Id.ToString() })];

    /// <summary>The person's sessions for which no claim of anybody else exists.</summary>
    private List<string> OwnSessions(Person person)
    {
        var own = new List<string>();
        foreach (var session in messages.RangesOf(person).Select(range => range.Session).Distinct())
        {
            var isShared = false;
            using (var others = database.Use("SELECT DISTINCT identifier FROM claim INDEXED BY claim_by_session_and_identifier WHERE company = ? AND session = ? AND session IS NOT NULL"))
            {
                others.With(person.Company.Number).With(session);
                while (!isShared && others.Next()) isShared = !person.Identifiers.Any(identifier => identifier.Number == others.Long(0));
            }

            if (isShared) continue;
            using var row = database.Use("SELECT session_id FROM session WHERE id = ? AND company = ?");
            if (row.With(session).With(person.Company.Number).Next()) own.Add(row.Text(0));
        }

        return own;
    }
}
