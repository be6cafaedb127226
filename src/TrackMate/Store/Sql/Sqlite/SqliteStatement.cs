using System.Text;
using SQLitePCL;

namespace TrackMate.Store.Sql.Sqlite;

/// <summary>A prepared statement of SQLite.</summary>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt statement, Stack<SqliteStatement> home) : Statement
{
    private int parameter;
    private bool isInUse;

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
        // An empty span has no address, and SQLite would store NULL.
        database.Check(utf8.IsEmpty ? raw.sqlite3_bind_text(statement, ++parameter, "") : raw.sqlite3_bind_text(statement, ++parameter, utf8));
        return this;
    }

    public override Statement WithBlob(ReadOnlySpan<byte> bytes)
    {
        // An empty span has no address, and SQLite would store NULL.
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

    /// <summary>A view into SQLite's page, without a copy.</summary>
    public override ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(statement, column);

    public override void Dispose()
    {
        if (!isInUse) return;
        isInUse = false;
        raw.sqlite3_reset(statement);
        raw.sqlite3_clear_bindings(statement);
        parameter = 0;
        home.Push(this);
    }

    /// <summary>Marks the statement as in use until it is disposed.</summary>
    internal SqliteStatement Take()
    {
        isInUse = true;
        return this;
    }

    /// <summary>The SQL text of the statement.</summary>
    internal string Sql => raw.sqlite3_sql(statement).utf8_to_string();

    /// <summary>The number of virtual machine steps so far. It measures work independently of the machine.</summary>
    internal long Steps => raw.sqlite3_stmt_status(statement, raw.SQLITE_STMTSTATUS_VM_STEP, 0);

    /// <summary>The number of runs so far (SQLITE_STMTSTATUS_RUN, for which the binding has no constant).</summary>
    internal long Runs => raw.sqlite3_stmt_status(statement, 6, 0);

    /// <summary>The number of times that SQLite planned the statement again (SQLITE_STMTSTATUS_REPREPARE, for which the binding has no constant).</summary>
    internal long Plannings => raw.sqlite3_stmt_status(statement, 5, 0);

    internal void Finish() => statement.Dispose();
}
