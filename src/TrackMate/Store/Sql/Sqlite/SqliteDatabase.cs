using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>
/// One connection to the embedded store. It calls SQLite directly and keeps statements prepared: a message needs only a few statements, and ADO.NET's parameters
/// would cost as much as the rows.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    /// <summary>How long a connection waits for a lock of another connection.</summary>
    public const int BusyMilliseconds = 5000;

    private static readonly Version OldestSafeSqlite = new(3, 51, 3);

    /// <summary>A query per table for its greatest id. Ids of messages are not reused while an erasure identifies its messages by them.</summary>
    private static readonly (string Table, string Greatest)[] GreatestIds =
    [
        ("message", "SELECT MAX((SELECT COALESCE(MAX(id), 0) FROM message), (SELECT COALESCE(MAX(until), 0) FROM erasure))"),
        ("session", "SELECT COALESCE(MAX(id), 0) FROM session"),
        ("identifier", "SELECT COALESCE(MAX(id), 0) FROM identifier"),
        ("claim", "SELECT COALESCE(MAX(id), 0) FROM claim"),
    ];

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Stack<SqliteStatement>> idle = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);

    /// <summary>All statements, idle or in use. A statement that is not finalized would keep a closed connection open, with the lock of its transaction.</summary>
    private readonly List<SqliteStatement> prepared = [];

    /// <summary>The last id given out, by table.</summary>
    private readonly Dictionary<string, long> numbers = [];

    private readonly bool readOnly;
    private Exception? fault;

    private SqliteDatabase(SqliteConnection connection, bool readOnly)
    {
        this.connection = connection;
        this.readOnly = readOnly;
    }

    public SqliteConnection Connection => connection;

    /// <summary>Whether the opened file is no longer the one at its path: it was deleted, renamed or replaced.</summary>
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

    /// <param name="path">The file. It is created if it does not exist.</param>
    /// <param name="readOnly">Whether the connection only reads.</param>
    /// <param name="cacheKibibytes">The size of the page cache.</param>
    /// <param name="checkpoints">
    /// Whether a commit moves a long log into the file. A server's writer leaves that to a thread (<see cref="Checkpointer"/>), since it makes the slowest response times
    /// slower.
    /// </param>
    /// <param name="syncs">Whether a commit is on the disk when it returns. False if <see cref="LogFile"/> syncs the log.</param>
    /// <exception cref="SqliteException">The file cannot be opened or created.</exception>
    /// <exception cref="NotSupportedException">The SQLite library is older than 3.51.3, whose WAL reset may corrupt the file.</exception>
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
            // SQLite gives the log and its index the same mode.
            if (isNew && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (Version.Parse(opened.ServerVersion) < OldestSafeSqlite)
                throw new NotSupportedException($"SQLite {opened.ServerVersion} is too old; {OldestSafeSqlite} or newer is needed, since earlier ones may corrupt the log when it is reset.");
            var database = new SqliteDatabase(opened, readOnly);
            database.Execute($"PRAGMA busy_timeout = {BusyMilliseconds}");
            // Without this SQLite examines bound values that decide whether a partial index applies, and plans the statement again whenever they change.
            // Planning costs ten times as much as running most statements. No statement here needs it: they state the conditions of partial indexes in their text.
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

    /// <summary>Begins with the write lock: a transaction that asks for it later may find that another one has written meanwhile. One connection writes at a time, whatever the lock modes.</summary>
    public override void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0) => Execute("BEGIN IMMEDIATE");

    public override void BeginRead(long? company = null) => Execute("BEGIN");

    public override (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables)
    {
        // The temporary tables grow as large as the real ones, so they are not kept in memory.
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

    /// <summary>The definitions of a table and its indexes, so that keys and conflicts work in the temporary table as they do in the store.</summary>
    private List<string> DefinitionsOf(string table)
    {
        var definitions = new List<string>();
        using var rows = Use("SELECT sql FROM main.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC");
        rows.With(table);
        while (rows.Next()) definitions.Add(rows.Text(0));
        return definitions;
    }

    /// <summary>The last id plus one. Only one connection writes at a time, and it reads the numbers again after another connection has written.</summary>
    public override long NextNumber(string table)
    {
        if (numbers.Count == 0) ReadNumbers();
        return ++CollectionsMarshal.GetValueRefOrNullRef(numbers, table);
    }

    /// <summary>The greatest id over all companies: an index by company and id would slow down the insertion of every message.</summary>
    public override long LastMessage(long company)
    {
        using var last = Use("SELECT COALESCE(MAX(id), 0) FROM message");
        last.Next();
        return last.Long(0);
    }

    public override void ReadNumbers()
    {
        foreach (var (table, sql) in GreatestIds)
        {
            using var greatest = Use(sql);
            greatest.Next();
            numbers[table] = greatest.Long(0);
        }
    }

    /// <summary>Whether the disk or the file caused the failure (full, read-only, gone, damaged, locked), and not the statement.</summary>
    public static bool IsUnavailable(Exception e) =>
        e is SqliteException sqlite
        && (sqlite.SqliteErrorCode & 0xff) is not (raw.SQLITE_ERROR or raw.SQLITE_TOOBIG or raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_MISUSE or raw.SQLITE_RANGE);

    /// <summary>All statements that this connection has prepared, with their counters of work.</summary>
    internal IReadOnlyList<SqliteStatement> Prepared => prepared;

    public override bool IsIdle => raw.sqlite3_get_autocommit(Handle) != 0;

    public override Exception? Fault => fault;

    internal int Changes() => raw.sqlite3_changes(Handle);

    /// <exception cref="StoreUnavailableException">A reader's connection failed. The caller gets a 503.</exception>
    internal void Check(int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        var failure = new SqliteException(raw.sqlite3_errmsg(Handle).utf8_to_string(), code, raw.sqlite3_extended_errcode(Handle));
        if (!readOnly || !IsUnavailable(failure)) throw failure;
        fault = failure;
        throw new StoreUnavailableException("The store cannot be read now.", failure);
    }

    /// <summary>Calls sqlite3_file_control on the main file.</summary>
    /// <returns>The value that SQLite wrote through the last argument: a number of 32 bits, or a pointer.</returns>
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
