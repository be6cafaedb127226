using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Stores messages as they were sent, each once (B10).</summary>
/// <param name="prefetch">The batch prefetch, if the engine has one.</param>
internal sealed class MessageRows(Database database, BatchPrefetch? prefetch)
{
    /// <param name="session">The session through which the event is bound, if it names nobody.</param>
    /// <param name="identifier">The first identifier that the event names, if any.</param>
    /// <returns>The message's number; null for a repeat.</returns>
    public long? Insert(TrackedEvent tracked, long? session, long? identifier) => Add(tracked, session, identifier);

    /// <returns>The message's number; null for a repeat.</returns>
    public long? Insert(Identify identify) => Add(identify, null, null);

    private long? Add(Message message, long? session, long? identifier)
    {
        if (prefetch?.IsRepeat(message) == true) return null;
        var reserved = prefetch?.TakeNumber(message);
        var number = reserved ?? database.NextNumber("message");
        var insert = database.Use(reserved is null ? MessageTable.InsertUnlessStored : MessageTable.Insert);
        MessageTable.Write(new Parameters(insert), message, number, session, identifier);
        if (reserved is null) return insert.RunCounted() == 0 ? null : number;

        // The message is known to be new, so there is no need to wait for the result. If another server stores it at this moment, the transaction is retried.
        insert.Run();
        return number;
    }

    /// <summary>The row as parameters of a statement.</summary>
    private readonly struct Parameters(Statement statement) : IMessageValues
    {
        public void Number(long? value) => statement.With(value);

        public void SmallNumber(short? value) => statement.With(value);

        public void Text(string? value) => statement.With(value);

        public void Json(ReadOnlyMemory<byte> utf8) => statement.WithText(utf8.Span);

        public void JsonOrNull(ReadOnlyMemory<byte> utf8) => _ = utf8.IsEmpty ? statement.WithNull() : statement.WithText(utf8.Span);
    }
}
