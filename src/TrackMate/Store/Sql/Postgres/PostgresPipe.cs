using System.Data;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Statements on their way to the server. What is written waits until something is read or committed, so that it goes out in one round trip with it; what is read is
/// read whole, so that other statements may run between its rows.
/// </summary>
internal sealed class PostgresPipe : IDisposable
{
    /// <summary>Statements that wait at most: more of them in one round trip gain nothing.</summary>
    private const int MostWaiting = 256;

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnection connection;
    private readonly bool readOnly;
    private readonly List<Waiting> waiting = [];

    /// <param name="Take">Given its rows, where they are wanted.</param>
    private readonly record struct Waiting(NpgsqlBatchCommand Command, Action<List<object?[]>>? Take)
    {
        public bool HasRows => Take is not null || Command.CommandText.StartsWith("SELECT", StringComparison.Ordinal);
    }

    /// <param name="readOnly">A reader's: whoever asks is told by <see cref="StoreUnavailableException"/> that the database cannot answer now.</param>
    public PostgresPipe(NpgsqlDataSource source, NpgsqlConnection connection, bool readOnly)
    {
        this.source = source;
        this.connection = connection;
        this.readOnly = readOnly;
        connection.Notice += (_, notice) => Warning = notice.Notice.InvariantSeverity == "WARNING" ? notice.Notice : Warning;
    }

    /// <summary>Whether what was begun here can go on.</summary>
    public bool IsOpen => connection.State is ConnectionState.Open;

    /// <summary>Lets go of the statements that the server has prepared.</summary>
    public void Unprepare() => connection.UnprepareAll();

    /// <summary>Gives the connection back.</summary>
    public void Dispose() => connection.Dispose();

    /// <summary>What the database warned of last.</summary>
    public PostgresNotice? Warning { get; private set; }

    /// <summary>Whether statements have no limit of time.</summary>
    public bool TakesLong { get; set; }

    /// <summary>Lets what waits go unsent, as where it is to be taken back.</summary>
    public void Forget() => waiting.Clear();

    /// <inheritdoc cref="Database.Fault"/>
    public Exception? Fault { get; private set; }

    /// <summary>Journeys to the server so far; a COPY is one.</summary>
    public long Journeys { get; private set; }

    /// <summary>Lets a statement wait.</summary>
    /// <param name="take">Given its rows when they are here; null where nobody looks at them.</param>
    public NpgsqlBatchCommand Add(string sql, IReadOnlyList<NpgsqlParameter> parameters, Action<List<object?[]>>? take = null)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        waiting.Add(new(command, take));
        if (waiting.Count >= MostWaiting) Flush();
        return command;
    }

    /// <summary>Sends what waits.</summary>
    public void Flush()
    {
        if (waiting.Count == 0) return;
        Warning = null;
        Waiting[] sent = [.. waiting];
        waiting.Clear();
        foreach (var (take, rows) in Defer(() => Send(sent))) take(rows);
    }

    /// <summary>Runs the statements of a file.</summary>
    public void Script(string sql)
    {
        Flush();
        Defer(() =>
        {
            using var script = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            return script.ExecuteNonQuery();
        });
    }

    /// <summary>Sends what waits and, with it, a statement whose rows are wanted now.</summary>
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
        Defer(() =>
        {
            using var copy = connection.BeginBinaryImport(sql);
            write(copy);
            return copy.Complete();
        });
    }

    /// <summary>Rows of a cursor; what they look like is not known before it is open, so this cannot be prepared.</summary>
    public List<object?[]> Fetch(string cursor, int count)
    {
        Flush();
        return Defer(() =>
        {
            using var fetch = new NpgsqlCommand($"FETCH {count.ToString(CultureInfo.InvariantCulture)} FROM {cursor}", connection);
            if (TakesLong) fetch.CommandTimeout = 0;
            using var reader = fetch.ExecuteReader();
            return RowsOf(reader);
        });
    }

    /// <summary>Sends what waits and, with it, a statement of which the number of changed rows is wanted.</summary>
    public int Change(string sql, IReadOnlyList<NpgsqlParameter> parameters)
    {
        var command = Add(sql, parameters);
        Flush();
        return (int)command.RecordsAffected;
    }

    /// <summary>Everything that goes to the server goes through here.</summary>
    /// <exception cref="StoreUnavailableException">A reader cannot read; whoever asked is told so.</exception>
    /// <exception cref="NpgsqlException">It failed otherwise.</exception>
    private T Defer<T>(Func<T> ask)
    {
        Journeys++;
        try
        {
            // What is left of one that broke throws all kinds of things.
            return connection.State is ConnectionState.Open ? ask() : throw new NpgsqlException("The connection to the database is gone");
        }
        catch (InvalidOperationException e) when (connection.State is not ConnectionState.Open)
        {
            source.Clear();
            throw Failed(new NpgsqlException("The connection to the database is gone", e));
        }
        catch (Exception e) when (PostgresFaults.IsUnavailable(e))
        {
            // What broke this one broke those that lie idle; and one to a server that has become a standby is good for nothing any more.
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
        // Known to the server from the first time on: preparing again costs nothing.
        batch.Prepare();
        using var reader = batch.ExecuteReader();
        var taken = new List<(Action<List<object?[]>>, List<object?[]>)>();
        foreach (var statement in statements.Where(statement => statement.HasRows))
        {
            // The reader stops at statements with rows only.
            var rows = RowsOf(reader);
            if (statement.Take is { } take) taken.Add((take, rows));
            reader.NextResult();
        }

        return taken;
    }
}
