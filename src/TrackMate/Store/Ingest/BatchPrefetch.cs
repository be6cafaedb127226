using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>A browser's event, which carries no identity, with the numbers of its row and its session.</summary>
internal readonly record struct NumberedEvent(TrackedEvent Event, long Number, long Session);

/// <summary>
/// Processes the messages of a transaction before the writer does, for engines that handle many rows in one statement. It asks in one query for what the writer would
/// ask message by message, and writes the events that only have to be stored and counted.
/// </summary>
internal sealed class BatchPrefetch(PostgresBulk bulk, WriteTransaction transaction)
{
    private readonly IdCache ids = transaction.Ids;
    private readonly HashSet<Message> written = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<(long Company, Origin Origin, string EventId)> stored = [];
    private readonly Dictionary<Message, long> numbers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether this class has written a message already. True once per message, since the same message again is a repeat.</summary>
    public bool Wrote(Message message) => written.Remove(message);

    /// <summary>Takes the number reserved for a message, in the order of arrival. A number is taken once.</summary>
    public ReservedNumber Take(Message message) => new(IsRepeat(message), numbers.Remove(message, out var number) ? number : null);

    /// <returns>The messages that were neither stored before nor written here.</returns>
    public List<Message> Run(IReadOnlyList<Message> messages)
    {
        written.Clear();
        stored.Clear();
        numbers.Clear();

        // Sorted, so that two servers that create the same sessions cannot deadlock.
        var companies = messages.GroupBy(message => message.Company.Number).OrderBy(company => company.Key)
            .Select(company => (Number: company.Key, Messages: company.ToList())).ToList();
        Find(companies);
        var fresh = companies.ConvertAll(company => (company.Number, Messages: company.Messages.Where(message => !IsRepeat(message)).DistinctBy(KeyOf).ToList()));
        foreach (var message in fresh.SelectMany(company => company.Messages)) numbers.Add(message, transaction.Database.NextNumber("message"));
        MakeSessions(fresh);
        Write([.. fresh.SelectMany(company => company.Messages).OfType<TrackedEvent>().Where(tracked => tracked is { Named.Count: 0, Order.Origin: Origin.Browser })]);
        return [.. fresh.SelectMany(company => company.Messages).Where(message => !written.Contains(message))];
    }

    private void Find(List<(long Number, List<Message> Messages)> companies)
    {
        var asked = companies.ConvertAll(company =>
        {
            var leaves = company.Messages.SelectMany(message => message.Named).Select(identifier => identifier.Id).ToHashSet();
            return (company.Number, Stored: bulk.Stored(company.Number, company.Messages.ConvertAll(message => (message.Order.Origin, message.EventId))),
                Leaves: leaves, Identifiers: leaves.Count == 0 ? null : bulk.Identifiers(company.Number, leaves));
        });
        foreach (var (company, found, leaves, identifiers) in asked)
        {
            foreach (var (origin, eventId) in found.Value) stored.Add((company, origin, eventId));
            if (identifiers is not null) ids.Keep(company, leaves, identifiers.Value);
        }
    }

    private void MakeSessions(List<(long Number, List<Message> Messages)> companies)
    {
        var asked = new List<(long Company, Lazy<List<(string, long, long?, bool)>> Sessions)>();
        foreach (var (company, messages) in companies)
        {
            var firstDays = new SortedDictionary<string, long?>(StringComparer.Ordinal);
            foreach (var message in messages.Where(message => message.SessionId is { } sessionId && !ids.Knows(company, sessionId)))
            {
                var known = firstDays.GetValueOrDefault(message.SessionId!);
                firstDays[message.SessionId!] = DayOf(message) is { } day && (known is null || day < known) ? day : known;
            }

            if (firstDays.Count > 0) asked.Add((company, bulk.Sessions(company, firstDays)));
        }

        ids.ClearNew();
        foreach (var (company, sessions) in asked) ids.Keep(company, sessions.Value);
    }

    private void Write(List<TrackedEvent> events)
    {
        if (events.Count == 0) return;
        var numbered = events.ConvertAll(tracked => new NumberedEvent(tracked, Take(tracked).Number!.Value, ids.Session(tracked.Company, tracked.SessionId!).Number));
        // Sorted, so that two servers that received the same events cannot deadlock.
        bulk.Add([.. numbered.OrderBy(one => one.Event.Company.Number).ThenBy(one => one.Event.EventId, StringComparer.Ordinal)]);
        foreach (var (tracked, _, session) in numbered)
        {
            ids.Store(tracked.Company, tracked.SessionId!, ids.Session(tracked.Company, tracked.SessionId!), transaction.Marks, DayOf(tracked));
            transaction.Counters.CountMessage(tracked);
            transaction.Counters.CountEvent(tracked.Company, session, tracked.Order, tracked.Agent?.Bot ?? false);
            written.Add(tracked);
        }
    }

    private bool IsRepeat(Message message) => stored.Contains(KeyOf(message));

    private static (long Company, Origin Origin, string EventId) KeyOf(Message message) => (message.Company.Number, message.Order.Origin, message.EventId);

    private static long? DayOf(Message message) =>
        message is TrackedEvent { Order.Origin: Origin.Browser } tracked ? EventDecision.Of(tracked).Day : null;
}
