using System.Diagnostics;
using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>
/// Derives what a changed setting is an input of, in steps between the messages, so that nobody waits for it. Each part has a row in table <c>rederive</c> with the
/// place it has come to, written in the transaction of the step: a process that is killed is gone on from there. What readers see is old or new: server sessions and
/// the ledger are derived beside what is in force and put in force at once; joins are derived anew person by person, each whole.
/// </summary>
/// <param name="marks">Told of the sessions whose spans change.</param>
internal sealed class SettingsSteps(Database database, DirtySessions marks)
{
    /// <summary>Until all servers have read what is put in force: what was read before must not be tidied up under who still reads it.</summary>
    public static readonly TimeSpan UntilAllKnow = TimeSpan.FromMilliseconds(300);

    private const int LedgerRowsAtOnce = 500;
    private const int DaysAtOnce = 100;
    private const int PairsAtOnce = 20;

    /// <summary>Notes what a change has derived, inside the caller's transaction.</summary>
    /// <param name="was">As it stands.</param>
    /// <param name="wanted">As it is to be.</param>
    /// <returns>The settings to store: what needs nothing derived is in force with them, and the rest once it is derived.</returns>
    public static CompanySettings Begin(Database database, Company was, CompanySettings wanted)
    {
        var (inForce, wantedBefore) = (was.Settings, was.Settings.Wanted());
        var next = NextSettings.Of(wanted);
        var parts = new List<RebuildPart>();
        if (wanted.ServerSessionGapMinutes != wantedBefore.ServerSessionGapMinutes) parts.AddRange([RebuildPart.SplitRuns, RebuildPart.MergeRuns]);
        if (!next.HasLedgerOf(wantedBefore)) parts.AddRange(next.HasLedgerOf(inForce) ? [RebuildPart.TidyLedger] : [RebuildPart.ClearLedger, RebuildPart.WriteLedger, RebuildPart.TidyLedger]);
        if (wanted.NewSessionsPerDay != inForce.NewSessionsPerDay) parts.Add(RebuildPart.Claims);
        if (wanted.MaxEmailsPerPerson != inForce.MaxEmailsPerPerson || wanted.ClaimedJoins != inForce.ClaimedJoins) parts.Add(RebuildPart.Persons);
        if (parts.Count > 0) parts.Add(RebuildPart.Switch);
        foreach (var part in parts)
        {
            database.Use("INSERT INTO rederive (company, part, place) VALUES (?, ?, ?) ON CONFLICT (company, part) DO UPDATE SET place = excluded.place")
                .With(was.Number).With(part.ToString()).With(RebuildPlace.Beginning.ToString()).Run();
        }

        return wanted with
        {
            ServerSessionGapMinutes = inForce.ServerSessionGapMinutes,
            PaymentTypes = inForce.PaymentTypes,
            RefundTypes = inForce.RefundTypes,
            Currency = inForce.Currency,
            Ledger = inForce.Ledger,
            Next = next.ServerSessionGapMinutes == inForce.ServerSessionGapMinutes && next.HasLedgerOf(inForce) ? null : next,
        };
    }

    /// <summary>What is left to derive of a company, in the order in which it is done, with the place each part has come to.</summary>
    public static List<(RebuildPart Part, RebuildPlace Place)> Left(Database database, Company company) =>
        [.. database.Use("SELECT part, place FROM rederive WHERE company = ? AND place IS NOT NULL").With(company.Number)
            .DeferAll(row => (Part: Enum.Parse<RebuildPart>(row.Text(0)), Place: RebuildPlace.Parse(row.Text(1)))).Value.OrderBy(left => left.Part)];

