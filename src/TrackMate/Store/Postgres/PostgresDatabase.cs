using System.Data;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>
/// One connection to PostgreSQL. What is written waits until something is read or committed, so that it goes out in one round trip with it; what is read is read
/// whole, so that other statements may run between its rows.
/// </summary>
internal sealed class PostgresDatabase : Database
{
    /// <summary>Statements that wait at most: more of them in one round trip gain nothing.</summary>
    private const int MostWaiting = 256;

    /// <summary>Numbers of sessions and identifiers that are taken at once.</summary>
    private const int NumbersAhead = 100;

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnection connection;
    private readonly bool readOnly;
    private readonly Dictionary<string, string> translated = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);
    private readonly Dictionary<string, Queue<long>> numbers = [];
    private readonly List<NpgsqlBatchCommand> waiting = [];
    private readonly int locks;
    private readonly HashSet<string> cursors = [];
    private bool inTransaction;

    /// <summary>What derives a company anew may go through all that it holds.</summary>
    private bool takesLong;

    private PostgresDatabase(NpgsqlDataSource source, NpgsqlConnection connection, int locks, bool readOnly)
    {
        this.source = source;
        this.connection = connection;
        this.locks = locks;
        this.readOnly = readOnly;
    }

    /// <param name="readOnly">A reader's: whoever asks it is told by <see cref="StoreUnavailableException"/> that the database cannot answer now.</param>
    /// <exception cref="NpgsqlException">The database cannot be reached, or does not let us in.</exception>
    public static PostgresDatabase Open(NpgsqlDataSource source, bool readOnly = false)
    {
        try
        {
            return Connect(source, readOnly);
        }
        catch (NpgsqlException e) when (e.InnerException is not TimeoutException)
        {
            // One that lay idle may have lost what it was connected to, and then so have its neighbours; a new one says whether that is so.
            source.Clear();
            return Connect(source, readOnly);
        }
        catch (InvalidOperationException e)
        {
            throw new NpgsqlException("The connection to the database is gone", e);
        }
    }

    private static PostgresDatabase Connect(NpgsqlDataSource source, bool readOnly)
    {
        var connection = source.OpenConnection();
        try
        {
            // Locks are the database's, tables those of a schema: two installations in one database must not wait for each other.
            using var schema = new NpgsqlCommand("SELECT hashtext(current_schema())", connection);
            return new(source, connection, (int)schema.ExecuteScalar()!, readOnly);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override bool IsShared => true;

    public override Write.IBulk? Bulk => new PostgresBulk(this);

    public override bool IsIdle => !inTransaction;

    public NpgsqlConnection Connection => connection;

    public override Statement Use(string sql) => new PostgresStatement(this, Translated(sql), isStream: false);

    public override Statement Stream(string sql) => new PostgresStatement(this, Translated(sql), isStream: true);

    public override void Execute(string sql)
    {
        Add(sql, []);
        if (sql is "COMMIT" or "ROLLBACK")
        {
            (inTransaction, takesLong) = (false, false);
            cursors.Clear();
        }
        else if (sql.StartsWith("BEGIN", StringComparison.Ordinal)) inTransaction = true;
        Flush();
    }

    public override bool TryExecute(string sql)
    {
        try
        {
            if (sql == "ROLLBACK") waiting.Clear();
            Execute(sql);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or StoreUnavailableException)
        {
            // A connection that has gone is no place to take anything back from.
            return false;
        }
    }

    /// <summary>
    /// Everybody takes the company's first lock, alone who rewrites it; who binds takes the second one, alone. So any number append while one binds, and nobody does
    /// anything while one rewrites. Companies are locked in the order of their numbers, so that two servers never wait for each other.
    /// </summary>
    public override void BeginWrite(IEnumerable<(long Company, Hold Hold)> holds, int messages = 0)
    {
        Add("BEGIN", []);
        inTransaction = true;
        // What begins later has greater numbers than all that is there, so none is left over from before.
        numbers.Remove("message");
        foreach (var company in holds.GroupBy(hold => hold.Company, hold => hold.Hold).OrderBy(company => company.Key))
        {
            var hold = company.Max();
            takesLong |= hold is Hold.Rewrite;
            Add(hold is Hold.Rewrite ? "SELECT pg_advisory_xact_lock($1)" : "SELECT pg_advisory_xact_lock_shared($1)", [Parameter(LockOf(company.Key, 0))]);
            if (hold is Hold.Bind) Add("SELECT pg_advisory_xact_lock($1)", [Parameter(LockOf(company.Key, 1))]);
        }

        if (messages > 0) TakeNumbers("message", messages);
        else Flush();
    }

    public override void BeginRead() => Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

    public override (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables)
    {
        Execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        var schema = (string)Query("SELECT quote_ident(current_schema())", [])[0][0]!;
        foreach (var table in tables) Execute($"CREATE TEMP TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP");
        // What was prepared before means the store's tables still.
        Execute("DISCARD PLANS");
        return (schema, "pg_temp");
    }

    public override long NextNumber(string table)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        if (taken.Count == 0) TakeNumbers(table, table == "message" ? 1 : NumbersAhead);
        return taken.Dequeue();
    }

    /// <summary>Takes numbers for rows that are about to be written.</summary>
    private void TakeNumbers(string table, int count)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        foreach (var row in Query($"SELECT nextval('{table}_number') FROM generate_series(1, $1)", [Parameter(count)])) taken.Enqueue((long)row[0]!);
    }

    public override long LastMessage(long company)
    {
        var rows = Query("SELECT id FROM message WHERE company = $1 ORDER BY id DESC LIMIT 1", [Parameter(company)]);
        return rows.Count == 0 ? 0 : (long)rows[0][0]!;
    }

    public override void Dispose() => connection.Dispose();

    internal static NpgsqlParameter Parameter(long value) => new NpgsqlParameter<long> { TypedValue = value };

    /// <summary>Lets a statement wait whose rows nobody looks at.</summary>
    internal void Add(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        waiting.Add(CommandOf(sql, parameters));
        if (waiting.Count >= MostWaiting) Flush();
    }

    /// <summary>Sends what waits.</summary>
    internal void Flush()
    {
        if (waiting.Count == 0) return;
        Ask(() =>
        {
            using var batch = Batch();
            return batch.ExecuteNonQuery();
        });
    }

    /// <summary>Runs the statements of a file.</summary>
    internal void Script(string sql)
    {
        Flush();
        Ask(() =>
        {
            using var script = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            return script.ExecuteNonQuery();
        });
    }

    /// <summary>Sends what waits and, with it, a statement whose rows are wanted.</summary>
    internal List<object?[]> Query(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        var before = waiting.Count;
        waiting.Add(CommandOf(sql, parameters));
        return Ask(() =>
        {
            using var batch = Batch();
            using var reader = batch.ExecuteReader(CommandBehavior.Default);
            // The reader stops at statements with rows only.
            for (var i = 0; i < before; i++)
            {
                if (batch.BatchCommands[i].CommandText.StartsWith("SELECT", StringComparison.Ordinal)) reader.NextResult();
            }

            return RowsOf(reader);
        });
    }

    /// <summary>Sends rows by COPY.</summary>
    internal void Copy(string sql, Action<NpgsqlBinaryImporter> write)
    {
        Flush();
        Ask(() =>
        {
            using var copy = connection.BeginBinaryImport(sql);
            write(copy);
            return copy.Complete();
        });
    }

    /// <summary>Rows of a cursor; what they look like is not known before it is open, so this cannot be prepared.</summary>
    internal List<object?[]> Fetch(string cursor, int count)
    {
        Flush();
        return Ask(() =>
        {
            using var fetch = new NpgsqlCommand($"FETCH {count.ToString(CultureInfo.InvariantCulture)} FROM {cursor}", connection);
            using var reader = fetch.ExecuteReader();
            return RowsOf(reader);
        });
    }

    /// <summary>Sends what waits and, with it, a statement of which the number of changed rows is wanted.</summary>
    internal int Change(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        var command = CommandOf(sql, parameters);
        waiting.Add(command);
        return Ask(() =>
        {
            using var batch = Batch();
            batch.ExecuteNonQuery();
            return (int)command.RecordsAffected;
        });
    }

    /// <summary>The name of one that is not in use; names come again, so that what is prepared does too.</summary>
    internal string OpenCursor()
    {
        for (var number = 1; ; number++)
        {
            if (cursors.Add($"rows_{number}")) return $"rows_{number}";
        }
    }

    internal void CloseCursor(string cursor)
    {
        if (inTransaction) Add($"CLOSE {cursor}", []);
        cursors.Remove(cursor);
    }

    /// <summary>Everything that goes to the server goes through here.</summary>
    /// <exception cref="StoreUnavailableException">A reader cannot read; whoever asked is told so.</exception>
    /// <exception cref="NpgsqlException">It failed otherwise.</exception>
    private T Ask<T>(Func<T> ask)
    {
        try
        {
            // What is left of one that broke throws all kinds of things.
            return connection.State is ConnectionState.Open ? ask() : throw new NpgsqlException("The connection to the database is gone");
        }
        catch (InvalidOperationException e) when (connection.State is not ConnectionState.Open)
        {
            source.Clear();
            if (readOnly) throw new StoreUnavailableException("The store cannot be read now.", e);
            throw new NpgsqlException("The connection to the database is gone", e);
        }
        catch (Exception e) when (PostgresEngine.IsFault(e))
        {
            // What broke this one broke those that lie idle; and one to a server that has become a standby is good for nothing any more.
            if (connection.State is not ConnectionState.Open || e is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }) source.Clear();
            if (readOnly) throw new StoreUnavailableException("The store cannot be read now.", e);
            throw;
        }
    }

    private static List<object?[]> RowsOf(NpgsqlDataReader reader)
    {
        var rows = new List<object?[]>();
        while (reader.Read())
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }

        return rows;
    }

    private NpgsqlBatch Batch()
    {
        var batch = new NpgsqlBatch(connection);
        if (takesLong) batch.Timeout = 0;
        foreach (var command in waiting) batch.BatchCommands.Add(command);
        waiting.Clear();
        try
        {
            // Known to the server from the first time on: preparing again costs nothing.
            batch.Prepare();
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    private static NpgsqlBatchCommand CommandOf(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    private string Translated(string sql)
    {
        if (translated.TryGetValue(sql, out var known)) return known;
        return translated[sql] = Dialect.Of(sql);
    }

    private long LockOf(long company, int which) => ((long)(locks ^ (which * 0x5bd1e995)) << 32) | (uint)company;
}
