using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Ingest;

/// <summary>Where a server's event was stored. The answer to its sender says whose timeline that is, which is looked up later.</summary>
/// <param name="Run">The run to which the event was added; null if unknown.</param>
internal sealed record DeliveryTarget(RunHolder Holder, EventOrder Order, ServerRun? Run = null);

/// <summary>The result of writing a message, as far as it is known at that moment.</summary>
/// <param name="Target">Null for browsers' messages: the answer to a browser does not say whose timeline it is.</param>
/// <param name="Stops">For each pair of identifiers in the message, a query for why it does not join. It must run after the joins are derived.</param>
internal readonly record struct Written(Receipt Receipt, DeliveryTarget? Target = null, IReadOnlyList<Func<Lazy<JoinStop?>>>? Stops = null)
{
    /// <summary>The result for a browser's new event. It is by far the most frequent one, so all share this instance.</summary>
    public static readonly Lazy<Written> Event = new(new Written(new(Duplicate: false)));

    /// <summary>Whether the receipt is complete without any query.</summary>
    public bool IsKnown => Target is null && Stops is not { Count: > 0 };
}

/// <summary>Completes the receipts of a transaction from the state after all of its messages. Each step defers the queries of all messages before reading a result.</summary>
internal sealed class Receipts(Database database)
{
    private readonly SpanRows spans = new(database);
    private readonly ServerRunRows runs = new(database);
    private readonly PersonReader people = new(database);

    /// <summary>Defers the receipt of a repeat. It describes the stored message, not the one that was sent again.</summary>
    public Lazy<Written> OfStored(IdCache ids, Message message)
    {
        var (company, origin) = (message.Company, message.Order.Origin);
        var receipt = new Receipt(Duplicate: true, UnknownUserId: message is TrackedEvent tracked && ids.IsUnknownUserId(tracked));
        return database.Use("SELECT session, identifier, at, type, data FROM message WHERE company = ? AND origin = ? AND event_id = ?")
            .With(company.Number).With((long)origin).With(message.EventId).Defer(stored =>
            {
                if (!stored.Next()) throw new InvalidOperationException("A repeat of a message that is not stored.");
                var (session, identifier) = (stored.LongOrNull(0), stored.LongOrNull(1));
                var reused = message switch
                {
                    TrackedEvent sent => stored.TextOrNull(3) != sent.Type
                        || !stored.Bytes(4).SequenceEqual(sent.Data.Span)
                        || identifier != (sent.Named.Count == 0 ? null : ids.Identifier(company, sent.Named[0].Id).Number)
                        || (identifier is null && session != ids.Session(company, sent.SessionId!).Number),
                    Identify sent => stored.TextOrNull(3) is not null || !stored.Bytes(4).SequenceEqual(sent.Said.Span),
                    _ => true,
                };
                var isPlaced = origin is Origin.Server && (session is not null || identifier is not null);
                return new Written(receipt with { Reused = reused }, isPlaced ? new(new(company, identifier ?? 0, identifier is null ? session!.Value : 0), new(stored.Long(2))) : null);
            });
    }

    /// <summary>The receipts, in the order of the messages.</summary>
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
        var stopped = asked.ConvertAll(one => (one.Message.Stops ?? []).Select(query => query()).ToList());
        var owners = asked.ConvertAll(one => one.Message.Target is { } target ? OwnerOf(target) : null);
        var persons = asked.Zip(owners, (one, owner) => owner?.Value is { } number ? people.Defer(one.Message.Target!.Holder.Company, number) : null).ToList();
        var sessions = asked.Zip(persons, (one, person) => one.Message.Target is { } target ? SessionOf(target, person?.Value) : null).ToList();
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

    private Lazy<long?> OwnerOf(DeliveryTarget target) =>
        target.Holder.Identifier != 0 ? new(target.Holder.Identifier) : spans.OwnerOf(target.Holder.Company, target.Holder.Session, target.Order);

    private Lazy<ServerRun> SessionOf(DeliveryTarget target, Person? person) =>
        person is null ? runs.WholeOfNobody(target.Holder.Company, target.Holder.Session, target.Order, target.Run) : runs.Whole(person, target.Order, target.Run);
}