    /// <summary>Does all that is left of a company, beside a server or without one. After each step others get as long as it took.</summary>
    /// <param name="tell">Called before each step with what it goes on with.</param>
    public static void Finish(Engine engine, Company company, Action<Database, RebuildPart, RebuildPlace>? tell = null)
    {
        using var database = engine.Open();
        // A step changes nothing that a writer remembers, so servers go on with what they know; only what is put in force is told.
        var transaction = new WriteTransaction(database);
        while (Left(database, company) is [var (part, place), ..])
        {
            tell?.Invoke(database, part, place);
            var started = Stopwatch.GetTimestamp();
            var budget = StepBudget.Small;
            try
            {
                transaction.Begin([(company.Number, LockMode.Rewrite)]);
                Step(transaction, company, budget);
                transaction.Commit();
            }
            catch
            {
                transaction.Rollback();
                throw;
            }

            if (part is RebuildPart.Switch) Thread.Sleep(UntilAllKnow);
            else if (budget.IsSpent) Thread.Sleep(Stopwatch.GetElapsedTime(started));
        }
    }

    /// <summary>How many events, days or pairs a part goes along in all, as far as it is known before.</summary>
    public static long CountOf(Database database, Company company, RebuildPart part)
    {
        using var count = database.Use(part switch
        {
            RebuildPart.Claims => "SELECT COUNT(*) FROM first_claim_day WHERE company = ?",
            RebuildPart.Persons => "SELECT COUNT(*) FROM (SELECT DISTINCT low, high FROM pair WHERE company = ?) AS pairs",
            RebuildPart.ClearLedger or RebuildPart.TidyLedger => "SELECT COUNT(*) FROM ledger_entry WHERE company = ?",
            _ => "SELECT COALESCE(CAST(SUM(events) AS bigint), 0) FROM server_run WHERE company = ?",
        });
        count.With(company.Number).Next();
        return count.Long(0);
    }

    /// <summary>Does some of what is left of a company, in a writer's transaction that has the company to itself.</summary>
    /// <returns>What it was; null where nothing was left.</returns>
    public static RebuildPart? Step(WriteTransaction transaction, Company company, StepBudget budget) => new SettingsSteps(transaction.Database, transaction.Marks).Step(transaction.Current(company), budget);

    private RebuildPart? Step(Company company, StepBudget budget)
    {
        if (Left(database, company) is not [var (part, place), ..]) return null;
        RebuildPlace? next = part switch
        {
            RebuildPart.ClearLedger or RebuildPart.TidyLedger => ClearLedger(company, place, budget),
            RebuildPart.WriteLedger => WriteLedger(company, place, budget),
            RebuildPart.SplitRuns => new ServerRunSteps(database).Split(company, place, budget),
            RebuildPart.Switch => Switch(company),
            RebuildPart.MergeRuns => new ServerRunSteps(database).Merge(company, place, budget),
            RebuildPart.Claims => Claims(company, place, budget),
            RebuildPart.Persons => Persons(company, place, budget),
            _ => throw new NotSupportedException($"{part} is not derived in steps."),
        };
        if (next is { } left) database.Use("UPDATE rederive SET place = ? WHERE company = ? AND part = ?").With(left.ToString()).With(company.Number).With(part.ToString()).Run();
        else database.Use("DELETE FROM rederive WHERE company = ? AND part = ?").With(company.Number).With(part.ToString()).Run();
        return part;
    }

