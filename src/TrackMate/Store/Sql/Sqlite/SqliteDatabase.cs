using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>
/// One connection to the embedded store. Statements go to SQLite directly and are kept prepared: a message is a handful of them, and ADO's parameters would cost
/// as much as the rows.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    /// <summary>How long a connection waits for another one's lock.</summary>
    public const int BusyMilliseconds = 5000;

    private static readonly Version OldestSafeSqlite = new(3, 51, 3);

    /// <summary>The greatest number of each table; those of messages that were given are not given again while an erasure goes by them.</summary>
    private static readonly (string Table, string Greatest)[] InternedId =
    [
        ("message", "SELECT MAX((SELECT COALESCE(MAX(id), 0) FROM message), (SELECT COALESCE(MAX(until), 0) FROM erasure))"),
        ("session", "SELECT COALESCE(MAX(id), 0) FROM session"),
        ("identifier", "SELECT COALESCE(MAX(id), 0) FROM identifier"),
        ("claim", "SELECT COALESCE(MAX(id), 0) FROM claim"),
    ];

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Stack<SqliteStatement>> idle = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);

    /// <summary>Every statement, idle or in use: one left behind would keep a closed connection, and its transaction's lock, alive.</summary>
    private readonly List<SqliteStatement> prepared = [];

    /// <summary>The last number given of each table.</summary>
    private readonly Dictionary<string, long> numbers = [];

    private readonly bool readOnly;
    private Exception? fault;

    private SqliteDatabase(SqliteConnection connection, bool readOnly)
    {
        this.connection = connection;
        this.readOnly = readOnly;
    }

    public SqliteConnection Connection => connection;

    /// <summary>Whether the file that was opened is no longer the one at its path: deleted, renamed or replaced.</summary>
    /// <remarks>SQLITE_FCNTL_HAS_MOVED: one look at the directory entry.</remarks>
    public bool HasMoved
    {
        get
        {
            const int HasMovedOperation = 20;
            return (int)FileControl(HasMovedOperation) != 0;
        }
    }

    internal sqlite3 Handle => connection.Handle ?? throw new ObjectDisposedException(nameof(SqliteDatabase));

    /// <param name="path">The file; it is made where there is none.</param>
    /// <param name="readOnly">Whether it only reads.</param>
    /// <param name="cacheKibibytes">Of pages.</param>
    /// <param name="checkpoints">
    /// Whether a commit that finds the log long moves it into the file. The server's writer leaves that to a thread (<see cref="Checkpointer"/>): inline it is the tail of the
    /// response times.
    /// </param>
    /// <exception cref="SqliteException">The file cannot be opened or made.</exception>
    /// <exception cref="NotSupportedException">The SQLite library is older than 3.51.3, whose WAL reset may corrupt.</exception>
    public static SqliteDatabase Open(string path, bool readOnly = false, int cacheKibibytes = 16 * 1024, bool checkpoints = true, bool syncs = true)
    {
        var opened = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            var isNew = !readOnly && !File.Exists(path);
            opened.Open();
            // Its log and its index take after it.
            if (isNew && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (Version.Parse(opened.ServerVersion) < OldestSafeSqlite)
                throw new NotSupportedException($"SQLite {opened.ServerVersion} is too old; {OldestSafeSqlite} or newer is needed, since earlier ones may corrupt the log when it is reset.");
            var database = new SqliteDatabase(opened, readOnly);
            database.Execute($"PRAGMA busy_timeout = {BusyMilliseconds}");
            // Otherwise SQLite looks at bound values where they may decide whether a partial index serves, and plans the statement anew each time that they are others:
            // that costs ten times what most statements do. No statement here needs it: what partial indexes ask stands in their text.
            database.Check(raw.sqlite3_db_config(database.Handle, raw.SQLITE_DBCONFIG_ENABLE_QPSG, 1, out _));
            if (!readOnly)
            {
                database.Execute("PRAGMA journal_mode = WAL");
                database.Execute($"PRAGMA synchronous = {(syncs ? "FULL" : "NORMAL")}");
                database.Execute("PRAGMA secure_delete = ON");
                database.Execute($"PRAGMA wal_autocheckpoint = {(checkpoints ? LogLimits.Default.Move : 0)}");
            }

            database.Execute($"PRAGMA cache_size = -{cacheKibibytes}");
            database.Execute("PRAGMA temp_store = MEMORY");
            return database;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public override Statement Use(string sql)
    {
        if (!idle.TryGetValue(sql, out var statements)) idle.Add(sql, statements = new());
        if (statements.TryPop(out var statement)) return statement.Take();
        Check(raw.sqlite3_prepare_v3(Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        statement = new SqliteStatement(this, handle, statements);
        prepared.Add(statement);
        return statement.Take();
    }

    public override void Execute(string sql) => Check(raw.sqlite3_exec(Handle, sql));

    internal long LastInsertedRow() => raw.sqlite3_last_insert_rowid(Handle);

    public override bool TryExecute(string sql) => raw.sqlite3_exec(Handle, sql) == raw.SQLITE_OK;

    /// <summary>At once for good: a transaction that begins to write later may find that another was faster. One writes at a time, whatever it holds.</summary>
    public override void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0) => Execute("BEGIN IMMEDIATE");

    public override void BeginRead(long? company = null) => Execute("BEGIN");

    public override (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables)
    {
        // As large as what they stand for, so not in memory.
        Execute("PRAGMA temp_store = FILE");
        BeginRead();
        foreach (var definition in tables.SelectMany(DefinitionsOf).ToList())
        {
            Execute(definition
                .Replace("CREATE TABLE ", "CREATE TEMP TABLE ", StringComparison.Ordinal)
                .Replace("CREATE INDEX ", "CREATE INDEX temp.", StringComparison.Ordinal)
                .Replace("CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX temp.", StringComparison.Ordinal));
        }

        return ("main.", "temp.");
    }

    /// <summary>A table's own, so that its keys, conflicts and indexes work in the shadow as they do in the store.</summary>
    private List<string> DefinitionsOf(string table)
    {
        var definitions = new List<string>();
        using var rows = Use("SELECT sql FROM main.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC");
        rows.With(table);
        while (rows.Next()) definitions.Add(rows.Text(0));
        return definitions;
    }

    /// <summary>One more than the last: only one connection writes at a time, and it forgets what it knows when another has.</summary>
    public override long NextNumber(string table)
    {
        if (numbers.Count == 0) ReadNumbers();
        return ++CollectionsMarshal.GetValueRefOrNullRef(numbers, table);
    }

    /// <summary>Of all companies: messages are numbered over them, and an index by company and number would cost every message its writing.</summary>
    public override long LastMessage(long company)
    {
        using var last = Use("SELECT COALESCE(MAX(id), 0) FROM message");
        last.Next();
        return last.Long(0);
    }

    public override void ReadNumbers()
    {
        foreach (var (table, sql) in InternedId)
        {
            using var greatest = Use(sql);
            greatest.Next();
            numbers[table] = greatest.Long(0);
        }
    }

    /// <summary>The disk or the file is at fault (full, read-only, gone, damaged, locked), not what was to be read or written.</summary>
    public static bool IsUnavailable(Exception e) =>
        e is SqliteException sqlite
        && (sqlite.SqliteErrorCode & 0xff) is not (raw.SQLITE_ERROR or raw.SQLITE_TOOBIG or raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_MISUSE or raw.SQLITE_RANGE);

    /// <summary>Every statement this connection has been asked for, with the work it was.</summary>
    internal IReadOnlyList<SqliteStatement> Prepared => prepared;

    public override bool IsIdle => raw.sqlite3_get_autocommit(Handle) != 0;

    public override Exception? Fault => fault;

    internal int Changes() => raw.sqlite3_changes(Handle);

    /// <exception cref="StoreUnavailableException">A reader cannot read; whoever asked is told so.</exception>
    internal void Check(int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        var failure = new SqliteException(raw.sqlite3_errmsg(Handle).utf8_to_string(), code, raw.sqlite3_extended_errcode(Handle));
        if (!readOnly || !IsUnavailable(failure)) throw failure;
        fault = failure;
        throw new StoreUnavailableException("The store cannot be read now.", failure);
    }

    /// <summary>Asks SQLite for something of the main file (sqlite3_file_control).</summary>
    /// <returns>What it wrote to where its last argument points: a number of 32 bits, or a pointer.</returns>
    internal IntPtr FileControl(int operation)
    {
        var answer = IntPtr.Zero;
        Check(sqlite3_file_control(Handle.DangerousGetHandle(), "main", operation, ref answer));
        return answer;
    }

#pragma warning disable SYSLIB1054 // A generated import would need unsafe code.
    [DllImport("e_sqlite3", CallingConvention = CallingConvention.Cdecl, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int sqlite3_file_control(IntPtr database, string name, int operation, ref IntPtr answer);
#pragma warning restore SYSLIB1054

    public override void Dispose()
    {
        foreach (var statement in prepared) statement.Finish();
        prepared.Clear();
        idle.Clear();
        connection.Dispose();
    }
}
