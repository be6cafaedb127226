using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// One connection to PostgreSQL. Writes are buffered until the next read or commit, and sent in one round trip with it. Results are read completely, so that other
/// statements may run between their rows.
/// </summary>
internal sealed partial class PostgresDatabase : Database
{
    private const string LastOfCompany = "SELECT id FROM message WHERE company = $1 ORDER BY id DESC LIMIT 1";

    /// <summary>Tables whose rows are listed in the order of their ids, across all servers.</summary>
    private static readonly string[] InOrder = ["message", "rejected", "warning", "audit"];

    /// <summary>Ids of sessions and identifiers that are reserved in one query.</summary>
    private const int NumbersAhead = 100;

    /// <summary>Ids of other listed rows that are reserved in one query, within a transaction.</summary>
    private const int NumbersInOrder = 20;

    private readonly NpgsqlConnection connection;
    private readonly PostgresPipe main;
    private readonly WorkerConnections? workerConnections;
    private readonly Dictionary<string, string> translated = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);
    private PostgresPipe pipe;
    private CompanyShards? place;
    private readonly Dictionary<string, Queue<long>> numbers = [];
    private readonly int locks;
    private readonly int? patienceSeconds;
    private readonly bool isDistributed;
    private readonly HashSet<string> cursors = [];
    private bool inTransaction;
    private bool hasBegun;
    private long begunFor;

    private PostgresDatabase(NpgsqlDataSource source, NpgsqlConnection connection, int locks, bool readOnly, int? patienceSeconds, CitusWorkers? workers, bool isDistributed)
    {
        this.connection = connection;
        this.locks = locks;
        this.patienceSeconds = patienceSeconds;
        this.isDistributed = isDistributed;
        pipe = main = new(source, connection, readOnly);
        workerConnections = workers is null ? null : new(workers, main, readOnly);
    }

    /// <param name="readOnly">Whether this is a reader. Its failures are thrown as <see cref="StoreUnavailableException"/>.</param>
    /// <param name="patienceSeconds">How long to wait for a company's lock; null for no limit.</param>
    /// <param name="workers">The Citus workers, to run transactions of one company on them; null to use the coordinator only.</param>
    /// <exception cref="NpgsqlException">The database cannot be reached, or does not accept the login.</exception>
    public static PostgresDatabase Open(NpgsqlDataSource source, bool readOnly = false, int? patienceSeconds = null, CitusWorkers? workers = null)
    {
        try
        {
            return Connect(source, readOnly, patienceSeconds, workers);
        }
        catch (NpgsqlException e) when (e.InnerException is not TimeoutException)
        {
            // If an idle connection of the pool is broken, the others may be too. Try once with a new one.
            source.Clear();
            return Connect(source, readOnly, patienceSeconds, workers);
        }
        catch (InvalidOperationException e)
        {
            throw new NpgsqlException("The connection to the database is gone", e);
        }
    }

    private static PostgresDatabase Connect(NpgsqlDataSource source, bool readOnly, int? patienceSeconds, CitusWorkers? workers)
    {
        var connection = source.OpenConnection();
        try
        {
            // Advisory locks belong to the database, and tables to a schema. Two installations in one database must not wait for each other.
            using var schema = new NpgsqlCommand("SELECT hashtext(current_schema()), EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')", connection);
            using (var row = schema.ExecuteReader())
            {
                row.Read();
                if (!row.IsDBNull(0)) return new(source, connection, row.GetInt32(0), readOnly, patienceSeconds, workers, row.GetBoolean(1));
            }

            var role = new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username;
            throw new NpgsqlException($"there is no schema in it that the role {role} may use; make the one that the connection's search_path names, or where it names none: CREATE SCHEMA AUTHORIZATION {role}");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override bool IsShared => true;

    public override bool IsIdle => !inTransaction;

    public override Exception? Fault => main.Fault ?? workerConnections?.Fault;

    public override bool HasBegun => inTransaction && hasBegun && (place is null || main.IsOpen);

    public NpgsqlConnection Connection => connection;

    /// <summary>The connection that the transaction uses: the worker's if the company lies on a worker, otherwise the coordinator's.</summary>
    public PostgresPipe Pipe => pipe;

    /// <summary>Whether the transaction runs on a worker, on the shards of one company.</summary>
    public bool IsOnWorker => place is not null;

    public override Statement Use(string sql) => Use(sql, isStream: false);

    public override Statement Stream(string sql) => Use(sql, isStream: true);

    /// <summary>A statement in PostgreSQL's SQL, as it is sent to the machine of the transaction.</summary>
    public string Placed(string sql) => place is null ? sql : workerConnections!.Place(sql, place)!;

    public override void Execute(string sql)
    {
        if (sql.StartsWith("BEGIN", StringComparison.Ordinal)) inTransaction = true;
        if (sql == "COMMIT" && pipe.TakesLong)
        {
            // The buffered statements may take long. The commit has a time limit, since a replica that does not confirm it now may never do so.
            pipe.Flush();
            pipe.TakesLong = false;
        }

        if (place is not null && sql is not ("COMMIT" or "ROLLBACK") && CompanyShards.IsOfInstallation(sql)) throw GoAround();
        pipe.Add(sql, []);
        pipe.Flush();
        if (sql is not ("COMMIT" or "ROLLBACK")) return;
        // A commit that is on one machine only may be lost with this machine.
        if (sql == "COMMIT" && pipe.Warning is { } warning) throw new UnconfirmedCommitException(warning);
        (inTransaction, pipe.TakesLong) = (false, false);
        cursors.Clear();
        (pipe, place) = (main, null);
    }

    public override bool TryExecute(string sql)
    {
        try
        {
            if (sql == "ROLLBACK")
            {
                pipe.Discard();
                main.Discard();
            }

            Execute(sql);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or StoreUnavailableException)
        {
            // The connection is lost, and the transaction with it.
            return false;
        }
    }

    public override (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables)
    {
        // The transaction reads all rows of the company.
        pipe.TakesLong = true;
        Execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        var schema = (string)pipe.Query("SELECT quote_ident(current_schema())", [])[0][0]!;
        var kept = $"{schema}.";
        if (pipe.Query("SELECT 1 FROM pg_extension WHERE extname = 'citus'", []).Count > 0)
        {
            // Each connection to a machine has a snapshot of its own, so one connection per machine is used. The store's rows are fetched into temporary tables first, since
            // Citus limits how temporary and distributed tables can be compared in one query.
            Execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'");
            kept = "pg_temp.kept_";
            foreach (var table in tables)
            {
                Execute($"CREATE TEMP TABLE kept_{table} (LIKE {schema}.{table}) ON COMMIT DROP");
                Execute($"INSERT INTO pg_temp.kept_{table} SELECT * FROM {schema}.{table}");
            }
        }

        foreach (var table in tables) Execute($"CREATE TEMP TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP");
        // Plans made before refer to the store's tables.
        Execute("DISCARD PLANS");
        return (kept, "pg_temp.");
    }

    public override long NextNumber(string table)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        // Ids may have been requested already.
        if (taken.Count == 0) main.Flush();
        if (taken.Count == 0)
        {
            AskNumbers(table, table == "message" ? 1 : InOrder.Contains(table) ? NumbersInOrder : NumbersAhead);
            main.Flush();
        }

        return taken.Dequeue();
    }

    /// <summary>Requests ids for rows that will be written. On Citus the coordinator gives them out.</summary>
    private void AskNumbers(string table, int count)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        main.Add($"SELECT nextval('{table}_number') FROM generate_series(1, $1)", [Parameter(count)], rows => rows.ForEach(row => taken.Enqueue((long)row[0]!)));
    }

    public override long LastMessage(long company)
    {
        var rows = pipe.Query(Placed(LastOfCompany), [Parameter(company)]);
        return rows.Count == 0 ? 0 : (long)rows[0][0]!;
    }

    public override void Dispose()
    {
        workerConnections?.Dispose();
        connection.Dispose();
    }

    internal static NpgsqlParameter Parameter(long value) => new NpgsqlParameter<long> { TypedValue = value };

    /// <summary>Returns a cursor name that is not in use. Names are reused, so that prepared statements are reused too.</summary>
    internal string OpenCursor()
    {
        for (var number = 1; ; number++)
        {
            if (cursors.Add($"rows_{number}")) return $"rows_{number}";
        }
    }

    internal void CloseCursor(string cursor)
    {
        if (inTransaction) pipe.Add($"CLOSE {cursor}", []);
        cursors.Remove(cursor);
    }

    private PostgresStatement Use(string sql, bool isStream)
    {
        var translated = Translated(sql);
        if (place is null) return new(this, pipe, translated, isStream);
        if (workerConnections!.Place(translated, place) is { } placed) return new(this, pipe, placed, isStream);
        // A statement on the installation's tables. A write must be in the same transaction as the company's rows, so the transaction has to run on the coordinator.
        return translated.StartsWith("SELECT", StringComparison.Ordinal) ? new(this, main, translated, isStream) : throw GoAround();
    }

    private ElsewhereException GoAround()
    {
        workerConnections!.GoAround(begunFor);
        return new();
    }

    private string Translated(string sql)
    {
        if (translated.TryGetValue(sql, out var known)) return known;
        return translated[sql] = Dialect.Of(sql);
    }
}
