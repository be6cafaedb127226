using TrackMate.Bind;
using TrackMate.Store.Erase;

namespace TrackMate.Store.Write;

/// <summary>
/// Appends one accepted message and all that follows from it, inside the writer's transaction: load what it touches, let <c>Bind</c> decide, store the decision.
/// An event writes its row and counters; an identify its claim and the spans of one session. No event is ever touched again (B2).
/// </summary>
internal sealed class MessageWriter(Database database, SessionMarks marks)
{
    private readonly Names names = new(database, marks);
    private readonly Receipts receipts = new(database);
    private readonly DayCounters counters = new(database);
    private readonly SessionClaims claims = new(database, marks);
    private readonly ServerRunRows runs = new(database);
    private readonly LedgerRows ledger = new(database);
    private readonly PersonRows persons = new(database);
    private readonly TraitRows traits = new(database);
    private readonly ActWriter acts = new(database, marks);
    private readonly ErasureWriter erasures = new(database, marks);
    private readonly Suppressed suppressed = new(database);

    /// <summary>What is kept of refusals, warnings and repeats.</summary>
    public IngestionRows Ingestion { get; } = new(database);

    private Ahead? ahead;
    private Dictionary<long, Company> companies = [];
    private long registryVersion = -1;

    public MessageWriter(Database database)
        : this(database, new SessionMarks(database))
    {
    }

    /// <summary>What operators do; counts of the messages before are written first, since acts look at them.</summary>
    public ActWriter Acts
    {
        get
        {
            counters.Flush();
            return acts;
        }
    }

    /// <summary>Starts from what is committed: at the start, and after a transaction that failed.</summary>
    public void Reset()
    {
        names.Reset();
        counters.Clear();
        marks.Clear();
    }

    /// <summary>
    /// The first thing in a transaction: what companies have chosen is taken from the store, since a message may have been read under older choices, and what is
    /// derived from all messages (server sessions, the ledger) must rest on one.
    /// </summary>
    public void Begin()
    {
        var version = CompanyRows.Version(database);
        if (version == registryVersion) return;
        companies = CompanyRows.Read(database).ToDictionary(company => company.Number);
        suppressed.Load();
        registryVersion = version;

        // Another process may have erased or imported: what is remembered of names and numbers is read again.
        Reset();
    }

    /// <summary>Does for all messages of a transaction what an engine does for many at once; the second thing in it.</summary>
    public void GoAhead(IEnumerable<Message> messages)
    {
        if (database.Bulk is not { } bulk) return;
        ahead ??= new(bulk, database, names, counters);
        ahead.Go(messages);
    }

    /// <summary>Runs a step of an erasure between the messages.</summary>
    public ErasureState? Erase(Func<ErasureWriter, ErasureState?> step)
    {
        counters.Flush();
        var state = step(erasures);
        names.Reset();
        suppressed.Load();
        // Other servers read again what they remember of names, and who is to stay away.
        if (database.IsShared) database.Execute("UPDATE registry_version SET version = version + 1");
        return state;
    }

    /// <inheritdoc cref="Suppressed.WithoutTheirBodies"/>
    public Rejected ToKeep(Rejected rejected) => suppressed.WithoutTheirBodies(rejected);

    /// <summary>Writes what is counted once per transaction; the last thing before its commit.</summary>
    public void Finish()
    {
        counters.Flush();
        marks.Flush();
    }

    public Receipt Append(Message message) => suppressed.KeepsOut(message) ? new(Duplicate: false, Suppressed: true) : message switch
    {
        _ when ahead?.Wrote(message) == true => new(Duplicate: false),
        TrackedEvent tracked => Append(tracked),
        Identify identify => Append(identify),
        _ => throw new ArgumentException($"A {message.GetType().Name} is not a message.", nameof(message)),
    };

