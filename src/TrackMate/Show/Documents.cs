using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>What the store holds, as the documents of the read API; the dashboard shows the same.</summary>
internal sealed class Documents(Database database, Company company)
{
    private readonly TimelineReader timelines = new(database);
    private readonly SessionReader sessions = new(database);
    private readonly ArrivalReader arrivals = new(database);
    private readonly BrowserBounds bounds = new(database);
    private readonly Dictionary<ProfileId, bool> known = [];
    private readonly Dictionary<long, string> sessionIds = [];
    private Bindings? bindings;

    public Company Company => company;

    public PersonReader Persons { get; } = new(database);

    /// <exception cref="RejectionException">The company has no such profile.</exception>
    public Person PersonOf(ProfileId id) => Persons.Find(company, id) ?? throw Queries.NoProfile();

    public SearchReader Search { get; } = new(database);

    public TotalsReader Totals { get; } = new(database);

    /// <summary>What browsers claim and may not join, for People.</summary>
    public ClaimSuggestionReader ClaimSuggestions { get; } = new(database);

    public SessionReader Sessions => sessions;

    public TimelineReader Timelines => timelines;

    public ArrivalReader Arrivals => arrivals;

    public ClaimReader Claims { get; } = new(database);

    public AlarmReader Alarms { get; } = new(database);

    public DuplicateReader Duplicates { get; } = new(database);

    public ClaimsPage ClaimsOf(Person person, EventCursor? after, int limit) => new ClaimDocuments(database).Page(person, after, limit);

    public List<AuditLine> Audited(long? before, int limit) => Audit.Read(database, company, before, limit);

    public AuditLine? Audited(long number) => Audit.Find(database, company, number);

    public IngestionReader Ingestion { get; } = new(database);

    public ProfileDocument? Find(ProfileId id) => Persons.Find(company, id) is { } person ? Profile(person) : null;

    /// <param name="person">Whose.</param>
    /// <param name="known">Its totals, where they have been read already.</param>
    public ProfileDocument Profile(Person person, Totals? known = null)
    {
        var said = Persons.Traits(person, out var namedBy);
        var traits = said.ToDictionary(trait => trait.Key, trait => Json(trait.Value.Json), StringComparer.Ordinal);
        var totals = known ?? Totals.Of(person);
        return new(
            person.Id.ToString(),
            company.CompanyId,
            person.Email,
            traits.TryGetValue("name", out var name) && name.ValueKind is JsonValueKind.String ? name.GetString() : null,
            traits,
            Shown.Time(Created(person)),
            totals.FirstSeen is { } first ? Shown.Time(first) : null,
            totals.LastActive is { } last ? Shown.Time(last) : null,
            new(totals.Events, new(totals.ClientSessions, totals.ServerSessions), [.. totals.Revenue.Select(revenue => new RevenueDocument(revenue.Currency, Money.Format(revenue.Amount, revenue.Currency)))]),
            [.. person.Identifiers.Select(identifier => Shown.Document(identifier.Identifier))],
            said.ToDictionary(trait => trait.Key, trait => Shown.Name(trait.Value.Trust), StringComparer.Ordinal),
            totals is { VerifiedFirst: { } from, VerifiedLast: { } to } ? new(Shown.Time(from), Shown.Time(to)) : null)
        {
            NamedBy = namedBy is null ? null : Shown.Document(namedBy),
        };
    }

    /// <summary>The time of the earliest message that named a person; where the company bounds the age of what browsers say, of those that it believes.</summary>
    public long Created(Person person) => company.Settings.MaxBrowserEventAgeDays is not null && Persons.IsKnown(person) && bounds.CreatedAt(person) is { } at ? at : person.CreatedAt;

    /// <summary>All profiles, the last that came first.</summary>
    public ProfilesPage Profiles(long? before, int limit)
    {
        var persons = Persons.List(company, before, limit + 1);
        var (page, room) = (new List<ProfileDocument>(), new PageBounds());
        foreach (var (person, _) in persons.Take(limit))
        {
            page.Add(Profile(person));
            if (!room.HasRoomAfter(page[^1].Traits.Values.Sum(trait => (long)JsonMarshal.GetRawUtf8Value(trait).Length))) break;
        }

        return new(page, persons.Count > page.Count ? Cursors.Write(company, persons[page.Count - 1].Number) : null);
    }

