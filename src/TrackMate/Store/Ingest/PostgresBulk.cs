using Npgsql;
using NpgsqlTypes;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Statements for many rows: arrays that the database unnests, and COPY. Each row is looked up separately inside the statement, by its unique key: for a lookup of the
/// whole set, a database without statistics of a new table might scan all of the company's rows. The queries are deferred, as by <see cref="Statement.Defer"/>.
/// </summary>
internal sealed class PostgresBulk(PostgresDatabase database)
{
    /// <summary>Finds the messages that are stored already.</summary>
    public Lazy<List<(Origin Origin, string EventId)>> Stored(long company, IReadOnlyCollection<(Origin Origin, string EventId)> messages)
    {
        var asked = messages.GroupBy(message => message.Origin, message => message.EventId).Select(ofOne => Defer(
            """
            SELECT given.event_id FROM unnest($3) AS given (event_id)
            CROSS JOIN LATERAL (SELECT 1 FROM message WHERE company = $1 AND origin = $2 AND event_id = given.event_id LIMIT 1) AS known
            """,
            [PostgresDatabase.Parameter(company), PostgresDatabase.Parameter((long)ofOne.Key), Array([.. ofOne])],
            row => (ofOne.Key, (string)row[0]!))).ToList();
        return new(() => [.. asked.SelectMany(ofOne => ofOne.Value)], LazyThreadSafetyMode.None);
    }

    /// <summary>
    /// Finds sessions, and creates the missing ones with the UTC day of their first event that is not a bot's, if they have one. The created ones are marked as new. Rows are
    /// created in the order of the session ids, so that two servers that create the same sessions cannot deadlock.
    /// </summary>
    public Lazy<List<(string SessionId, long Number, long? FirstDay, bool IsNew)>> Sessions(long company, IReadOnlyDictionary<string, long?> firstDays)
    {
        string[] sessionIds = [.. firstDays.Keys.Order(StringComparer.Ordinal)];
        var numbers = sessionIds.Select(_ => database.NextNumber("session")).ToHashSet();
        Add(
            """
            INSERT INTO session (company, id, session_id, first_day)
            SELECT $1, given.id, given.session_id, given.first_day FROM unnest($2, $3, $4) AS given (id, session_id, first_day)
            ON CONFLICT (company, session_id) DO NOTHING
            """,
            [
                PostgresDatabase.Parameter(company), new NpgsqlParameter<long[]> { TypedValue = [.. numbers] }, Array(sessionIds),
                new NpgsqlParameter<long?[]> { TypedValue = [.. sessionIds.Select(sessionId => firstDays[sessionId])] },
            ]);
        return Defer(
            """
            SELECT known.session_id, known.id, known.first_day FROM unnest($2) AS given (session_id)
            CROSS JOIN LATERAL (SELECT session_id, id, first_day FROM session WHERE company = $1 AND session_id = given.session_id LIMIT 1) AS known
            """,
            [PostgresDatabase.Parameter(company), Array(sessionIds)],
            row => ((string)row[0]!, (long)row[1]!, (long?)row[2], numbers.Contains((long)row[1]!)));
    }

    /// <summary>Finds identifiers.</summary>
    public Lazy<List<(ProfileId Leaf, long Number, IdentifierKind Kind, long? FirstNamed, bool Verified)>> Identifiers(long company, IReadOnlyCollection<ProfileId> leaves) =>
        Defer(
            """
            SELECT known.leaf, known.id, known.kind, known.first_named_ms, known.verified FROM unnest($2) AS given (leaf)
            CROSS JOIN LATERAL (SELECT leaf, id, kind, first_named_ms, verified FROM identifier WHERE company = $1 AND leaf = given.leaf LIMIT 1) AS known
            """,
            [PostgresDatabase.Parameter(company), new NpgsqlParameter<byte[][]> { TypedValue = [.. leaves.Select(leaf => leaf.ToBytes())] }],
            row => (ProfileId.FromBytes((byte[])row[0]!), (long)row[1]!, (IdentifierKind)(short)row[2]!, (long?)row[3], (short)row[4]! == 1));

    /// <summary>Adds new events by COPY, the fastest way. If another server stores one of them at the same moment, the transaction fails and is retried; that event is then a repeat.</summary>
    public void Add(IReadOnlyCollection<NumberedEvent> events)
    {
        database.Pipe.Copy(database.Placed(MessageTable.Copy), copy =>
        {
            foreach (var (tracked, number, session) in events)
            {
                copy.StartRow();
                MessageTable.Write(new CopiedRow(copy), tracked, number, session, identifier: null);
            }
        });
    }

    private Lazy<List<T>> Defer<T>(string sql, NpgsqlParameter[] parameters, Func<object?[], T> read)
    {
        List<object?[]>? found = null;
        Add(sql, parameters, rows => found = rows);
        return new(() =>
        {
            if (found is null) database.Pipe.Flush();
            return found!.ConvertAll(row => read(row));
        }, LazyThreadSafetyMode.None);
    }

    private void Add(string sql, NpgsqlParameter[] parameters, Action<List<object?[]>>? take = null) => database.Pipe.Add(database.Placed(sql), parameters, take);

    private static NpgsqlParameter<string[]> Array(string[] values) => new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    /// <summary>A message as a row of COPY.</summary>
    private readonly struct CopiedRow(NpgsqlBinaryImporter copy) : IMessageValues
    {
        public void Number(long? value)
        {
            if (value is { } number) copy.Write(number, NpgsqlDbType.Bigint);
            else copy.WriteNull();
        }

        public void SmallNumber(short? value)
        {
            if (value is { } number) copy.Write(number, NpgsqlDbType.Smallint);
            else copy.WriteNull();
        }

        public void Text(string? value)
        {
            if (value is null) copy.WriteNull();
            else copy.Write(value, NpgsqlDbType.Text);
        }

        public void Json(ReadOnlyMemory<byte> utf8) => copy.Write(utf8, NpgsqlDbType.Text);

        public void JsonOrNull(ReadOnlyMemory<byte> utf8)
        {
            if (utf8.IsEmpty) copy.WriteNull();
            else Json(utf8);
        }
    }
}
