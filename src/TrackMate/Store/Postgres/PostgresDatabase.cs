using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>
/// One connection to PostgreSQL. What is written waits until something is read or committed, so that it goes out in one round trip with it; what is read is read
/// whole, so that other statements may run between its rows.
/// </summary>
internal sealed class PostgresDatabase : Database
{
    /// <summary>Numbers of sessions and identifiers that are taken at once.</summary>
    private const int NumbersAhead = 100;

    private readonly NpgsqlConnection connection;
    private readonly PostgresPipe pipe;
    private readonly Dictionary<string, string> translated = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);
    private readonly Dictionary<string, Queue<long>> numbers = [];
    private readonly int locks;
    private readonly int? patienceSeconds;
    private PostgresBulk? bulk;
    private readonly HashSet<string> cursors = [];
    private bool inTransaction;

    private PostgresDatabase(NpgsqlDataSource source, NpgsqlConnection connection, int locks, bool readOnly, int? patienceSeconds)
    {
        this.connection = connection;
        this.locks = locks;
        this.patienceSeconds = patienceSeconds;
        pipe = new(source, connection, readOnly);
    }

    /// <param name="readOnly">A reader's: whoever asks it is told by <see cref="StoreUnavailableException"/> that the database cannot answer now.</param>
    /// <param name="patienceSeconds">How long a company that somebody else holds is waited for; null for as long as it takes.</param>
    /// <exception cref="NpgsqlException">The database cannot be reached, or does not let us in.</exception>
    public static PostgresDatabase Open(NpgsqlDataSource source, bool readOnly = false, int? patienceSeconds = null)
    {
        try
        {
            return Connect(source, readOnly, patienceSeconds);
        }
        catch (NpgsqlException e) when (e.InnerException is not TimeoutException)
        {
            // One that lay idle may have lost what it was connected to, and then so have its neighbours; a new one says whether that is so.
            source.Clear();
            return Connect(source, readOnly, patienceSeconds);
        }
        catch (InvalidOperationException e)
        {
            throw new NpgsqlException("The connection to the database is gone", e);
        }
    }

    private static PostgresDatabase Connect(NpgsqlDataSource source, bool readOnly, int? patienceSeconds)
    {
        var connection = source.OpenConnection();
        try
        {
            // Locks are the database's, tables those of a schema: two installations in one database must not wait for each other.
            using var schema = new NpgsqlCommand("SELECT hashtext(current_schema())", connection);
            if (schema.ExecuteScalar() is not int locks)
            {
                var role = new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username;
                throw new NpgsqlException($"there is no schema in it that the role {role} may use; make the one that the connection's search_path names, or where it names none: CREATE SCHEMA AUTHORIZATION {role}");
            }

            return new(source, connection, locks, readOnly, patienceSeconds);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override bool IsShared => true;

    public override Write.IBulk? Bulk => bulk ??= new(this);

    public override bool IsIdle => !inTransaction;

    public override Exception? Fault => pipe.Fault;

    public NpgsqlConnection Connection => connection;

    /// <summary>What goes to the server goes through it.</summary>
    public PostgresPipe Pipe => pipe;

    public override Statement Use(string sql) => new PostgresStatement(this, Translated(sql), isStream: false);

    public override Statement Stream(string sql) => new PostgresStatement(this, Translated(sql), isStream: true);

    public override void Execute(string sql)
    {
        if (sql.StartsWith("BEGIN", StringComparison.Ordinal)) inTransaction = true;
        if (sql == "COMMIT" && pipe.TakesLong)
        {
            // What waits may take long still; the commit has its limit, for a replica that does not confirm it never will.
            pipe.Flush();
            pipe.TakesLong = false;
        }

        pipe.Add(sql, []);
        pipe.Flush();
        if (sql is not ("COMMIT" or "ROLLBACK")) return;
        // What is on one machine only may be lost with it.
        if (sql == "COMMIT" && pipe.Warning is { } warning) throw new UnconfirmedCommitException(warning);
        (inTransaction, pipe.TakesLong) = (false, false);
        cursors.Clear();
    }

    public override bool TryExecute(string sql)
    {
        try
        {
            if (sql == "ROLLBACK") pipe.Forget();
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
        pipe.Add("BEGIN", []);
        inTransaction = true;
        // What begins later has greater numbers than all that is there, so none is left over from before.
        numbers.Remove("message");
        var companies = holds.GroupBy(hold => hold.Company, hold => hold.Hold).OrderBy(company => company.Key).Select(company => (Number: company.Key, Hold: company.Max())).ToList();
        if (companies.Count > 0 && patienceSeconds is { } seconds) pipe.Add($"SET LOCAL lock_timeout = '{seconds.ToString(CultureInfo.InvariantCulture)}s'", []);
        foreach (var (company, hold) in companies)
        {
            // What derives a company anew may go through all that it holds.
            pipe.TakesLong |= hold is Hold.Rewrite;
            pipe.Add(hold is Hold.Rewrite ? "SELECT pg_advisory_xact_lock($1)" : "SELECT pg_advisory_xact_lock_shared($1)", [Parameter(LockOf(company, 0))]);
            if (hold is Hold.Bind) pipe.Add("SELECT pg_advisory_xact_lock($1)", [Parameter(LockOf(company, 1))]);
        }

        // Whom else a statement waits for is another one that writes, and soon done.
        if (companies.Count > 0 && patienceSeconds is not null) pipe.Add("SET LOCAL lock_timeout TO DEFAULT", []);
        if (messages > 0) AskNumbers("message", messages);
        else pipe.Flush();
    }

    public override void BeginRead() => Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

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
        if (taken.Count == 0) pipe.Flush();
        if (taken.Count == 0)
        {
            AskNumbers(table, table == "message" ? 1 : NumbersAhead);
            pipe.Flush();
        }

        return taken.Dequeue();
    }

    /// <summary>Asks for numbers of rows that are about to be written.</summary>
    private void AskNumbers(string table, int count)
    {
        if (!numbers.TryGetValue(table, out var taken)) numbers.Add(table, taken = []);
        pipe.Add($"SELECT nextval('{table}_number') FROM generate_series(1, $1)", [Parameter(count)], rows => rows.ForEach(row => taken.Enqueue((long)row[0]!)));
    }

    public override long LastMessage(long company)
    {
        var rows = pipe.Query("SELECT id FROM message WHERE company = $1 ORDER BY id DESC LIMIT 1", [Parameter(company)]);
        return rows.Count == 0 ? 0 : (long)rows[0][0]!;
    }

    public override void Dispose() => connection.Dispose();

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

    private string Translated(string sql)
    {
        if (translated.TryGetValue(sql, out var known)) return known;
        return translated[sql] = Dialect.Of(sql);
    }

    private long LockOf(long company, int which) => ((long)(locks ^ (which * 0x5bd1e995)) << 32) | (uint)company;
}