    /// <summary>Puts in force what was derived.</summary>
    private RebuildPlace? Switch(Company company)
    {
        if (company.Settings.Next is null) return null;
        var settings = company.Settings.Wanted();
        database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(settings)).With(company.Number).Run();
        if (settings.Ledger != company.Settings.Ledger) new LedgerRows(database).Read(company, settings.Ledger);
        database.Execute("UPDATE registry_version SET version = version + 1");
        return null;
    }

    private RebuildPlace? ClearLedger(Company company, RebuildPlace place, StepBudget budget)
    {
        var ledger = new LedgerRows(database);
        while (!budget.IsSpent)
        {
            if (ledger.Clear(company, place.First, LedgerRowsAtOnce) is not { } message) return null;
            place = place with { First = message, Done = place.Done + LedgerRowsAtOnce };
            budget.Spend(LedgerRowsAtOnce);
        }

        return place;
    }

    /// <summary>Goes along the server's messages by their time: those that come meanwhile are written to both ledgers.</summary>
    private RebuildPlace? WriteLedger(Company company, RebuildPlace place, StepBudget budget)
    {
        if (company.Settings.Wanted().Ledger == company.Settings.Ledger) return null;
        var ledger = new LedgerRows(database);
        while (!budget.IsSpent)
        {
            var messages = database.Use($"""
                SELECT id, at, event_id, type, data, session, identifier FROM message INDEXED BY server_message_by_time
                WHERE company = ?1 AND origin = {MessageTable.Server} AND at >= ?2 AND (at, id) > (?2, ?3) AND type IS NOT NULL ORDER BY at, id LIMIT ?4
                """).With(company.Number).With(place.First).With(place.Second).With(LedgerRowsAtOnce)
                .DeferAll(row => new MoneyMessage(row.Long(0), new(row.Long(1)), row.Text(2), row.Text(3), row.Bytes(4).ToArray(), row.LongOrNull(5), row.LongOrNull(6))).Value;
            foreach (var message in messages)
            {
                ledger.AddNext(company, message);
                place = new(message.Order.Value, message.Number, 0, place.Done + 1);
                budget.Spend();
                if (budget.IsSpent) return place;
            }

            if (messages.Count < LedgerRowsAtOnce) return null;
        }

        return place;
    }

    /// <summary>Goes along the days on which browsers claimed an identifier: of each, so many sessions are believed.</summary>
    private RebuildPlace? Claims(Company company, RebuildPlace place, StepBudget budget)
    {
        var persons = new PersonRows(database);
        var next = Claims(company, place, budget, persons);
        persons.Derive();
        return next;
    }

    private RebuildPlace? Claims(Company company, RebuildPlace place, StepBudget budget, PersonRows persons)
    {
        var (claims, firsts) = (new SessionClaims(database, marks), new FirstClaims(database));
        while (true)
        {
            var days = database.Use("SELECT identifier, day FROM first_claim_day WHERE company = ?1 AND (identifier, day) > (?2, ?3) ORDER BY identifier, day LIMIT ?4")
                .With(company.Number).With(place.First).With(place.Second).With(DaysAtOnce).DeferAll(row => (Identifier: row.Long(0), Day: row.Long(1))).Value;
            foreach (var (identifier, day) in days)
            {
                while (firsts.Correct(company, identifier, day) is { Count: > 0 } changed)
                {
                    foreach (var session in changed)
                    {
                        claims.Recompute(company, session, identifier);
                        persons.TouchClaims(company, persons.Pairs.SayFromSession(company, session, claims.ClaimsOn(company, session)));
                    }

                    budget.Spend(100);
                    if (budget.IsSpent) return place;
                }

                place = new(identifier, day, 0, place.Done + 1);
                budget.Spend();
                if (budget.IsSpent) return place;
            }

            if (days.Count < DaysAtOnce) return null;
        }
    }

    /// <summary>Goes along the pairs: each has those derived anew who hang together with it.</summary>
    private RebuildPlace? Persons(Company company, RebuildPlace place, StepBudget budget)
    {
        var persons = new PersonRows(database);
        while (!budget.IsSpent)
        {
            var pairs = database.Use("SELECT DISTINCT low, high FROM pair WHERE company = ?1 AND (low, high) > (?2, ?3) ORDER BY low, high LIMIT ?4")
                .With(company.Number).With(place.First).With(place.Second).With(PairsAtOnce).DeferAll(row => (Low: row.Long(0), High: row.Long(1))).Value;
            if (pairs.Count == 0) return null;
            persons.Rejoin(company, [.. pairs.SelectMany(pair => new[] { pair.Low, pair.High })]);
            place = new(pairs[^1].Low, pairs[^1].High, 0, place.Done + pairs.Count);
            budget.Spend(100 * pairs.Count);
        }

        return place;
    }
}
