using System.Data;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Buffers the statements of one connection. Writes wait until the next read or commit, and are sent in one round trip with it. Results are read completely, so that
/// other statements may run between their rows.
/// </summary>
internal sealed class PostgresPipe : IDisposable
{
    /// <summary>The most statements that wait. Larger batches are not faster.</summary>
    private const int MostWaiting = 256;

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnection connection;
    private readonly bool readOnly;
    private readonly List<Waiting> waiting = [];

    /// <param name="Take">Receives the rows, if they are needed.</param>
    private readonly record struct Waiting(NpgsqlBatchCommand Command, Action<List<object?[]>>? Take)
    {
        public bool HasRows => Take is not null || Command.CommandText.StartsWith("SELECT", StringComparison.Ordinal);
    }

    /// <param name="readOnly">Whether this is a reader's connection. Its failures are thrown as <see cref="StoreUnavailableException"/>.</param>
    public PostgresPipe(NpgsqlDataSource source, NpgsqlConnection connection, bool readOnly)
    {
        this.source = source;
        this.connection = connection;
        this.readOnly = readOnly;
        connection.Notice += (_, notice) => Warning = notice.Notice.InvariantSeverity == "WARNING" ? notice.Notice : Warning;
    }

    /// <summary>Whether the connection is open, so that its transaction can continue.</summary>
    public bool IsOpen => connection.State is ConnectionState.Open;

    /// <summary>Releases the statements that the server has prepared.</summary>
    public void Unprepare() => connection.UnprepareAll();

    /// <summary>Returns the connection to the pool.</summary>
    public void Dispose() => connection.Dispose();

    /// <summary>The last warning of the database since the last batch.</summary>
    public PostgresNotice? Warning { get; private set; }

    /// <summary>Whether statements run without a time limit.</summary>
    public bool TakesLong { get; set; }

    /// <summary>Discards the waiting statements, for a rollback.</summary>
    public void Discard() => waiting.Clear();

    /// <inheritdoc cref="Database.Fault"/>
    public Exception? Fault { get; private set; }

    /// <summary>The number of round trips to the server so far. A COPY counts as one.</summary>
    public long RoundTrips { get; private set; }

    /// <summary>Adds a statement to those that wait.</summary>
    /// <param name="take">Receives the rows when they arrive; null if nobody reads them.</param>
    public NpgsqlBatchCommand Add(string sql, IReadOnlyList<NpgsqlParameter> parameters, Action<List<object?[]>>? take = null)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        waiting.Add(new(command, take));
        if (waiting.Count >= MostWaiting) Flush();
        return command;
    }

    /// <summary>Sends the waiting statements.</summary>
    public void Flush()
    {
        if (waiting.Count == 0) return;
        Warning = null;
        Waiting[] sent = [.. waiting];
        waiting.Clear();
        foreach (var (take, rows) in Perform(() => Send(sent))) take(rows);
    }

    /// <summary>Runs the statements of a .sql file.</summary>
    public void Script(string sql)
    {
        Flush();
        Perform(() =>
        {
            using var script = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            return script.ExecuteNonQuery();
        });
    }

    /// <summary>Sends the waiting statements together with a query, and returns the query's rows.</summary>
    public List<object?[]> Query(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        List<object?[]> found = [];
        Add(sql, parameters, rows => found = rows);
        Flush();
        return found;
    }

    /// <summary>Sends rows by COPY.</summary>
    public void Copy(string sql, Action<NpgsqlBinaryImporter> write)
    {
        Flush();
        Perform(() =>
        {
            using var copy = connection.BeginBinaryImport(sql);
            write(copy);
            return copy.Complete();
        });
    }

    /// <summary>Fetches rows of a cursor. The statement cannot be prepared, since its columns are unknown before the cursor is open.</summary>
    public List<object?[]> Fetch(string cursor, int count)
    {
        Flush();
        return Perform(() =>
        {
            using var fetch = new NpgsqlCommand($"FETCH {count.ToString(CultureInfo.InvariantCulture)} FROM {cursor}", connection);
            if (TakesLong) fetch.CommandTimeout = 0;
            using var reader = fetch.ExecuteReader();
            return RowsOf(reader);
        });
    }

    /// <summary>Sends the waiting statements together with a write, and returns the number of rows that it changed.</summary>
    public int Change(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        var command = Add(sql, parameters);
        Flush();
        return (int)command.RecordsAffected;
    }

    /// <summary>Performs every exchange with the server, and translates its failures.</summary>
    /// <exception cref="StoreUnavailableException">A reader's query failed.</exception>
    /// <exception cref="NpgsqlException">Any other failure.</exception>
    private T Perform<T>(Func<T> exchange)
    {
        RoundTrips++;
        try
        {
            // A broken connection throws exceptions of many types, so its state is checked first.
            return connection.State is ConnectionState.Open ? exchange() : throw new NpgsqlException("The connection to the database is gone");
        }
        catch (InvalidOperationException e) when (connection.State is not ConnectionState.Open)
        {
            source.Clear();
            throw Failed(new NpgsqlException("The connection to the database is gone", e));
        }
        catch (Exception e) when (PostgresFaults.IsUnavailable(e))
        {
            // The same cause breaks the pool's idle connections. A connection to a server that has become a standby is useless too.
            if (connection.State is not ConnectionState.Open || e is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }) source.Clear();
            if (!readOnly) throw;
            throw Failed(e);
        }
    }

    private Exception Failed(Exception e)
    {
        if (!readOnly) return e;
        Fault = e;
        return new StoreUnavailableException("The store cannot be read now.", e);
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

    private List<(Action<List<object?[]>> Take, List<object?[]> Rows)> Send(Waiting[] statements)
    {
        using var batch = new NpgsqlBatch(connection);
        if (TakesLong) batch.Timeout = 0;
        foreach (var statement in statements) batch.BatchCommands.Add(statement.Command);
        // The server keeps the statements from the first time on; preparing them again is free.
        batch.Prepare();
        using var reader = batch.ExecuteReader();
        var taken = new List<(Action<List<object?[]>>, List<object?[]>)>();
        foreach (var statement in statements.Where(statement => statement.HasRows))
        {
            // The reader stops only at statements that return rows.
            var rows = RowsOf(reader);
            if (statement.Take is { } take) taken.Add((take, rows));
            reader.NextResult();
        }

        return taken;
    }
}
