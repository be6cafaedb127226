using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Ingest;

/// <summary>Where a server's event went: what is to be looked up before its sender is told whose timeline it is on.</summary>
/// <param name="Run">The run that it was put into; null where that is not known.</param>
internal sealed record DeliveryTarget(RunHolder Holder, EventOrder Order, ServerRun? Run = null);

/// <summary>What became of a message, as far as it is known when it is written.</summary>
/// <param name="Target">Null for what browsers send: they are told nothing of whose timeline it is on.</param>
/// <param name="Stops">Of each pair of identifiers that it named: asks why it does not join, once joins are derived.</param>
internal readonly record struct Written(Receipt Receipt, DeliveryTarget? Target = null, IReadOnlyList<Func<Lazy<JoinStop?>>>? Stops = null)
{
    /// <summary>That of a browser's new event, by far the most frequent: one for all of them.</summary>
    public static readonly Lazy<Written> Event = new(new Written(new(Duplicate: false)));

    /// <summary>Nothing has to be looked up for its receipt.</summary>
    public bool IsKnown => Target is null && Stops is not { Count: > 0 };
}

/// <summary>What senders are answered, as the store stands after all messages of a transaction. Each step is asked for all of them before any is looked at.</summary>
internal sealed class Receipts(Database database)
{
    private readonly SpanRows spans = new(database);
    private readonly ServerRunRows runs = new(database);
    private readonly PersonReader people = new(database);

    /// <summary>Asks what a repeat is told: what is stored speaks, not what was sent again.</summary>
    public Lazy<Written> OfStored(Names names, Message message)
    {
        var (company, origin) = (message.Company, message.Order.Origin);
        var receipt = new Receipt(Duplicate: true, UnknownUserId: message is TrackedEvent tracked && names.IsUnknownUserId(tracked));
        return database.Use("SELECT session, identifier, at, type, data FROM message WHERE company = ? AND origin = ? AND event_id = ?")
            .With(company.Number).With((long)origin).With(message.EventId).Defer(stored =>
            {
                if (!stored.Next()) throw new InvalidOperationException("A repeat of a message that is not stored.");
                var (session, identifier) = (stored.LongOrNull(0), stored.LongOrNull(1));
                var reused = message switch
                {
                    TrackedEvent sent => stored.TextOrNull(3) != sent.Type
                        || !stored.Bytes(4).SequenceEqual(sent.Data.Span)
                        || identifier != (sent.Named.Count == 0 ? null : names.Identifier(company, sent.Named[0].Id).Number)
                        || (identifier is null && session != names.Session(company, sent.SessionId!).Number),
                    Identify sent => stored.TextOrNull(3) is not null || !stored.Bytes(4).SequenceEqual(sent.Said.Span),
                    _ => true,
                };
                var isPlaced = origin is Origin.Server && (session is not null || identifier is not null);
                return new Written(receipt with { Reused = reused }, isPlaced ? new(new(company, identifier ?? 0, identifier is null ? session!.Value : 0), new(stored.Long(2))) : null);
            });
    }

    /// <summary>The answers, in the order of the messages.</summary>
    public Receipt[] Of(IReadOnlyList<Lazy<Written>> written)
    {
        var receipts = new Receipt[written.Count];
        var asked = new List<(int Index, Written Message)>();
        for (var i = 0; i < receipts.Length; i++)
        {
            var message = written[i].Value;
            receipts[i] = message.Receipt;
            if (!message.IsKnown) asked.Add((i, message));
        }

        if (asked.Count > 0) Complete(receipts, asked);
        return receipts;
    }

    private void Complete(Receipt[] receipts, List<(int Index, Written Message)> asked)
    {
        var stopped = asked.ConvertAll(one => (one.Message.Stops ?? []).Select(ask => ask()).ToList());
        var owners = asked.ConvertAll(one => one.Message.Target is { } place ? OwnerOf(place) : null);
        var persons = asked.Zip(owners, (one, owner) => owner?.Value is { } number ? people.Defer(one.Message.Target!.Holder.Company, number) : null).ToList();
        var sessions = asked.Zip(persons, (one, person) => one.Message.Target is { } place ? SessionOf(place, person?.Value) : null).ToList();
        for (var i = 0; i < asked.Count; i++)
        {
            var (index, message) = asked[i];
            JoinStop[] stops = [.. stopped[i].Select(stop => stop.Value).OfType<JoinStop>().Distinct().Order()];
            receipts[index] = message.Receipt with { JoinsStopped = stops.Length == 0 ? null : stops };
            if (message.Target is not { Holder.Company: var company }) continue;
            var session = sessions[i]!.Value;
            receipts[index] = receipts[index] with { ProfileId = persons[i]?.Value.Id, ServerSessionId = company.Anchor(session.First.UnixMilliseconds, session.FirstEventId) };
        }
    }

    private Lazy<long?> OwnerOf(DeliveryTarget place) =>
        place.Holder.Identifier != 0 ? new(place.Holder.Identifier) : spans.OwnerOf(place.Holder.Company, place.Holder.Session, place.Order);

    private Lazy<ServerRun> SessionOf(DeliveryTarget place, Person? person) =>
        person is null ? runs.WholeOfNobody(place.Holder.Company, place.Holder.Session, place.Order, place.Run) : runs.Whole(person, place.Order, place.Run);
}
