using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Messages as they came, each once (B10).</summary>
/// <param name="ahead">What goes ahead of the writer, where something does.</param>
internal sealed class MessageRows(Database database, BatchPrefetch? ahead)
{
    /// <param name="session">Of one that is bound through its session: that session.</param>
    /// <param name="identifier">Of one that names somebody: the first that it names.</param>
    /// <returns>Its number; null for a repeat.</returns>
    public long? Insert(TrackedEvent tracked, long? session, long? identifier) => Add(tracked, session, identifier);

    /// <returns>Its number; null for a repeat.</returns>
    public long? Insert(Identify identify) => Add(identify, null, null);

    private long? Add(Message message, long? session, long? identifier)
    {
        if (ahead?.IsRepeat(message) == true) return null;
        var kept = ahead?.TakeNumber(message);
        var number = kept ?? database.NextNumber("message");
        var insert = database.Use(kept is null ? MessageTable.InsertUnlessStored : MessageTable.Insert);
        MessageTable.Write(new Parameters(insert), message, number, session, identifier);
        if (kept is null) return insert.RunCounted() == 0 ? null : number;

        // One that is known to be new need not be waited for; where another server stores it at this moment, the transaction is begun anew.
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
