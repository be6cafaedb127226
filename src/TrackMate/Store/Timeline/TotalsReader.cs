using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>What a person adds up to (Totals of a profile). Everything is kept by identifier and by session, so that no join has to move it, and combined here.</summary>
internal sealed class TotalsReader(Database database)
{
    private readonly PersonReader persons = new(database);
    private readonly ServerRunRows runs = new(database);
    private readonly BrowserBounds bounds = new(database);

    /// <param name="all">Counts what the company's bounds leave out too, such as to say what an act moves.</param>
    public Totals Of(Person person, bool all = false)
    {
        var company = person.Company;
        long clientEvents = 0, bots = 0, clientSessions = 0;
        long? firstSeen = null, lastActive = null;
        void See(long unixMilliseconds)
        {
            firstSeen = firstSeen is { } first ? Math.Min(first, unixMilliseconds) : unixMilliseconds;
            lastActive = lastActive is { } last ? Math.Max(last, unixMilliseconds) : unixMilliseconds;
        }

        var sharedSessions = new HashSet<long>();
        var isBounded = !all && BrowserBounds.AreSet(company) && persons.IsKnown(person);
        var isCut = isBounded && bounds.Cut(person);
        if (isCut)
        {
            foreach (var (session, counts) in bounds.Count(person))
            {
                sharedSessions.Add(session);
                clientEvents += counts.Events;
                bots += counts.Bots;
                See(counts.First.UnixMilliseconds);
                See(counts.Last.UnixMilliseconds);
            }
        }

        foreach (var identifier in isCut ? [] : person.Identifiers)
        {
            using (var whole = database.Use("""
                SELECT COUNT(DISTINCT d.session), SUM(d.events), SUM(d.bots), MIN(d.first_at), MAX(d.last_at)
                FROM span s JOIN session_day d ON d.company = s.company AND d.session = s.session
                WHERE s.company = ? AND s.identifier = ? AND s.from_ms = ? AND s.to_ms = ?
                """))
            {
                whole.With(company.Number).With(identifier.Number).With(long.MinValue).With(long.MaxValue).Next();
                if (whole.Long(0) > 0)
                {
                    clientSessions += whole.Long(0);
                    clientEvents += whole.Long(1);
                    bots += whole.Long(2);
                    See(new EventOrder(whole.Long(3)).UnixMilliseconds);
                    See(new EventOrder(whole.Long(4)).UnixMilliseconds);
                }
            }

            foreach (var part in PartsOf(company, identifier.Number))
            {
                var counts = CountPart(company, part);
                if (counts.Events == 0) continue;
                sharedSessions.Add(part.Session);
                clientEvents += counts.Events;
                bots += counts.Bots;
                See(counts.First.UnixMilliseconds);
                See(counts.Last.UnixMilliseconds);
            }
        }

        var registration = persons.RegistrationOf(person);
        if (registration is not null && !(isBounded && registration.Trust is Trust.Claimed && BrowserBounds.IsTooOld(company, registration.UnixMilliseconds, registration.ReceivedAt)))
        {
            clientEvents++;
            See(registration.UnixMilliseconds);
            if (!sharedSessions.Contains(registration.Session) && !(!isCut && IsWholeSessionWithEvents(person, registration.Session))) sharedSessions.Add(registration.Session);
        }

        var serverRuns = person.Identifiers.Select(identifier => runs.Of(company, identifier.Number, new(long.MinValue), new(long.MaxValue))).ToList().SelectMany(ofOne => ofOne.Value).ToList();
        if (serverRuns.Count > 0)
        {
            See(serverRuns.Min(run => run.First).UnixMilliseconds);
            See(serverRuns.Max(run => run.Last).UnixMilliseconds);
        }

        var ledger = LedgerOf(person);
        return new(
            clientEvents,
            serverRuns.Sum(run => run.Events),
            bots,
            clientSessions + sharedSessions.Count,
            ServerSessions.Join(serverRuns, company.Settings.ServerSessionGapMilliseconds).Count,
            firstSeen,
            lastActive,
            RevenueLedger.Totals(ledger),
            ledger.Count(row => row.Kind is MoneyKind.Payment),
            ledger.Count(row => row.Kind is MoneyKind.Refund),
            serverRuns.Count == 0 ? null : serverRuns.Min(run => run.First).UnixMilliseconds,
            serverRuns.Count == 0 ? null : serverRuns.Max(run => run.Last).UnixMilliseconds);
    }

