using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TrackMate.Store.Sqlite;

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
    private static readonly (string Table, string Greatest)[] Numbered =
    [
        ("message", "SELECT MAX((SELECT COALESCE(MAX(id), 0) FROM message), (SELECT COALESCE(MAX(until), 0) FROM erasure))"),
        ("session", "SELECT COALESCE(MAX(id), 0) FROM session"),
        ("identifier", "SELECT COALESCE(MAX(id), 0) FROM identifier"),
    ];

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Stack<SqliteStatement>> idle = new(ReferenceEqualityComparer.Instance as IEqualityComparer<string>);

    /// <summary>Every statement, idle or in use: one left behind would keep a closed connection, and its transaction's lock, alive.</summary>
    private readonly List<SqliteStatement> prepared = [];

    /// <summary>The last number given of each table.</summary>
    private readonly Dictionary<string, long> numbers = [];

    private readonly bool readOnly;

    private SqliteDatabase(SqliteConnection connection, bool readOnly)
    {
        this.connection = connection;
        this.readOnly = readOnly;
    }

    public SqliteConnection Connection => connection;

    internal sqlite3 Handle => connection.Handle ?? throw new ObjectDisposedException(nameof(SqliteDatabase));

    /// <exception cref="SqliteException">The file cannot be opened or made.</exception>
    /// <exception cref="NotSupportedException">The SQLite library is older than 3.51.3, whose WAL reset may corrupt.</exception>
    public static SqliteDatabase Open(string path, bool readOnly = false, int cacheKibibytes = 16 * 1024)
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
            if (!readOnly)
            {
                database.Execute("PRAGMA journal_mode = WAL");
                database.Execute("PRAGMA synchronous = FULL");
                database.Execute("PRAGMA secure_delete = ON");
                // Checkpoints have a thread of their own (Checkpointer): inline they are the tail of the response times.
                database.Execute("PRAGMA wal_autocheckpoint = 0");
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
        if (statements.TryPop(out var statement)) return statement;
        Check(raw.sqlite3_prepare_v3(Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        statement = new SqliteStatement(this, handle, statements);
        prepared.Add(statement);
        return statement;
    }

    public override void Execute(string sql) => Check(raw.sqlite3_exec(Handle, sql));

    internal long LastInsertedRow() => raw.sqlite3_last_insert_rowid(Handle);

    public override bool TryExecute(string sql) => raw.sqlite3_exec(Handle, sql) == raw.SQLITE_OK;

    /// <summary>At once for good: a transaction that begins to write later may find that another was faster. One writes at a time, whatever it holds.</summary>
    public override void BeginWrite(IEnumerable<(long Company, Hold Hold)> holds, int messages = 0) => Execute("BEGIN IMMEDIATE");

    public override void BeginRead() => Execute("BEGIN");

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
        foreach (var (table, sql) in Numbered)
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

    internal int Changes() => raw.sqlite3_changes(Handle);

    /// <exception cref="StoreUnavailableException">A reader cannot read; whoever asked is told so.</exception>
    internal void Check(int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        var failure = new SqliteException(raw.sqlite3_errmsg(Handle).utf8_to_string(), code, raw.sqlite3_extended_errcode(Handle));
        throw readOnly && IsUnavailable(failure) ? new StoreUnavailableException("The store cannot be read now.", failure) : failure;
    }

    public override void Dispose()
    {
        foreach (var statement in prepared) statement.Finish();
        prepared.Clear();
        idle.Clear();
        connection.Dispose();
    }
}

/// <summary>A statement of SQLite's.</summary>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt statement, Stack<SqliteStatement> home) : Statement
{
    private int parameter;

    public override Statement With(long value)
    {
        database.Check(raw.sqlite3_bind_int64(statement, ++parameter, value));
        return this;
    }

    public override Statement With(string? value)
    {
        if (value is null) return WithNull();
        Span<byte> utf8 = value.Length <= 340 ? stackalloc byte[1024] : new byte[Encoding.UTF8.GetMaxByteCount(value.Length)];
        return WithText(utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
    }

    public override Statement WithText(ReadOnlySpan<byte> utf8)
    {
        // An empty span has no address, which SQLite would take for NULL.
        database.Check(utf8.IsEmpty ? raw.sqlite3_bind_text(statement, ++parameter, "") : raw.sqlite3_bind_text(statement, ++parameter, utf8));
        return this;
    }

    public override Statement WithBlob(ReadOnlySpan<byte> bytes)
    {
        // An empty span has no address, which SQLite would take for NULL.
        database.Check(bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(statement, ++parameter, 0) : raw.sqlite3_bind_blob(statement, ++parameter, bytes));
        return this;
    }

    public override Statement WithNull()
    {
        database.Check(raw.sqlite3_bind_null(statement, ++parameter));
        return this;
    }

    public override bool Next()
    {
        var code = raw.sqlite3_step(statement);
        if (code == raw.SQLITE_ROW) return true;
        if (code == raw.SQLITE_DONE) return false;
        database.Check(code);
        return false;
    }

    public override void Run() => RunCounted();

    public override int RunCounted()
    {
        try
        {
            while (Next())
            {
            }

            return database.Changes();
        }
        finally
        {
            Dispose();
        }
    }

    public override long RunForNumber()
    {
        Run();
        return database.LastInsertedRow();
    }

    public override bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public override long Long(int column) => raw.sqlite3_column_int64(statement, column);

    public override string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    /// <summary>As it lies in the page.</summary>
    public override ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(statement, column);

    public override void Dispose()
    {
        raw.sqlite3_reset(statement);
        raw.sqlite3_clear_bindings(statement);
        parameter = 0;
        home.Push(this);
    }

    /// <summary>The text it was made of.</summary>
    internal string Sql => raw.sqlite3_sql(statement).utf8_to_string();

    /// <summary>Steps of SQLite's machine so far: work that can be counted, the same on every machine.</summary>
    internal long Steps => raw.sqlite3_stmt_status(statement, raw.SQLITE_STMTSTATUS_VM_STEP, 0);

    /// <summary>How often it was run so far (SQLITE_STMTSTATUS_RUN, which the binding has no name for).</summary>
    internal long Runs => raw.sqlite3_stmt_status(statement, 6, 0);

    internal void Finish() => statement.Dispose();
}
