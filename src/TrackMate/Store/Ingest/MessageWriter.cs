using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Appends accepted messages and all that follows from them, inside the writer's transaction: load what each touches, let <c>Bind</c> decide, store the decision.
/// An event writes its row and counters; an identify its claim and the spans of one session. No event is ever touched again (B2).
/// </summary>
internal sealed class MessageWriter
{
    private readonly Database database;
    private readonly SessionMarks marks;
    private readonly Names names;
    private readonly DayCounters counters;
    private readonly Ahead? ahead;
    private readonly MessageRows rows;
    private readonly SessionClaims claims;
    private readonly ServerRunRows runs;
    private readonly LedgerRows ledger;
    private readonly PersonRows persons;
    private readonly TraitRows traits;
    private readonly Contradictions contradictions;
    private readonly EventKeyRows keys;
    private readonly SearchIndex search;
    private readonly Backgrounds backgrounds;
    private readonly Receipts receipts;
    private readonly Suppressed suppressed;
    private Dictionary<long, Company> companies = [];
    private long registryVersion = -1;

    public MessageWriter(Database database)
    {
        this.database = database;
        marks = new(database);
        names = new(database, marks);
        counters = new(database);
        ahead = database is PostgresDatabase postgres ? new(new PostgresBulk(postgres), database, names, counters) : null;
        rows = new(database, ahead);
        claims = new(database, marks);
        runs = new(database);
        ledger = new(database);
        persons = new(database);
        traits = new(database);
        contradictions = new(database);
        keys = new(database);
        search = new(database);
        backgrounds = new(names, claims, persons.Pairs, runs);
        receipts = new(database);
        suppressed = new(database);
        Ingestion = new(database);
    }

    /// <summary>The transaction's connection, for what is done beside messages.</summary>
    public Database Database => database;

    /// <summary>What is written of sessions when it ends.</summary>
    public SessionMarks Marks => marks;

    /// <summary>What is kept of refusals, warnings and repeats.</summary>
    public IngestionRows Ingestion { get; }

    /// <summary>Starts from what is committed: at the start, and after a transaction that failed.</summary>
    public void Reset()
    {
        names.Reset();
        traits.Clear();
        counters.Clear();
        marks.Clear();
    }

    /// <summary>
    /// The first thing in a transaction: what companies have chosen is taken from the store, since a message may have been read under older choices, and what is
    /// derived from all messages (server sessions, the ledger) must rest on one.
    /// </summary>
    public void Begin()
    {
        // Others may have written since.
        if (database.IsShared) Ingestion.Forget();
        var version = CompanyRows.Version(database);
        if (version == registryVersion) return;
        companies = CompanyRows.Read(database).ToDictionary(company => company.Number);
        suppressed.Load();
        registryVersion = version;

        // Another process may have erased or imported: what is remembered of names and numbers is read again.
        Reset();
    }

    /// <summary>Forgets what is remembered of names, since some have gone.</summary>
    public void ForgetErased()
    {
        names.Reset();
        suppressed.Load();
        // Other servers read again what they remember of names, and who is to stay away.
        if (database.IsShared) database.Execute("UPDATE registry_version SET version = version + 1");
    }

    /// <summary>Does some of what people are found by and that no message waited for.</summary>
    /// <returns>Whether there may be more.</returns>
    public bool Index(Company company) => search.Update(company) | keys.Backfill(company);

    /// <inheritdoc cref="Suppressed.WithoutTheirBodies"/>
    public Rejected ToKeep(Rejected rejected) => suppressed.WithoutTheirBodies(rejected);

    /// <summary>Writes what is written once per transaction; the last thing before its commit.</summary>
    public void Finish()
    {
        traits.Finish();
        counters.Flush();
        marks.Flush();
    }