    /// <summary>All profiles by when they were created, with the places of the first and the last.</summary>
    public (List<ProfileDocument> Profiles, PersonPlace? First, PersonPlace? Last, bool HasMore) ByCreation(PersonPlace? after, bool ascending, int limit)
    {
        var persons = Persons.ByCreation(company, after, ascending, limit + 1);
        var page = persons.Take(limit).ToList();
        return ([.. page.Select(person => Profile(person.Person))], page is [var first, ..] ? first.Place : null, page is [.., var last] ? last.Place : null, persons.Count > limit);
    }

    /// <param name="query">What is known of whom one looks for; blank for all.</param>
    /// <param name="cursor">As an earlier page of the same query gave it.</param>
    public ProfilesPage Find(string? query, string? cursor, int limit)
    {
        if (string.IsNullOrWhiteSpace(query)) return Profiles(Cursors.ReadNumber(company, cursor), limit);
        var page = Search.Find(company, query, Cursors.ReadSearch(company, cursor), limit);
        return new([.. page.Persons.Select(person => Profile(person))], page.Next is { } next ? Cursors.Write(company, next) : null);
    }

    public TimelinePage Timeline(Person person, TimelineFilter filter, EventCursor? after, int limit)
    {
        var page = timelines.Page(person, filter, after, limit);
        return new([.. page.Events.Select(stored => EventOf(person, stored))], page.Next is null ? null : Cursors.Write(company, page.Next));
    }

    /// <summary>A filter narrowed to one session, by any id that events show as theirs; null where none of the person's events can match.</summary>
    public TimelineFilter? Within(Person person, TimelineFilter filter, string sessionId)
    {
        if (sessions.FindAnchor(company, sessionId) is { } anchor)
        {
            var owner = anchor.Identifier ?? sessions.SpanAt(company, anchor.Session!.Value, anchor.Order)?.Identifier;
            if (filter.Origin is Origin.Browser || person.Identifiers.All(identifier => identifier.Number != owner)) return null;
            var run = new ServerRunRows(database).Whole(person, anchor.Order).Value;
            return filter with { Origin = Origin.Server, From = Math.Max(filter.From, run.First.UnixMilliseconds), To = Math.Min(filter.To, run.Last.UnixMilliseconds + 1) };
        }

        if (filter.Origin is Origin.Server || sessions.Find(company, sessionId) is not { } session) return null;
        return filter with { Origin = Origin.Browser, Session = session };
    }

    /// <summary>One event of a person; null if there is none of this id, or it is somebody else's.</summary>
    public TimelineEvent? Event(Person person, Origin origin, string eventId) => timelines.Find(person, origin, eventId) is { } stored ? EventOf(person, stored) : null;

    /// <summary>What became of an eventId, for each origin that sent it; empty where none did, or what was refused has been pruned.</summary>
    public EventReceipts Receipts(string eventId)
    {
        var receipts = new List<EventReceipt>();
        foreach (var origin in new[] { Origin.Browser, Origin.Server })
        {
            var rejected = Ingestion.Rejected(company, origin, eventId);
            if (arrivals.Stored(company, origin, eventId) is { } stored) receipts.Add(ReceiptOf(stored, rejected));
            else if (origin is Origin.Browser && RegistrationOf(eventId) is { } registration) receipts.Add(registration);
            else if (rejected.Count > 0) receipts.Add(ReceiptOf(eventId, rejected));
        }

        return new(receipts);
    }

    /// <summary>An event of a browser's session as it was sent, without whose it is.</summary>
    public TimelineEvent Unbound(StoredEvent stored) => EventOf(stored, SessionIdOf(stored.Session!.Value), null, new("sessionId", Shown.Name(Trust.Claimed), []));

    private TimelineEvent EventOf(Person person, StoredEvent stored) => EventOf(
        stored,
        stored.Order.Origin is Origin.Browser ? SessionIdOf(stored.Session!.Value) : timelines.ServerSessionIdOf(person, stored.Order),
        person.Id.ToString(),
        (bindings ??= new(database, SessionIdOf)).Of(person, stored)) with
    { NotCounted = NotCountedOf(person, stored) };

