using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// Table <c>message</c>: events and identifies as they were sent; a row is never changed. This is the one definition of its columns: the insertion, COPY on PostgreSQL and
/// every reader of whole rows are made from it. A new column is named in <see cref="Columns"/>, given a place, and added to <see cref="Write"/>, <see cref="MessageRow"/> and
/// <see cref="Read"/>. <c>EveryFieldTests</c> fails for what is forgotten, here or in an export.
/// </summary>
internal static class MessageTable
{
    /// <summary><c>origin</c>: a browser sent it, with the public company id. As <see cref="Origin"/>.</summary>
    public const string Browser = "0";

    /// <summary><c>origin</c>: a back end sent it, with an API key. As <see cref="Origin"/>.</summary>
    public const string Server = "1";

    /// <summary><c>named</c>: the identifier was named as a userId of which nobody had said what it is the id of. As <see cref="IdentifierKind"/>.</summary>
    public const string NamedBare = "3";

    /// <summary>All columns, in the order of <see cref="Place"/>.</summary>
    public const string Columns = "id, company, origin, event_id, session, identifier, named, at, received_ms, type, data, context, agent";

    public const string Select = $"SELECT {Columns} FROM message";

    public const string Insert = $"INSERT INTO message ({Columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    public const string InsertUnlessStored = $"{Insert} ON CONFLICT DO NOTHING";

    public const string Copy = $"COPY message ({Columns}) FROM STDIN (FORMAT BINARY)";

    /// <summary>Where each column stands in a row of <see cref="Select"/>.</summary>
    public static class Place
    {
        public const int Id = 0;
        public const int Company = 1;
        public const int Origin = 2;
        public const int EventId = 3;
        public const int Session = 4;
        public const int Identifier = 5;
        public const int Named = 6;
        public const int At = 7;
        public const int ReceivedAt = 8;
        public const int Type = 9;
        public const int Data = 10;
        public const int Context = 11;
        public const int Agent = 12;
    }

    /// <summary>Stores a message as it was sent, once (B10).</summary>
    /// <param name="session">The session through which an event is bound, if it names nobody.</param>
    /// <param name="identifier">The first identifier that an event names, if any.</param>
    /// <returns>The message's number; null for a repeat.</returns>
    public static long? Store(Database database, Message message, ReservedNumber reserved, long? session, long? identifier)
    {
        if (reserved.IsRepeat) return null;
        var number = reserved.Number ?? database.NextNumber("message");
        var insert = database.Use(reserved.Number is null ? InsertUnlessStored : Insert);
        Write(new Parameters(insert), message, number, session, identifier);
        if (reserved.Number is null) return insert.RunCounted() == 0 ? null : number;

        // The message is known to be new, so there is no need to wait for the result. If another server stores it at this moment, the transaction is retried.
        insert.Run();
        return number;
    }

    /// <summary>Gives the values of a message's columns, in their order.</summary>
    /// <param name="session">The session that an event is bound through.</param>
    /// <param name="identifier">The number of the first identifier that an event names. Identifies leave both to their claim.</param>
    public static void Write<TValues>(TValues values, Message message, long number, long? session, long? identifier)
        where TValues : struct, IMessageValues
    {
        var tracked = message as TrackedEvent;
        values.Number(number);
        values.Number(message.Company.Number);
        values.SmallNumber((short)message.Order.Origin);
        values.Text(message.EventId);
        values.Number(session);
        values.Number(identifier);
        values.SmallNumber(identifier is null ? null : (short)message.Named[0].Kind);
        values.Number(message.Order.Value);
        values.Number(message.ReceivedAt);
        values.Text(tracked?.Type);
        values.Json(tracked?.Data ?? ((Identify)message).Said);
        values.JsonOrNull(tracked?.Context ?? default);
        values.Text(tracked?.Agent is { } agent ? AgentText.Write(agent) : null);
    }

    /// <summary>Reads the row of <see cref="Select"/> that a statement is at.</summary>
    public static MessageRow Read(Statement row) => new(
        row.Long(Place.Id),
        (Origin)row.Long(Place.Origin),
        row.Text(Place.EventId),
        row.LongOrNull(Place.Session),
        row.LongOrNull(Place.Identifier),
        (IdentifierKind?)row.LongOrNull(Place.Named),
        new(row.Long(Place.At)),
        row.Long(Place.ReceivedAt),
        row.TextOrNull(Place.Type),
        row.Bytes(Place.Data).ToArray(),
        row.Bytes(Place.Context).ToArray(),
        AgentText.Read(row.TextOrNull(Place.Agent)));

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

/// <summary>What a batch prefetch knows of a message that is about to be stored; the default value where there is none.</summary>
/// <param name="IsRepeat">The message was stored before this transaction.</param>
/// <param name="Number">The number reserved for a message that is known to be new; null if only the table can tell.</param>
internal readonly record struct ReservedNumber(bool IsRepeat, long? Number);

/// <summary>Takes the values of a new row, in the order of its columns: parameters of a statement, or a row of COPY.</summary>
internal interface IMessageValues
{
    void Number(long? value);

    /// <summary>A number that PostgreSQL keeps in two bytes.</summary>
    void SmallNumber(short? value);

    void Text(string? value);

    /// <summary>UTF-8 JSON as it was sent.</summary>
    void Json(ReadOnlyMemory<byte> utf8);

    /// <summary>The same; null if it is empty.</summary>
    void JsonOrNull(ReadOnlyMemory<byte> utf8);
}

/// <summary>A row of <c>message</c>.</summary>
/// <param name="Session">The session that an event is bound through.</param>
/// <param name="Identifier">The identifier that a back end's event names first.</param>
/// <param name="NamedAs">As what it names it.</param>
/// <param name="Type">Null for an identify.</param>
/// <param name="Data">UTF-8 JSON of an event's data, or of a whole identify.</param>
/// <param name="Context">UTF-8 JSON; empty if none was sent.</param>
internal sealed record MessageRow(
    long Number,
    Origin Origin,
    string EventId,
    long? Session,
    long? Identifier,
    IdentifierKind? NamedAs,
    EventOrder Order,
    long ReceivedAt,
    string? Type,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Context,
    Agent? Agent)
{
    /// <summary>The message that was accepted; of an identify without its traits, which <c>Said</c> holds.</summary>
    /// <param name="sessionId">The session of the message, or of its claim.</param>
    /// <param name="named">The identifiers that it named, in their order.</param>
    /// <param name="trust">Of an identify: the trust of its claim.</param>
    public Message ToMessage(Company company, string? sessionId, IReadOnlyList<Identifier> named, Trust trust) => Type is null
        ? new Identify
        {
            Company = company,
            EventId = EventId,
            Order = Order,
            ReceivedAt = ReceivedAt,
            SessionId = sessionId,
            Named = named,
            Trust = trust,
            Said = Data,
        }
        : new TrackedEvent
        {
            Company = company,
            EventId = EventId,
            Order = Order,
            ReceivedAt = ReceivedAt,
            SessionId = sessionId,
            Named = named,
            Type = Type,
            Data = Data,
            Context = Context,
            Agent = Agent,
        };
}