    private Receipt Append(TrackedEvent tracked)
    {
        var company = Current(tracked.Company);
        var origin = tracked.Order.Origin;
        var session = tracked.SessionId is { } sessionId ? names.Session(company, sessionId) : null;
        var identifiers = NumbersOf(tracked);
        var boundBySession = identifiers.Length == 0 ? session : null;
        var unknownUserId = identifiers.Length > 0 && tracked.Named[0].Kind is IdentifierKind.Bare && identifiers[0].Kind is IdentifierKind.Bare;

        if (Insert(tracked, origin, boundBySession?.Number, identifiers.FirstOrDefault()?.Number, tracked.Type, tracked.Data.Span, tracked.Context.Span, tracked.Agent) is not { } number)
            return receipts.OfStored(names, tracked with { Company = company }, origin) with { UnknownUserId = unknownUserId };

        var isBot = tracked.Agent?.Bot ?? false;
        if (session is not null) names.Store(company, tracked.SessionId!, session, origin is Origin.Browser && !isBot ? DayCounters.DayOf(tracked.Order.UnixMilliseconds) : null);
        var learned = StoreNames(tracked, identifiers);
        counters.CountMessage(company, tracked.ReceivedAt);
        if (identifiers.Length > 0 && (session is not null || identifiers.Length > 1))
        {
            var (claim, added) = Claim(tracked, number, session, identifiers, ClaimMethod.Webhook, Trust.Verified);
            if (session is not null && added.Stands && claim.FirstNamedAs is IdentifierKind.External) learned.AddRange(persons.Pairs.SayFromWebhook(company, session.Number, claim));
        }

        var stopped = Join(tracked, identifiers, Trust.Verified, learned);

        if (origin is Origin.Browser)
        {
            counters.CountEvent(company, boundBySession!.Number, tracked.Order, isBot);
            return new(Duplicate: false);
        }

        var holder = new RunHolder(company, identifiers.FirstOrDefault()?.Number ?? 0, boundBySession?.Number ?? 0);
        runs.Add(holder, tracked.Order, tracked.EventId);
        if (Money.Read(company.Settings, tracked.Type, tracked.Data, out var unreadable) is { } money)
            ledger.Add(company, number, tracked.Order, tracked.EventId, money, boundBySession?.Number, identifiers.FirstOrDefault()?.Number);
        return receipts.Of(holder, tracked.Order) with { UnknownUserId = unknownUserId, MoneyUnreadable = unreadable, JoinsStopped = stopped };
    }

    private Receipt Append(Identify identify)
    {
        var company = Current(identify.Company);
        var session = names.Session(company, identify.SessionId!);
        var identifiers = NumbersOf(identify);
        if (Insert(identify, Origin.Browser, null, null, null, identify.Said.Span, default, null) is not { } number) return receipts.OfStored(names, identify with { Company = company }, Origin.Browser);

        names.Store(company, identify.SessionId!, session);
        var learned = StoreNames(identify, identifiers);
        counters.CountMessage(company, identify.ReceivedAt);
        if (identify.WithoutToken is { } fault) counters.CountWithoutToken(company, identify.ReceivedAt, fault);
        var (claim, added) = Claim(identify, number, session, identifiers, ClaimMethod.Identify, identify.Trust);
        foreach (var changed in added.Changed) learned.AddRange(Restand(company, changed, claim.Identifiers[0]));
        if (added.Stands && claim.FirstNamedAs is IdentifierKind.Email && claims.HasExternalWebhooks(company, session.Number)
            && !(added.IsLatest && claims.HasEarlierIdentifyByEmail(company, session.Number, claim)))
            learned.AddRange(persons.Pairs.SayFromSession(company, session.Number, claims.ClaimsOn(company, session.Number)));
        Join(identify, identifiers, identify.Trust, learned);
        traits.Say(identify, session.Number, claim.Identifiers[0], added.Stands);
        return new(Duplicate: false, ProfileId: identify.SessionGoesTo.Id);
    }

    /// <summary>A session's claims of an identifier stand or fall anew.</summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    private HashSet<long> Restand(Company company, long session, long identifier)
    {
        claims.Restand(company, session, identifier);
        return persons.Pairs.SayFromSession(company, session, claims.ClaimsOn(company, session));
    }

    private Company Current(Company company) => companies.GetValueOrDefault(company.Number, company);

    private Numbered[] NumbersOf(Message message)
    {
        if (message.Named.Count == 0) return [];
        var numbers = new Numbered[message.Named.Count];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = names.Identifier(message.Company, message.Named[i].Id, asked: message is Identify);
        return numbers;
    }