    /// <summary>Why a browser's event does not count for a person whom verified messages know, as the company has chosen.</summary>
    public string? NotCountedOf(Person person, StoredEvent stored)
    {
        if (stored.Order.Origin is not Origin.Browser || !BrowserBounds.AreSet(company)) return null;
        if (!known.TryGetValue(person.Id, out var isKnown)) known[person.Id] = isKnown = Persons.IsKnown(person);
        if (!isKnown) return null;
        // The registration is none of a session's own events, and what a signed token stands behind is believed.
        var reason = stored.Number != 0
            ? bounds.Of(person, stored.Session!.Value, stored.Order, stored.EventId, stored.ReceivedAt)
            : stored.Source is not { Trust: Trust.Verified } && BrowserBounds.IsTooOld(company, stored.Order.UnixMilliseconds, stored.ReceivedAt) ? NotCounted.TooOld : null;
        return reason switch { NotCounted.TooOld => "too_old", NotCounted.TooMany => "too_many", _ => null };
    }

    private static TimelineEvent EventOf(StoredEvent stored, string sessionId, string? userId, BindingDocument binding) => new(
        stored.EventId,
        stored.Type,
        Json(stored.Data),
        stored.Context.IsEmpty ? null : Json(stored.Context),
        Shown.Time(stored.Order.UnixMilliseconds),
        Shown.Time(stored.ReceivedAt),
        Shown.Name(stored.Order.Origin),
        sessionId,
        userId,
        stored.Agent is { } agent ? new(agent.Browser, agent.System, agent.Device, agent.Bot) : null,
        binding);

    /// <summary>Who has an event now; null while its session is nobody's.</summary>
    public Person? OwnerOf(StoredEvent stored)
    {
        if (stored.Source is { Session: null } named) return Persons.Of(company, named.Identifier);
        return stored.Session is { } session && sessions.SpanAt(company, session, stored.Order) is { } span
            ? Persons.Of(company, span.Identifier)
            : null;
    }

    /// <summary>Who has a stored message now, by its eventId; null while its session is nobody's, and where nothing of that id is stored.</summary>
    public Person? OwnerOf(Origin origin, string eventId) => arrivals.Stored(company, origin, eventId) is { } stored && IdentifierOf(stored) is { } identifier ? Persons.Of(company, identifier) : null;

    /// <summary>A browser's session by its id, or a server's by the anchor of any of its events; null if there is none.</summary>
    public SessionDocument? Session(string sessionId, EventCursor? after, int limit)
    {
        if (sessions.FindAnchor(company, sessionId) is { } anchor) return ServerSession(anchor.Order, anchor.Session, anchor.Identifier, after, limit);
        return sessions.Find(company, sessionId) is { } session ? BrowserSession(session, sessionId, after, limit) : null;
    }

    private EventReceipt ReceiptOf(StoredMessage stored, List<RejectedRow> rejected)
    {
        var person = IdentifierOf(stored) is { } number ? Persons.Of(company, number) : null;
        var origin = stored.Order.Origin;
        var duplicates = Ingestion.DuplicatesOf(company, stored.Number);
        return new(
            stored.EventId, Shown.Name(origin), duplicates is null ? "stored" : "duplicate", null, null, null, null,
            person?.Id.ToString(), person is not null && stored.IsEvent ? Event(person, origin, stored.EventId)?.Binding : null,
            Shown.Time(stored.ReceivedAt), duplicates?.Count, duplicates is null ? null : Shown.Time(duplicates.LastAt), RejectionsOf(rejected));
    }

    private long? IdentifierOf(StoredMessage stored) =>
        stored.Identifier ?? sessions.SpanAt(company, stored.Session!.Value, stored.Order)?.Identifier;

    private static EventReceipt ReceiptOf(string eventId, List<RejectedRow> rejected)
    {
        var last = rejected[0];
        var body = last.EventId == eventId ? last.Body : BodyPeek.EventIn(last.Body, eventId);
        return new(
            eventId, Shown.Name(last.Origin), "rejected", last.Status, last.Detail, body is { Length: > 0 } sent ? Encoding.UTF8.GetString(sent.Span) : null,
            last.Cut && (body is null || last.EventId == eventId), null, null, Shown.Time(last.ReceivedAt), null, null, RejectionsOf(rejected[1..]));
    }

