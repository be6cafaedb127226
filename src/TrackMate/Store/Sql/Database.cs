namespace TrackMate.Store.Sql;

/// <summary>What a transaction does to a company. The order of the values is: the later, the fewer other transactions may write the company at the same time.</summary>
internal enum LockMode
{
    /// <summary>Adds events that carry no identity. Any number of transactions may do this at the same time.</summary>
    Append,

    /// <summary>Adds claims and the rows derived from them. One transaction at a time, beside those that only append.</summary>
    Bind,

    /// <summary>Rederives rows, erases, or changes a company's settings. No other transaction writes the company meanwhile.</summary>
    Rewrite,
}

/// <summary>
/// One connection to a store, for one thread at a time. Its statements are SQL that every engine understands: parameters are <c>?</c> or <c>?1</c>, flags are
/// 0 and 1, and an upsert names the key of the conflict and the table of each column.
/// </summary>
internal abstract class Database : IDisposable
{
    /// <summary>Whether several servers write the store. If so, a cached row is valid only within one transaction.</summary>
    public virtual bool IsShared => false;

    /// <summary>A prepared statement to bind and step. Disposing it returns it to the pool, for the next use of the same text.</summary>
    /// <param name="sql">A constant string: the pool finds statements by reference.</param>
    public abstract Statement Use(string sql);

    /// <summary>Like <see cref="Use"/>, for a result that may be larger than memory should hold: rows are fetched as they are read.</summary>
    public virtual Statement Stream(string sql) => Use(sql);

    /// <summary>Runs statements that return no rows. The text is not kept prepared.</summary>
    public abstract void Execute(string sql);

    /// <returns>False if the statement failed.</returns>
    public abstract bool TryExecute(string sql);

    /// <summary>Begins a transaction that writes.</summary>
    /// <param name="holds">The companies that the transaction writes, and the lock that it takes on each.</param>
    /// <param name="messages">The number of messages that it may add. If it is above 0, an engine may send its first queries together with the beginning.</param>
    public abstract void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0);

    /// <summary>Begins a transaction that reads one snapshot of the store.</summary>
    /// <param name="company">The company's number, if only one company is read. An engine may then read from the machine that holds it.</param>
    public abstract void BeginRead(long? company = null);

    /// <summary>
    /// Begins a transaction in which empty temporary tables hide the store's tables of the same names, so that rows can be derived beside the existing ones. It reads one
    /// snapshot, writes nothing permanent, and must be rolled back.
    /// </summary>
    /// <returns>The prefixes of the store's tables and of the temporary ones, such as <c>main.</c> and <c>temp.</c>.</returns>
    public abstract (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables);

    /// <summary>Commits. After it returns, the transaction survives any failure.</summary>
    public void Commit() => Execute("COMMIT");

    /// <summary>Rolls the transaction back, if there is one.</summary>
    public void Rollback() => TryExecute("ROLLBACK");

    /// <summary>Whether a writing transaction has begun on the store itself. A later failure then concerns one company only, if that company lies on another machine.</summary>
    public virtual bool HasBegun => false;

    /// <summary>True outside of a transaction. An error may have ended the transaction.</summary>
    public abstract bool IsIdle { get; }

    /// <summary>The failure of a reader's connection that its statement did not cause, or null. Such a connection is not used again.</summary>
    public abstract Exception? Fault { get; }

    /// <summary>A number for a new row of a table. Numbers rise in the order of arrival, as far as the engine can know it.</summary>
    /// <param name="table">One of <c>message</c>, <c>session</c>, <c>identifier</c>, <c>claim</c>.</param>
    public abstract long NextNumber(string table);

    /// <summary>A number that is at least that of every present message of a company, and below that of every later one.</summary>
    public abstract long LastMessage(long company);

    /// <summary>Reads the greatest numbers again, after another process may have written.</summary>
    public virtual void ReadNumbers()
    {
    }

    public abstract void Dispose();
}

/// <summary>A prepared statement. Bind the parameters in order, then call <see cref="Next"/> or <see cref="Run"/>.</summary>
internal abstract class Statement : IDisposable
{
    public abstract Statement With(long value);

    public virtual Statement With(long? value) => value is { } number ? With(number) : WithNull();

    public abstract Statement With(string? value);

    public abstract Statement WithText(ReadOnlySpan<byte> utf8);

    public abstract Statement WithBlob(ReadOnlySpan<byte> bytes);

    public abstract Statement WithNull();

    /// <summary>Moves to the next row.</summary>
    /// <returns>False if there is no further row.</returns>
    public abstract bool Next();

    /// <summary>
    /// Asks now, and releases the statement. The result is that of this moment. An engine with a round trip per query may send the query together with the next ones, so
    /// defer all queries before reading the value of the first.
    /// </summary>
    /// <param name="read">Reads the rows. The statement stands before the first one.</param>
    public virtual Lazy<T> Defer<T>(Func<Statement, T> read)
    {
        using (this) return new(read(this));
    }

    /// <summary>Defers a query that returns one flag, 0 or 1.</summary>
    public Lazy<bool> DeferFlag() => Defer(row => row.Next() && row.Long(0) == 1);

    /// <summary>Defers a query and reads all its rows.</summary>
    public Lazy<List<T>> DeferAll<T>(Func<Statement, T> read) => Defer(row =>
    {
        var all = new List<T>();
        while (row.Next()) all.Add(read(row));
        return all;
    });

    /// <summary>Runs a statement without rows and releases it. An engine may delay it, but not beyond the next read or the commit.</summary>
    public abstract void Run();

    /// <summary>Runs an INSERT into a table with generated ids, when the id is not needed.</summary>
    public virtual void RunNumbered() => Run();

    /// <summary>Runs a statement without rows and releases it.</summary>
    /// <returns>The number of changed rows.</returns>
    public abstract int RunCounted();

    /// <summary>Runs an INSERT into a table with generated ids, and releases the statement.</summary>
    /// <returns>The id of the new row.</returns>
    public abstract long RunForNumber();

    public abstract bool IsNull(int column);

    /// <summary>A number. A flag is 1 or 0.</summary>
    public abstract long Long(int column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public abstract string Text(int column);

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>The bytes of a text or blob. They are valid until the next step.</summary>
    public abstract ReadOnlySpan<byte> Bytes(int column);

    public abstract void Dispose();
}