    /// <summary>Appends messages, in this order.</summary>
    /// <param name="unanswered">What became of them before, where it is not known whether that was committed: who was new then is no repeat now.</param>
    /// <returns>What became of each.</returns>
    public Receipt[] Append(IReadOnlyList<Message> messages, Receipt[]? unanswered = null)
    {
        var written = new Lazy<Written>?[messages.Count];
        for (var i = 0; i < written.Length; i++)
        {
            if (suppressed.KeepsOut(messages[i])) written[i] = new(new Written(new(Duplicate: false, Suppressed: true)));
        }

        if (ahead is not null) backgrounds.Ask(ahead.Go([.. messages.Where((_, i) => written[i] is null)]), Current);
        for (var i = 0; i < written.Length; i++) written[i] ??= Append(messages[i]);
        persons.Derive();
        var told = receipts.Of(written!);
        for (var i = 0; i < told.Length; i++)
        {
            if (told[i].Duplicate && unanswered?[i] is { Duplicate: false } first) told[i] = first;
        }

        for (var i = 0; i < told.Length; i++)
        {
            if (!told[i].Duplicate) Ingestion.Note(messages[i], told[i]);
        }

        // In one order, so that two servers that were sent the same again wait for each other and not in a circle.
        foreach (var i in Enumerable.Range(0, told.Length).Where(i => told[i].Duplicate).OrderBy(i => messages[i].EventId, StringComparer.Ordinal)) Ingestion.Note(messages[i], told[i]);
        return told;
    }

    private Lazy<Written> Append(Message message) => message switch
    {
        _ when ahead?.Wrote(message) == true => Written.Event,
        TrackedEvent tracked => Append(tracked),
        Identify identify => Append(identify),
        _ => throw new ArgumentException($"A {message.GetType().Name} is not a message.", nameof(message)),
    };

    private Lazy<Written> Append(TrackedEvent tracked)
    {
        var company = Current(tracked.Company);
        var session = tracked.SessionId is { } sessionId ? names.Session(company, sessionId) : null;
        var identifiers = names.IdentifiersOf(tracked);
        var boundBySession = identifiers.Length == 0 ? session : null;
        var unknownUserId = identifiers.Length > 0 && tracked.Named[0].Kind is IdentifierKind.Bare && identifiers[0].Kind is IdentifierKind.Bare;
        if (rows.Insert(tracked, boundBySession?.Number, identifiers.FirstOrDefault()?.Number) is not { } number)
            return receipts.OfStored(names, tracked with { Company = company }, new(Duplicate: true, UnknownUserId: unknownUserId));

        var isBot = tracked.Agent?.Bot ?? false;
        var isBrowser = tracked.Order.Origin is Origin.Browser;
        var background = backgrounds.Of(tracked, company);
        if (session is not null) names.Store(company, tracked.SessionId!, session, isBrowser && !isBot ? DayCounters.DayOf(tracked.Order.UnixMilliseconds) : null);
        counters.CountMessage(tracked);
        if (isBrowser)
        {
            counters.CountEvent(company, session!.Number, tracked.Order, isBot);
            return Written.Event;
        }

        keys.Add(company, number, tracked.Data.Span);
        StoreNames(tracked, company, identifiers, Trust.Verified);
        if (background.Claim is { } claim)
        {
            var added = Claim(company, number, session, claim, background);
            if (session is not null && added.Stands && claim.FirstNamedAs is IdentifierKind.External) persons.TouchClaims(company, persons.Pairs.SayFromWebhook(company, session.Number, claim));
        }

        var stops = Join(tracked, company, identifiers, Trust.Verified, background);
        var run = runs.Add(background.Holder!.Value, tracked.Order, tracked.EventId, background.Runs!.Value);
        ledger.Add(company, new(number, tracked.Order, tracked.EventId, tracked.Type, tracked.Data, boundBySession?.Number, identifiers.FirstOrDefault()?.Number), background.Money);
        return new(new Written(new(Duplicate: false, UnknownUserId: unknownUserId, MoneyUnreadable: background.MoneyUnreadable), new(background.Holder.Value, tracked.Order, run), stops));
    }