    private static List<RejectionDocument>? RejectionsOf(List<RejectedRow> rejected) =>
        rejected.Count == 0 ? null : [.. rejected.Select(row => new RejectionDocument(Shown.Time(row.ReceivedAt), row.Status, row.Detail))];

    /// <summary>The receipt of a <c>user_registered</c> that nobody sent (B3).</summary>
    private EventReceipt? RegistrationOf(string eventId) =>
        eventId.StartsWith("reg_", StringComparison.Ordinal) && ProfileId.TryParse(eventId[4..], out var id) && Persons.Find(company, id) is { } person
            && Event(person, Origin.Browser, eventId) is { } registration
            ? new(eventId, Shown.Name(Origin.Browser), "stored", null, null, null, null, person.Id.ToString(), registration.Binding, registration.ReceivedAt, null, null, null)
            : null;

    private SessionDocument BrowserSession(long session, string sessionId, EventCursor? after, int limit)
    {
        var spans = sessions.Spans(company, session);
        var owners = spans.Select(span => span.Identifier).Distinct().ToDictionary(identifier => identifier, identifier => Persons.Of(company, identifier));
        var registrations = sessions.IdentifiedAs(company, session).Select(identifier => Persons.RegistrationOf(Persons.Of(company, identifier))).OfType<Registration>()
            .Where(registration => registration.Session == session).DistinctBy(registration => registration.EventId).ToList();
        var events = timelines.BrowserSession(company, session, registrations, after, limit + 1);
        return DocumentOf(sessionId, spans is [.., { To: long.MaxValue } last] ? owners[last.Identifier] : null, events, limit, stored =>
            registrations.FirstOrDefault(registration => registration.EventId == stored.EventId)?.Person
            ?? (spans.LastOrDefault(span => span.Holds(stored.Order.UnixMilliseconds)) is { } span ? owners[span.Identifier].Id : null));
    }

    private SessionDocument ServerSession(EventOrder order, long? session, long? identifier, EventCursor? after, int limit)
    {
        var runs = new ServerRunRows(database);
        var owner = identifier ?? sessions.SpanAt(company, session!.Value, order)?.Identifier;
        if (owner is null)
        {
            var run = runs.WholeOfNobody(company, session!.Value, order).Value;
            var id = company.Anchor(run.First.UnixMilliseconds, run.FirstEventId);
            return DocumentOf(id, null, timelines.ServerSession(company, session!.Value, run, after, limit + 1), limit, _ => null);
        }

        var person = Persons.Of(company, owner.Value);
        var whole = runs.Whole(person, order).Value;
        return DocumentOf(company.Anchor(whole.First.UnixMilliseconds, whole.FirstEventId), person, timelines.ServerSession(person, whole, after, limit + 1), limit, _ => person.Id);
    }

    private SessionDocument DocumentOf(string sessionId, Person? owner, List<StoredEvent> events, int limit, Func<StoredEvent, ProfileId?> ownerOf) =>
        DocumentOf(sessionId, owner, events, ownerOf, TimelineReader.Fitting(events, limit));

    private SessionDocument DocumentOf(string sessionId, Person? owner, List<StoredEvent> events, Func<StoredEvent, ProfileId?> ownerOf, int count) => new(
        company.KeyedId("session", sessionId).ToString(),
        company.CompanyId,
        sessionId,
        owner?.Id.ToString(),
        [.. events.Take(count).Select(stored => new SessionEvent(stored.EventId, stored.Type, Json(stored.Data), Shown.Time(stored.Order.UnixMilliseconds), ownerOf(stored)?.ToString()))],
        events.Count > count ? Cursors.Write(company, new EventCursor(events[count - 1].Order, events[count - 1].EventId)) : null);

    private string SessionIdOf(long session) => sessionIds.TryGetValue(session, out var id) ? id : sessionIds[session] = sessions.IdOf(company, session);

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private static JsonElement Json(ReadOnlyMemory<byte> utf8) => JsonElement.Parse(utf8.Span);
}
