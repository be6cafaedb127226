using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>An event that says nothing of who anybody is, with the numbers that its row carries.</summary>
internal readonly record struct NumberedEvent(TrackedEvent Event, long Number, long Session);

/// <summary>What an engine does for many rows in one statement, where each statement is a journey. All is of one company.</summary>
internal interface IBulk
{
    /// <summary>Which of some messages are stored.</summary>
    IEnumerable<(Origin Origin, string EventId)> Stored(long company, IReadOnlyCollection<(Origin Origin, string EventId)> messages);

    /// <summary>Finds sessions, and makes those that are not there, each with the UTC day of its first event that is no bot's, if it has one.</summary>
    IEnumerable<(string SessionId, long Number, long? FirstDay)> Sessions(long company, IReadOnlyDictionary<string, long?> firstDays);

    /// <summary>Finds identifiers.</summary>
    IEnumerable<(ProfileId Leaf, long Number, IdentifierKind Kind, long? FirstNamed)> Identifiers(long company, IReadOnlyCollection<ProfileId> leaves);

    /// <summary>Adds events that are not stored.</summary>
    void Add(long company, IReadOnlyCollection<NumberedEvent> events);
}

/// <summary>
/// Goes ahead of the writer through the messages of a transaction, for engines that do many rows in one statement: it asks at once for what the writer would ask for
/// one by one, and writes the events that only have to be stored and counted.
/// </summary>
internal sealed class Ahead(IBulk bulk, Database database, Names names, DayCounters counters)
{
    private readonly HashSet<Message> written = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<(long Company, Origin Origin, string EventId)> stored = [];
    private readonly Dictionary<Message, long> numbers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether a message is written already, so that nothing is left to be done for it; said once, for what comes again is a repeat.</summary>
    public bool Wrote(Message message) => written.Remove(message);

    /// <summary>Whether a message was stored before this transaction.</summary>
    public bool IsRepeat(Message message) => stored.Contains(KeyOf(message));

    /// <summary>Gives out the number kept for a message that is not stored, in the order in which they came; null for one that has none, or has had it.</summary>
    public long? TakeNumber(Message message) => numbers.Remove(message, out var number) ? number : null;

    public void Go(IEnumerable<Message> messages)
    {
        written.Clear();
        stored.Clear();
        numbers.Clear();
        foreach (var company in messages.GroupBy(message => message.Company.Number)) Go(company.Key, [.. company]);
    }

    private void Go(long company, List<Message> messages)
    {
        var ids = messages.Select(message => (message.Order.Origin, message.EventId)).ToHashSet();
        foreach (var (origin, eventId) in bulk.Stored(company, ids)) stored.Add((company, origin, eventId));
        var fresh = messages.Where(message => !IsRepeat(message)).DistinctBy(message => (message.Order.Origin, message.EventId)).ToList();

        foreach (var message in fresh) numbers.Add(message, database.NextNumber("message"));

        var firstDays = new SortedDictionary<string, long?>(StringComparer.Ordinal);
        foreach (var message in fresh.Where(message => message.SessionId is { } sessionId && !names.Knows(company, sessionId)))
        {
            var known = firstDays.GetValueOrDefault(message.SessionId!);
            firstDays[message.SessionId!] = DayOf(message) is { } day && (known is null || day < known) ? day : known;
        }

        if (firstDays.Count > 0) names.Keep(company, bulk.Sessions(company, firstDays));
        var leaves = fresh.SelectMany(message => message.Named).Select(identifier => identifier.Id).ToHashSet();
        if (leaves.Count > 0) names.Keep(company, leaves, bulk.Identifiers(company, leaves));

        var events = fresh.OfType<TrackedEvent>().Where(tracked => tracked is { Named.Count: 0, Order.Origin: Origin.Browser })
            .Select(tracked => new NumberedEvent(tracked, TakeNumber(tracked)!.Value, names.Session(tracked.Company, tracked.SessionId!).Number)).ToList();
        if (events.Count == 0) return;
        bulk.Add(company, events);
        foreach (var (tracked, _, session) in events)
        {
            names.Store(tracked.Company, tracked.SessionId!, names.Session(tracked.Company, tracked.SessionId!), DayOf(tracked));
            counters.CountMessage(tracked.Company, tracked.ReceivedAt);
            counters.CountEvent(tracked.Company, session, tracked.Order, tracked.Agent?.Bot ?? false);
            written.Add(tracked);
        }
    }

    private static (long Company, Origin Origin, string EventId) KeyOf(Message message) => (message.Company.Number, message.Order.Origin, message.EventId);

    private static long? DayOf(Message message) =>
        message is TrackedEvent { Order.Origin: Origin.Browser, Agent: not { Bot: true } } ? DayCounters.DayOf(message.Order.UnixMilliseconds) : null;
}
