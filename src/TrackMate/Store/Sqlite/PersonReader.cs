using System.Globalization;
using System.Text.Json;
using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Reads persons: who they are and what they add up to. Everything is kept by identifier and by session, and combined here.</summary>
internal sealed class PersonReader(Database database)
{
    /// <summary>Traits shown of one identifier; browsers may claim any number of names.</summary>
    private const int MaxTraits = 256;

    private readonly ServerRunRows runs = new(database);

    /// <summary>The person that an id leads to; null where no e-mail or externalId of theirs has turned up.</summary>
    public Person? Find(Company company, ProfileId id)
    {
        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        id.CopyTo(leaf);
        using var row = database.Use("SELECT person FROM identifier WHERE company = ? AND leaf = ?");
        if (!row.With(company.Number).WithBlob(leaf).Next()) return null;
        var person = Read(company, row.Long(0));
        return person.Identifiers[0].FirstNamed is null ? null : person;
    }

    /// <summary>The person that holds an identifier now.</summary>
    public Person Of(Company company, long identifier)
    {
        using var row = database.Use("SELECT person FROM identifier WHERE company = ? AND id = ?");
        if (!row.With(company.Number).With(identifier).Next()) throw new InvalidOperationException("An identifier that is referred to has no row.");
        return Read(company, row.Long(0));
    }

    /// <summary>Persons of a company, the newest first.</summary>
    /// <param name="search">A part of an e-mail, externalId or name; null for all.</param>
    /// <param name="before">The number of the last one of the page before.</param>
    public List<(Person Person, long Number)> List(Company company, string? search, long? before, int limit)
    {
        var numbers = new List<long>();
        using (var rows = database.Use("""
            SELECT id FROM identifier i
            WHERE company = ?1 AND id < ?2 AND id = person AND EXISTS (
              SELECT 1 FROM identifier j WHERE j.company = ?1 AND j.person = i.id AND j.first_named_ms IS NOT NULL AND (?3 IS NULL OR j.search LIKE ?3 ESCAPE '\'))
            ORDER BY id DESC LIMIT ?4
            """))
        {
            var pattern = search is null ? null : "%" + search.ToLowerInvariant().Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_") + "%";
            rows.With(company.Number).With(before ?? long.MaxValue).With(pattern).With(limit);
            while (rows.Next()) numbers.Add(rows.Long(0));
        }

        return [.. numbers.Select(number => (Read(company, number), number))];
    }

    public long Count(Company company)
    {
        using var count = database.Use("SELECT COUNT(DISTINCT person) FROM identifier WHERE company = ? AND first_named_ms IS NOT NULL");
        count.With(company.Number).Next();
        return count.Long(0);
    }

    /// <summary>Traits by name; each is JSON as it was sent. Of several identifiers' the verified wins, then the later (B15).</summary>
    public SortedDictionary<string, string> Traits(Person person)
    {
        var traits = new SortedDictionary<string, (string Value, long Trust, long At, string EventId)>(StringComparer.Ordinal);
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("SELECT name, value, trust, at_ms, event_id FROM trait WHERE company = ? AND identifier = ? ORDER BY name = 'name' DESC, trust DESC, name LIMIT ?");
            rows.With(person.Company.Number).With(identifier.Number).With(MaxTraits);
            while (rows.Next())
            {
                var said = (Value: rows.Text(1), Trust: rows.Long(2), At: rows.Long(3), EventId: rows.Text(4));
                if (!traits.TryGetValue(rows.Text(0), out var known) || IsStronger(said, known)) traits[rows.Text(0)] = said;
            }
        }