    private Lazy<Written> Append(Identify identify)
    {
        var company = Current(identify.Company);
        var session = names.Session(company, identify.SessionId!);
        var identifiers = names.IdentifiersOf(identify);
        if (rows.Insert(identify) is not { } number) return receipts.OfStored(names, identify with { Company = company }, new(Duplicate: true));

        var background = backgrounds.Of(identify, company);
        var claim = background.Claim!;
        names.Store(company, identify.SessionId!, session);
        StoreNames(identify, company, identifiers, identify.Trust);
        counters.CountMessage(identify);
        if (identify.WithoutToken is { } fault) counters.CountWithoutToken(company, identify.ReceivedAt, fault);
        var added = Claim(company, number, session, claim, background);
        foreach (var changed in added.Changed) persons.TouchClaims(company, Restand(company, changed, claim.Identifiers[0]));
        if (added.Stands && !added.Changed.Contains(session.Number) && background.HasExternalWebhooks?.Value == true)
            persons.TouchClaims(company, persons.Pairs.SayFromIdentify(company, session.Number, claim));
        var stops = Join(identify, company, identifiers, identify.Trust, background);
        traits.Say(identify, session.Number, claim.Identifiers[0], added.Stands);
        return new(new Written(new(Duplicate: false, ProfileId: identify.SessionGoesTo.Id), Place: null, stops));
    }

    private AddedClaim Claim(Company company, long message, Numbered? session, Claim claim, Background background)
    {
        if (session is null)
        {
            claims.Add(company, message, claim);
            return new(Stands: true, []);
        }

        var added = claims.Add(company, message, session.Number, claim, background.Session!);
        // What others have said of other sessions stands or falls by it.
        if (added.Changed.Count > 0) backgrounds.Forget();
        return added;
    }

    /// <summary>A session's claims of an identifier stand or fall anew.</summary>
    /// <returns>The identifiers whose pairs may have changed.</returns>
    private HashSet<long> Restand(Company company, long session, long identifier)
    {
        claims.Restand(company, session, identifier);
        return persons.Pairs.SayFromSession(company, session, claims.ClaimsOn(company, session));
    }

    private Company Current(Company company) => companies.GetValueOrDefault(company.Number, company);

    private void StoreNames(Message message, Company company, Numbered[] identifiers, Trust trust)
    {
        for (var i = 0; i < identifiers.Length; i++)
        {
            var news = names.Store(message.Company, message.Named[i], identifiers[i], message.Order.UnixMilliseconds, trust, asked: message is Identify);
            // What a bare id is the id of may decide joins anew, and so may that a back end knows an identifier.
            if (news.HasFlag(NameNews.Kind)) persons.TouchKind(company, identifiers[i].Number);
            else if (news.HasFlag(NameNews.Verified)) persons.TouchVerified(company, identifiers[i].Number);
        }
    }

    /// <summary>Several identifiers in one message say that they are one person (B4, B13).</summary>
    /// <returns>What is to be asked once joins are derived: of what a server said, why it does not join; of what a browser says for the first time, whether it is contradicted.</returns>
    private List<Func<Lazy<JoinStop?>>> Join(Message message, Company company, Numbered[] identifiers, Trust trust, Background background)
    {
        var stops = new List<Func<Lazy<JoinStop?>>>();
        for (var i = 1; i < identifiers.Length; i++)
        {
            var (left, right) = (identifiers[i - 1].As(message.Named[i - 1]), identifiers[i].As(message.Named[i]));
            if (left.Number == right.Number) continue;
            if (trust is Trust.Verified) stops.Add(() => persons.Pairs.StopOf(company, left, right));
            if (!persons.Pairs.Say(company, left, right, trust, message.Order.UnixMilliseconds, message.EventId, background.Pairs[i - 1])) continue;
            if (trust is Trust.Verified)
            {
                persons.TouchPair(company, left.Number, right.Number, isNew: background.Pairs[i - 1].Said.Value is null, message.ReceivedAt);
                continue;
            }

            persons.TouchClaims(company, [left.Number, right.Number]);
            stops.Add(() => new(contradictions.Raise(company, left.Number, right.Number, message.ReceivedAt) ? JoinStop.Contradicted : null));
        }

        return stops;
    }
}
