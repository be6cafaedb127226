using System.Diagnostics;
using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>
/// Applies a changed setting to the derived rows in steps between the messages, so that no sender waits for it. Each part has a row in table <c>rederive</c> with its
/// place, written in the transaction of the step, so that a killed process continues there. Readers see either the old or the new result: server sessions and the ledger
/// are derived beside the effective rows and switched at once; joins are derived again person by person, each completely.
/// </summary>
/// <param name="marks">Records the sessions whose spans change.</param>
internal sealed class SettingsSteps(Database database, DirtySessions marks)
{
    /// <summary>How long it takes until all servers have read the new settings. The rows of the old ones must not be deleted while a server still reads them.</summary>
    public static readonly TimeSpan UntilAllKnow = TimeSpan.FromMilliseconds(300);

    private const int LedgerRowsAtOnce = 500;
    private const int DaysAtOnce = 100;
    private const int PairsAtOnce = 20;

    /// <summary>Records the parts that a changed setting needs, inside the caller's transaction.</summary>
    /// <param name="was">The company with its current settings.</param>
    /// <param name="wanted">The settings that it should have.</param>
    /// <returns>The settings to store. Values that need no derivation take effect at once, the others after their parts are done.</returns>
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

    /// <summary>A company's unfinished parts in the order in which they run, each with its place.</summary>
    public static List<(RebuildPart Part, RebuildPlace Place)> Left(Database database, Company company) =>
        [.. database.Use("SELECT part, place FROM rederive WHERE company = ? AND place IS NOT NULL").With(company.Number)
            .DeferAll(row => (Part: Enum.Parse<RebuildPart>(row.Text(0)), Place: RebuildPlace.Parse(row.Text(1)))).Value.OrderBy(left => left.Part)];

    /// <summary>Runs all unfinished parts of a company, with or without a running server. After each step it pauses for as long as the step took, so that other writers get their turn.</summary>
    /// <param name="report">Called before each step with its part and place.</param>
    public static void Finish(Engine engine, Company company, Action<Database, RebuildPart, RebuildPlace>? report = null)
    {
        using var database = engine.Open();
        // A step changes nothing that a writer caches, so the caches of the servers stay valid. They are notified of the switch only.
        var transaction = new WriteTransaction(database);
        while (Left(database, company) is [var (part, place), ..])
        {
            report?.Invoke(database, part, place);
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

    /// <summary>The number of events, days or pairs that a part has to process, as far as it is known in advance.</summary>
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

    /// <summary>Runs one step of a company's unfinished parts, in a writer's transaction with <see cref="LockMode.Rewrite"/>.</summary>
    /// <returns>The part that it worked on; null if none was left.</returns>
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

    /// <summary>Puts the derived rows and the new settings into effect.</summary>
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

    /// <summary>Processes the server messages in the order of their time. Messages that arrive meanwhile are written to both ledgers.</summary>
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

    /// <summary>Processes the days on which browsers claimed an identifier: of each day, a limited number of sessions is accepted (B13).</summary>
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

    /// <summary>Processes the pairs: for each, the persons of its cluster are derived again.</summary>
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
