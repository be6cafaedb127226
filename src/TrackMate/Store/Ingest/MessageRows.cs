using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Stores messages as they were sent, each once (B10).</summary>
/// <param name="prefetch">The batch prefetch, if the engine has one.</param>
internal sealed class MessageRows(Database database, BatchPrefetch? prefetch)
{
    private const string Insertion = """
        INSERT INTO message (id, company, origin, event_id, session, identifier, named, at, received_ms, type, data, context, agent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """;

    private const string InsertionUnlessStored = Insertion + " ON CONFLICT DO NOTHING";

    /// <param name="session">The session through which the event is bound, if it names nobody.</param>
    /// <param name="identifier">The first identifier that the event names, if any.</param>
    /// <returns>The message's number; null for a repeat.</returns>
    public long? Insert(TrackedEvent tracked, long? session, long? identifier) =>
        Insert(tracked, session, identifier, tracked.Type, tracked.Data.Span, tracked.Context.Span, tracked.Agent);

    /// <returns>The message's number; null for a repeat.</returns>
    public long? Insert(Identify identify) => Insert(identify, null, null, null, identify.Said.Span, default, null);

    private long? Insert(Message message, long? session, long? identifier, string? type, ReadOnlySpan<byte> data, ReadOnlySpan<byte> context, Agent? agent)
    {
        if (prefetch?.IsRepeat(message) == true) return null;
        var reserved = prefetch?.TakeNumber(message);
        var number = reserved ?? database.NextNumber("message");
        var insert = database.Use(reserved is null ? InsertionUnlessStored : Insertion)
            .With(number).With(message.Company.Number).With((long)message.Order.Origin).With(message.EventId).With(session).With(identifier)
            .With(identifier is null ? null : (long?)message.Named[0].Kind).With(message.Order.Value).With(message.ReceivedAt).With(type).WithText(data);
        _ = context.IsEmpty ? insert.WithNull() : insert.WithText(context);
        _ = agent is null ? insert.WithNull() : insert.With(AgentText.Write(agent));
        if (reserved is null) return insert.RunCounted() == 0 ? null : number;

        // The message is known to be new, so there is no need to wait for the result. If another server stores it at this moment, the transaction is retried.
        insert.Run();
        return number;
    }
}
