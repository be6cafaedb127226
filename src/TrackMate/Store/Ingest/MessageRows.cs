using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Messages as they came, each once (B10).</summary>
/// <param name="ahead">What goes ahead of the writer, where something does.</param>
internal sealed class MessageRows(Database database, BatchPrefetch? ahead)
{
    private const string Insertion = """
        INSERT INTO message (id, company, origin, event_id, session, identifier, named, at, received_ms, type, data, context, agent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """;

    private const string InsertionUnlessStored = Insertion + " ON CONFLICT DO NOTHING";

    /// <param name="session">Of one that is bound through its session: that session.</param>
    /// <param name="identifier">Of one that names somebody: the first that it names.</param>
    /// <returns>Its number; null for a repeat.</returns>
    public long? Insert(TrackedEvent tracked, long? session, long? identifier) =>
        Insert(tracked, session, identifier, tracked.Type, tracked.Data.Span, tracked.Context.Span, tracked.Agent);

    /// <returns>Its number; null for a repeat.</returns>
    public long? Insert(Identify identify) => Insert(identify, null, null, null, identify.Said.Span, default, null);

    private long? Insert(Message message, long? session, long? identifier, string? type, ReadOnlySpan<byte> data, ReadOnlySpan<byte> context, Agent? agent)
    {
        if (ahead?.IsRepeat(message) == true) return null;
        var kept = ahead?.TakeNumber(message);
        var number = kept ?? database.NextNumber("message");
        var insert = database.Use(kept is null ? InsertionUnlessStored : Insertion)
            .With(number).With(message.Company.Number).With((long)message.Order.Origin).With(message.EventId).With(session).With(identifier)
            .With(identifier is null ? null : (long?)message.Named[0].Kind).With(message.Order.Value).With(message.ReceivedAt).With(type).WithText(data);
        _ = context.IsEmpty ? insert.WithNull() : insert.WithText(context);
        _ = agent is null ? insert.WithNull() : insert.With(AgentText.Write(agent));
        if (kept is null) return insert.RunCounted() == 0 ? null : number;

        // One that is known to be new need not be waited for; where another server stores it at this moment, the transaction is begun anew.
        insert.Run();
        return number;
    }
}