        return new(traits.Where(trait => trait.Value.Value != "null").ToDictionary(trait => trait.Key, trait => trait.Value.Value), StringComparer.Ordinal);
    }

    /// <summary>The trait <c>name</c>, where it is a text.</summary>
    public string? NameOf(Person person) =>
        Traits(person).TryGetValue("name", out var json) && JsonElement.Parse(json) is { ValueKind: JsonValueKind.String } name && name.GetString() is { Length: > 0 } text ? text : null;

    private static bool IsStronger((string Value, long Trust, long At, string EventId) said, (string Value, long Trust, long At, string EventId) known) =>
        (said.Trust, said.At).CompareTo((known.Trust, known.At)) is var order && (order > 0 || (order == 0 && EventIds.Compare(said.EventId, known.EventId) > 0));

    /// <summary>Whether a back end has named the identifier that stands for the person, so that it is not only what a browser claims.</summary>
    public bool IsVerified(Person person)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL)
                OR EXISTS (SELECT 1 FROM span WHERE company = ?1 AND identifier = ?2 AND trust = 1)
                OR EXISTS (SELECT 1 FROM pair WHERE company = ?1 AND (low = ?2 OR high = ?2) AND trust = 1)
            """);
        found.With(person.Company.Number).With(person.Identifiers[0].Number).Next();
        return found.Long(0) == 1;
    }

    /// <summary>The person's <c>user_registered</c>, unless one was sent or the company does not want it (B3).</summary>
    public Registration? RegistrationOf(Person person)
    {
        if (!person.Company.Settings.UserRegistered || person.Identifiers.Any(identifier => HasSentRegistration(person.Company, identifier.Number))) return null;
        (Registration Registration, string EventId)? earliest = null;
        foreach (var identifier in person.Identifiers)
        {
            using var row = database.Use("""
                SELECT c.session, c.at_ms, c.id, c.trust, c.event_id, m.received_ms FROM claim c JOIN message m ON m.id = c.message
                WHERE c.company = ? AND c.identifier = ? AND c.method = 1 AND c.standing = 1 ORDER BY c.at_ms, c.event_id LIMIT 1
                """);
            if (!row.With(person.Company.Number).With(identifier.Number).Next()) continue;
            var found = (Registration: new Registration(person.Id, identifier.Number, row.Long(0), row.Long(1), row.Long(5), row.Long(2), (Trust)row.Long(3)), EventId: row.Text(4));
            if (earliest is null || TimelineReader.Compare((found.Registration.Order, found.EventId), (earliest.Value.Registration.Order, earliest.Value.EventId)) < 0) earliest = found;
        }

        return earliest?.Registration;
    }

    public Totals TotalsOf(Person person)
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
        foreach (var identifier in person.Identifiers)
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

        var registration = RegistrationOf(person);
        if (registration is not null)
        {
            clientEvents++;
            See(registration.UnixMilliseconds);
            if (!sharedSessions.Contains(registration.Session) && !IsWholeSessionWithEvents(person, registration.Session)) sharedSessions.Add(registration.Session);
        }

        var serverRuns = person.Identifiers.SelectMany(identifier => runs.Of(company, identifier.Number, new(long.MinValue), new(long.MaxValue))).ToList();
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
            ledger.Count(row => row.Kind is MoneyKind.Refund));
    }

    /// <summary>The rows of the ledger that are a person's: those whose earliest teller is on its timeline.</summary>
    public IReadOnlyList<Teller<bool>> LedgerOf(Person person) => [.. RevenueLedger.Rows(TellersOf(person)).Where(row => row.Holder)];

    /// <summary>Every message that tells of a payment or refund of the person's, counted or not; the holder says whether the message is on its timeline.</summary>
    public IReadOnlyList<Teller<bool>> TellersOf(Person person)
    {
        var company = person.Company;
        var own = new HashSet<long>();
        var payments = new HashSet<long>();
        foreach (var identifier in person.Identifiers)
        {
            using var rows = database.Use("""
                SELECT message, payment FROM ledger_entry WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL
                UNION ALL
                SELECT e.message, e.payment FROM span s JOIN ledger_entry e ON e.company = s.company AND e.session = s.session AND e.session IS NOT NULL
                WHERE s.company = ?1 AND s.identifier = ?2 AND s.has_runs = 1 AND (e.at >> 11) >= s.from_ms AND (e.at >> 11) < s.to_ms
                """);
            rows.With(company.Number).With(identifier.Number);
            while (rows.Next())
            {
                own.Add(rows.Long(0));
                payments.Add(rows.Long(1));
            }
        }

        var tellers = new List<Teller<bool>>();
        foreach (var payment in payments)
        {
            using var rows = database.Use("SELECT message, kind, refund_id, at, event_id, amount, currency FROM ledger_entry WHERE company = ? AND payment = ?");
            rows.With(company.Number).With(payment);
            while (rows.Next())
            {
                tellers.Add(new(payment, (MoneyKind)rows.Long(1), rows.TextOrNull(2), new(rows.Long(3)), rows.Text(4),
                    decimal.Parse(rows.Text(5), CultureInfo.InvariantCulture), rows.Text(6), own.Contains(rows.Long(0))));
            }
        }

        return tellers;
    }

    /// <summary>The ids by which a payment is known, as they were sent; of many the first few.</summary>
    public List<string> PaymentKeysOf(Company company, long payment, int limit)
    {
        var keys = new List<string>();
        using var rows = database.Use("SELECT key FROM payment_key WHERE company = ? AND payment = ? LIMIT ?");
        rows.With(company.Number).With(payment).With(limit);
        while (rows.Next()) keys.Add(rows.Text(0));
        return keys;
    }

    private bool HasSentRegistration(Company company, long identifier)
    {
        using var found = database.Use("""
            SELECT EXISTS (SELECT 1 FROM message WHERE company = ?1 AND identifier = ?2 AND identifier IS NOT NULL AND type = 'user_registered')
                OR EXISTS (SELECT 1 FROM span s JOIN message m
                   ON m.company = s.company AND m.session = s.session AND m.session IS NOT NULL AND m.type = 'user_registered'
                   WHERE s.company = ?1 AND s.identifier = ?2 AND (m.at >> 11) >= s.from_ms AND (m.at >> 11) < s.to_ms)
            """);
        found.With(company.Number).With(identifier).Next();
        return found.Long(0) == 1;
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
    private (long Events, long Bots, EventOrder First, EventOrder Last) CountPart(Company company, (long Session, long From, long To) part)
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
            using var count = database.Use("""
                SELECT COUNT(*), SUM(agent IS NOT NULL AND agent LIKE '%|bot'), MIN(at), MAX(at) FROM message
                WHERE company = ? AND session = ? AND session IS NOT NULL AND at >= ? AND at < ? AND origin = 0
                """);
            var from = Math.Max(part.From, DayCounters.StartOf(day));
            var to = Math.Min(part.To, DayCounters.StartOf(day + 1));
            count.With(company.Number).With(part.Session).With(EventOrder.Start(from).Value).With(EventOrder.Start(to).Value).Next();
            if (count.Long(0) == 0) continue;
            events += count.Long(0);
            bots += count.Long(1);
            first = Math.Min(first, count.Long(2));
            last = Math.Max(last, count.Long(3));
        }

        return (events, bots, new(first), new(last));
    }

    private Person Read(Company company, long person)
    {
        var identifiers = new List<KnownIdentifier>();
        using var rows = database.Use("SELECT id, kind, value, first_named_ms, leaf FROM identifier WHERE company = ? AND person = ?");
        rows.With(company.Number).With(person);
        while (rows.Next())
            identifiers.Add(new(rows.Long(0), new((IdentifierKind)rows.Long(1), rows.Text(2), ProfileId.FromBytes(rows.Bytes(4))), rows.LongOrNull(3)));

        // The e-mail first named earliest stands for the person, else the externalId, else a bare id (B9); which was stored first does not show.
        var inOrder = identifiers.OrderBy(identifier => identifier.Identifier.Kind).ThenBy(identifier => identifier.FirstNamed).ThenBy(identifier => identifier.Identifier.Id).ToList();
        return new(company, inOrder[0].Identifier.Id, inOrder);
    }
}
