namespace TrackMate.Store.Sql;

/// <summary>What a transaction does to a company, in the order of how few others may write it meanwhile.</summary>
internal enum LockMode
{
    /// <summary>Adds events that say nothing of who anybody is: any number of transactions do that at once.</summary>
    Append,

    /// <summary>Adds claims and what follows from them: one at a time, beside those that only append.</summary>
    Bind,

    /// <summary>Derives anew, erases, or changes what a company has chosen: alone.</summary>
    Rewrite,
}

/// <summary>
/// One connection to a store, for one thread at a time. What is asked of it is SQL that every engine understands: parameters are <c>?</c> or <c>?1</c>, flags are
/// 0 and 1, and a statement that changes what is there on a conflict names the key and the table.
/// </summary>
internal abstract class Database : IDisposable
{
    /// <summary>Whether several servers write it: what is remembered of its rows holds for a transaction only.</summary>
    public virtual bool IsShared => false;

    /// <summary>A prepared statement to bind and step; disposing it gives it back for the next use of the same text.</summary>
    /// <param name="sql">A constant: statements are kept by reference.</param>
    public abstract Statement Use(string sql);

    /// <summary>The same for what may have more rows than memory should hold: they are fetched as they are read.</summary>
    public virtual Statement Stream(string sql) => Use(sql);

    /// <summary>Runs statements that return nothing, of a text that need not be kept.</summary>
    public abstract void Execute(string sql);

    /// <returns>False where it failed.</returns>
    public abstract bool TryExecute(string sql);

    /// <summary>Begins a transaction that writes.</summary>
    /// <param name="holds">What it does to which companies, so that others who write them meanwhile wait or do not.</param>
    /// <param name="messages">How many messages it may add. Where there are any, an engine may begin with what is asked first.</param>
    public abstract void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0);

    /// <summary>Begins a transaction that reads: all it sees is of one moment.</summary>
    /// <param name="company">Its number, if only one is read: an engine may go to where that lies.</param>
    public abstract void BeginRead(long? company = null);

    /// <summary>
    /// Begins a transaction in which empty tables stand before those of the store by name, so that what is derived can be derived beside it. It reads of one moment,
    /// writes nothing that stays, and is to be rolled back.
    /// </summary>
    /// <returns>What to write before the names of the store's tables, and before those of the shadows: <c>main.</c> and <c>temp.</c>.</returns>
    public abstract (string Kept, string Shadow) BeginShadow(IReadOnlyList<string> tables);

    /// <summary>Makes what was written last, whatever fails after it returns.</summary>
    public void Commit() => Execute("COMMIT");

    /// <summary>Takes back what was written since the beginning, if there is a transaction.</summary>
    public void Rollback() => TryExecute("ROLLBACK");

    /// <summary>Whether a transaction that writes has begun as far as the store itself goes: what fails then is its company's, where that lies elsewhere.</summary>
    public virtual bool HasBegun => false;

    /// <summary>False within a transaction; an error may have ended it.</summary>
    public abstract bool IsIdle { get; }

    /// <summary>What a reader's connection failed with that was not its statement's own fault; it is not used again then.</summary>
    public abstract Exception? Fault { get; }

    /// <summary>Numbers for new rows of a table, rising with their arrival as near as the engine can tell.</summary>
    /// <param name="table">One of <c>message</c>, <c>session</c>, <c>identifier</c>, <c>claim</c>.</param>
    public abstract long NextNumber(string table);

    /// <summary>A number that no message of a company exceeds which is there now, and all that come later do.</summary>
    public abstract long LastMessage(long company);

    /// <summary>Goes on from the numbers that are there, after another process may have written.</summary>
    public virtual void ReadNumbers()
    {
    }

    public abstract void Dispose();
}

/// <summary>A prepared statement. Parameters are given in order; then <see cref="Next"/> or <see cref="Run"/>.</summary>
internal abstract class Statement : IDisposable
{
    public abstract Statement With(long value);

    public virtual Statement With(long? value) => value is { } number ? With(number) : WithNull();

    public abstract Statement With(string? value);

    public abstract Statement WithText(ReadOnlySpan<byte> utf8);

    public abstract Statement WithBlob(ReadOnlySpan<byte> bytes);

    public abstract Statement WithNull();

    /// <summary>Goes to the next row.</summary>
    /// <returns>False when there is none.</returns>
    public abstract bool Next();

    /// <summary>
    /// Asks now, and gives it back; what is read is what there is at this moment. An engine where each question is a journey may send it with the next ones, so ask
    /// for all that is wanted before looking at any.
    /// </summary>
    /// <param name="read">Reads the rows, from before the first one.</param>
    public virtual Lazy<T> Defer<T>(Func<Statement, T> read)
    {
        using (this) return new(read(this));
    }

    /// <summary>Asks whether it is so, of a statement that answers 0 or 1.</summary>
    public Lazy<bool> DeferFlag() => Defer(row => row.Next() && row.Long(0) == 1);

    /// <summary>Asks for all rows.</summary>
    public Lazy<List<T>> DeferAll<T>(Func<Statement, T> read) => Defer(row =>
    {
        var all = new List<T>();
        while (row.Next()) all.Add(read(row));
        return all;
    });

    /// <summary>Runs a statement without rows and gives it back. An engine may do so later, but before anything else is read or committed.</summary>
    public abstract void Run();

    /// <summary>Runs an insertion into a table that numbers its rows, of which nobody wants the number.</summary>
    public virtual void RunNumbered() => Run();

    /// <summary>Runs a statement without rows and gives it back.</summary>
    /// <returns>How many rows it changed.</returns>
    public abstract int RunCounted();

    /// <summary>Runs an insertion into a table that numbers its rows, and gives it back.</summary>
    /// <returns>The number of the new row.</returns>
    public abstract long RunForNumber();

    public abstract bool IsNull(int column);

    /// <summary>A number, or 1 for what is so and 0 for what is not.</summary>
    public abstract long Long(int column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public abstract string Text(int column);

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>A text or blob; gone at the next step.</summary>
    public abstract ReadOnlySpan<byte> Bytes(int column);

    public abstract void Dispose();
}