    /// <returns>The identifiers that were bare ids until this message.</returns>
    private List<long> StoreNames(Message message, Numbered[] identifiers)
    {
        var learned = new List<long>();
        for (var i = 0; i < identifiers.Length; i++)
        {
            if (names.Store(message.Company, message.Named[i], identifiers[i], message.Order.UnixMilliseconds, asked: message is Identify)) learned.Add(identifiers[i].Number);
        }

        return learned;
    }

    /// <summary>Several identifiers in one message say that they are one person (B4, B13).</summary>
    /// <returns>Why some of them are not, if so.</returns>
    /// <param name="touched">Identifiers whose kind or pairs are news already.</param>
    private List<JoinStop>? Join(Message message, Numbered[] identifiers, Trust trust, List<long> touched)
    {
        var company = Current(message.Company);
        var stops = new HashSet<JoinStop>();
        var asked = new List<(Leaf, Leaf)>();
        for (var i = 1; i < identifiers.Length; i++)
        {
            var (left, right) = (LeafOf(message.Named[i - 1], identifiers[i - 1]), LeafOf(message.Named[i], identifiers[i]));
            if (left.Number == right.Number) continue;
            asked.Add((left, right));
            if (!persons.Pairs.Say(company, left, right, trust, message.Order.UnixMilliseconds, message.EventId)) continue;
            if (trust is Trust.Verified && persons.Pairs.Crowded(company, left.Number, right.Number) is { } crowded)
            {
                persons.Pairs.Stop(company, left, right, JoinStop.TooManyJoins);
                persons.Alarm(company, crowded, Joins.MaxPairs + 1, message.ReceivedAt);
            }
            else touched.AddRange([left.Number, right.Number]);
        }

        if (touched.Count > 0) persons.Rejoin(company, touched, message.ReceivedAt);
        if (trust is Trust.Claimed) return null;
        foreach (var (left, right) in asked)
        {
            if (persons.Pairs.StopOf(company, left, right) is { } stop) stops.Add(stop);
        }

        return stops.Count == 0 ? null : [.. stops.Order()];
    }

    private static Leaf LeafOf(Identifier identifier, Numbered numbered) => new(numbered.Number, identifier.Id, numbered.Kind);

    private static int IndexOf(Message message, Identifier identifier)
    {
        for (var i = 0; i < message.Named.Count; i++)
        {
            if (ReferenceEquals(message.Named[i], identifier)) return i;
        }

        return 0;
    }

    private (Claim Claim, AddedClaim Added) Claim(Message message, long number, Numbered? session, Numbered[] identifiers, ClaimMethod method, Trust trust)
    {
        // A userId that is the id of the externalId beside it stands twice among the others, so that what was named can be told from the claim.
        var first = identifiers[IndexOf(message, message.SessionGoesTo)].Number;
        long[] others = [.. identifiers.Select(identifier => identifier.Number).Where(number => number != first)];
        var claim = new Claim(0, method, trust, message.Order.UnixMilliseconds, message.EventId, [first, .. others], message.SessionGoesTo.Kind);
        return (claim, claims.Add(Current(message.Company), number, session?.Number, claim));
    }

    /// <returns>Its number; null for a repeat.</returns>
    private long? Insert(Message message, Origin origin, long? session, long? identifier, string? type, ReadOnlySpan<byte> data, ReadOnlySpan<byte> context, Agent? agent)
    {
        if (ahead?.IsRepeat(message) == true) return null;
        // One that is known to be new need not be waited for; where another server stores it at this moment, the transaction is begun anew.
        var reserved = ahead?.TakeNumber(message);
        var insert = database.Use(reserved is null
            ? """
            INSERT INTO message (id, company, origin, event_id, session, identifier, named, at, received_ms, type, data, context, agent)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """
            : """
            INSERT INTO message (id, company, origin, event_id, session, identifier, named, at, received_ms, type, data, context, agent)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """);
        var number = reserved ?? database.NextNumber("message");
        insert.With(number).With(message.Company.Number).With((long)origin).With(message.EventId).With(session).With(identifier)
            .With(identifier is null ? null : (long?)message.Named[0].Kind).With(message.Order.Value).With(message.ReceivedAt).With(type).WithText(data);
        _ = context.IsEmpty ? insert.WithNull() : insert.WithText(context);
        _ = agent is null ? insert.WithNull() : insert.With(AgentText.Write(agent));
        if (reserved is null && insert.RunCounted() == 0) return null;
        if (reserved is not null) insert.Run();
        return number;
    }
}
