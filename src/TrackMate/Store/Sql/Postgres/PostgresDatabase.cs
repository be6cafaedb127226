using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// One connection to PostgreSQL. What is written waits until something is read or committed, so that it goes out in one round trip with it; what is read is read
/// whole, so that other statements may run between its rows.
/// </summary>
internal sealed partial class PostgresDatabase : Database
{
    private const string LastOfCompany = "SELECT id FROM message WHERE company = $1 ORDER BY id DESC LIMIT 1";

    /// <summary>Whose rows are listed in the order of their numbers, across all servers.</summary>
    private static readonly string[] InOrder = ["message", "rejected", "warning", "audit"];

    /// <summary>Numbers of sessions and identifiers that are taken at once.</summary>
    private const int NumbersAhead = 100;

    /// <summary>Numbers of rows that are listed in their order, taken at once within a transaction.</summary>
    private const int NumbersInOrder = 20;

    private readonly NpgsqlConnection connection;
    private readonly PostgresPipe main;
    private readonly CompanyLines? lines;
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
        lines = workers is null ? null : new(workers, main, readOnly);
    }

    /// <param name="readOnly">A reader's: whoever asks it is told by <see cref="StoreUnavailableException"/> that the database cannot answer now.</param>
    /// <param name="patienceSeconds">How long a company that somebody else holds is waited for; null for as long as it takes.</param>
    /// <param name="workers">Those of Citus, where transactions of one company are to run on them; null for the coordinator alone.</param>
    /// <exception cref="NpgsqlException">The database cannot be reached, or does not let us in.</exception>
    public static PostgresDatabase Open(NpgsqlDataSource source, bool readOnly = false, int? patienceSeconds = null, CitusWorkers? workers = null)
    {
        try
        {
            return Connect(source, readOnly, patienceSeconds, workers);
        }
        catch (NpgsqlException e) when (e.InnerException is not TimeoutException)
        {
            // One that lay idle may have lost what it was connected to, and then so have its neighbours; a new one says whether that is so.
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
            // Locks are the database's, tables those of a schema: two installations in one database must not wait for each other.
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

    public override Exception? Fault => main.Fault ?? lines?.Fault;

    public override bool HasBegun => inTransaction && hasBegun && (place is null || main.IsOpen);

    public NpgsqlConnection Connection => connection;

    /// <summary>What goes to the server goes through it; of a company that lies on a worker, to that one.</summary>
    public PostgresPipe Pipe => pipe;

    /// <summary>Whether the transaction runs on a worker, on the shards of a company.</summary>
    public bool IsOnWorker => place is not null;

    public override Statement Use(string sql) => Use(sql, isStream: false);

    public override Statement Stream(string sql) => Use(sql, isStream: true);

    /// <summary>A statement of PostgreSQL's own as it is to be sent where the transaction runs.</summary>
    public string Placed(string sql) => place is null ? sql : lines!.Place(sql, place)!;

    public override void Execute(string sql)
    {
        if (sql.StartsWith("BEGIN", StringComparison.Ordinal)) inTransaction = true;
        if (sql == "COMMIT" && pipe.TakesLong)
        {
            // What waits may take long still; the commit has its limit, for a replica that does not confirm it never will.
            pipe.Flush();
            pipe.TakesLong = false;
        }

        if (place is not null && sql is not ("COMMIT" or "ROLLBACK") && CompanyShards.IsOfInstallation(sql)) throw GoAround();
        pipe.Add(sql, []);
        pipe.Flush();
        if (sql is not ("COMMIT" or "ROLLBACK")) return;
        // What is on one machine only may be lost with it.
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
                pipe.Forget();
                main.Forget();
            }

            Execute(sql);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or StoreUnavailableException)
        {
            // A connection that has gone is no place to take anything back from.
            return false;
        }
    }

    public override (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables)
    {
        // Goes through all that is there.
        pipe.TakesLong = true;
        Execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        var schema = (string)pipe.Query("SELECT quote_ident(current_schema())", [])[0][0]!;
        var kept = $"{schema}.";
        if (pipe.Query("SELECT 1 FROM pg_extension WHERE extname = 'citus'", []).Count > 0)
        {
            // Over one connection to each machine, since each has a moment of its own. And what is compared is fetched first: sets of tables here and tables there are
            // compared in pieces that Citus bounds.
            Execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'");
            kept = "pg_temp.kept_";
            foreach (var table in tables)
            {
                Execute($"CREATE TEMP TABLE kept_{table} (LIKE {schema}.{table}) ON COMMIT DROP");
                Execute($"INSERT INTO pg_temp.kept_{table} SELECT * FROM {schema}.{table}");
            }
        }

        foreach (var table in tables) Execute($"CREATE TEMP TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP");
        // What was prepared before means the store's tables still.
        Execute("DISCARD PLANS");
        return (kept, "pg_temp.");
    }

    public override long NextNumber(string table)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        // Those that were asked for may be on their way.
        if (taken.Count == 0) main.Flush();
        if (taken.Count == 0)
        {
            AskNumbers(table, table == "message" ? 1 : InOrder.Contains(table) ? NumbersInOrder : NumbersAhead);
            main.Flush();
        }

        return taken.Dequeue();
    }

    /// <summary>Asks for numbers of rows that are about to be written; on Citus, those of the coordinator.</summary>
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
        lines?.Dispose();
        connection.Dispose();
    }

    internal static NpgsqlParameter Parameter(long value) => new NpgsqlParameter<long> { TypedValue = value };

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
        if (inTransaction) pipe.Add($"CLOSE {cursor}", []);
        cursors.Remove(cursor);
    }

    private PostgresStatement Use(string sql, bool isStream)
    {
        var translated = Translated(sql);
        if (place is null) return new(this, pipe, translated, isStream);
        if (lines!.Place(translated, place) is { } placed) return new(this, pipe, placed, isStream);
        // To be written in one transaction with the company, or not at all.
        return translated.StartsWith("SELECT", StringComparison.Ordinal) ? new(this, main, translated, isStream) : throw GoAround();
    }

    private ElsewhereException GoAround()
    {
        lines!.GoAround(begunFor);
        return new();
    }

    private string Translated(string sql)
    {
        if (translated.TryGetValue(sql, out var known)) return known;
        return translated[sql] = Dialect.Of(sql);
    }
}