    /// <summary>The rows of the ledger that are a person's: those whose earliest teller is on its timeline.</summary>
    public IReadOnlyList<Teller<bool>> LedgerOf(Person person) => [.. RevenueLedger.Rows(TellersOf(person)).Where(row => row.Holder)];

    /// <summary>Every message that tells of a payment or refund of the person's, counted or not, with the payment that it tells of; the holder says whether the message is on its timeline.</summary>
    public IReadOnlyList<Teller<bool>> TellersOf(Person person)
    {
        var ledger = new LedgerReader(database, person.Company);
        foreach (var identifier in person.Identifiers) ledger.AddOwn(identifier.Number);
        return RevenueLedger.Assign(ledger.Tellers());
    }

    private bool IsWholeSessionWithEvents(Person person, long session)
    {
        using var owner = database.Use("""
            SELECT s.identifier FROM span s JOIN session_day d ON d.company = s.company AND d.session = s.session
            WHERE s.company = ? AND s.session = ? AND s.from_ms = ? AND s.to_ms = ? LIMIT 1
            """);
        return owner.With(person.Company.Number).With(session).With(long.MinValue).With(long.MaxValue).Next()
            && person.Identifiers.Any(identifier => identifier.Number == owner.Long(0));
    }

    private List<(long Session, long From, long To)> PartsOf(Company company, long identifier)
    {
        var parts = new List<(long, long, long)>();
        using var rows = database.Use("SELECT session, from_ms, to_ms FROM span WHERE company = ? AND identifier = ? AND NOT (from_ms = ? AND to_ms = ?)");
        rows.With(company.Number).With(identifier).With(long.MinValue).With(long.MaxValue);
        while (rows.Next()) parts.Add((rows.Long(0), rows.Long(1), rows.Long(2)));
        return parts;
    }

    /// <summary>Counts a span's browser events: whole days from their counters, the days that the span cuts from the index.</summary>
    public (long Events, long Bots, EventOrder First, EventOrder Last) CountPart(Company company, (long Session, long From, long To) part)
    {
        long events = 0, bots = 0, first = long.MaxValue, last = long.MinValue;
        var cutDays = new List<long>();
        using (var days = database.Use("SELECT day, events, bots, first_at, last_at FROM session_day WHERE company = ? AND session = ?"))
        {
            days.With(company.Number).With(part.Session);
            while (days.Next())
            {
                var (dayFirst, dayLast) = (new EventOrder(days.Long(3)), new EventOrder(days.Long(4)));
                if (dayLast.UnixMilliseconds < part.From || dayFirst.UnixMilliseconds >= part.To) continue;
                if (dayFirst.UnixMilliseconds < part.From || dayLast.UnixMilliseconds >= part.To)
                {
                    cutDays.Add(days.Long(0));
                    continue;
                }

                events += days.Long(1);
                bots += days.Long(2);
                first = Math.Min(first, dayFirst.Value);
                last = Math.Max(last, dayLast.Value);
            }
        }

        foreach (var day in cutDays)
        {
            using var count = database.Use($"""
                SELECT COUNT(*), SUM(CASE WHEN {AgentText.IsBot} THEN 1 ELSE 0 END), MIN(at), MAX(at) FROM message
                WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND origin = {MessageTable.Browser}
                """);
            var from = Math.Max(part.From, UtcDay.Start(day));
            var to = Math.Min(part.To, UtcDay.Start(day + 1));
            count.With(company.Number).With(part.Session).With(EventOrder.Start(from).Value).With(EventOrder.Start(to).Value).Next();
            if (count.Long(0) == 0) continue;
            events += count.Long(0);
            bots += count.Long(1);
            first = Math.Min(first, count.Long(2));
            last = Math.Max(last, count.Long(3));
        }

        return (events, bots, new(first), new(last));
    }
}
