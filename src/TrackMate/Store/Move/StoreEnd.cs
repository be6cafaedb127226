using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>The source or the target of a move: a store that no other program writes during the move.</summary>
internal abstract class StoreEnd(Engine engine) : IDisposable
{
    private Database? database;

    public Engine Engine { get; } = engine;

    /// <summary>The connection that holds the store's lock and reads or writes its rows.</summary>
    public Database Database
    {
        get => database ?? throw new InvalidOperationException("It is not held yet.");
        protected set => database = value;
    }

    /// <summary>Tables that only this engine needs. They are not moved.</summary>
    public abstract IReadOnlySet<string> Own { get; }

    /// <summary>Locks the store for reading. Until it is disposed no server can start on it, and no program can write to it.</summary>
    /// <exception cref="MoveFailedException">There is no store, it has another version, or a server is running on it.</exception>
    public abstract void HoldAsSource();

    /// <summary>Locks the store for writing, and creates its tables if they do not exist.</summary>
    /// <exception cref="MoveFailedException">The store has another version, or a server is running on it.</exception>
    public abstract void HoldAsTarget();

    /// <summary>The existing tables, by name.</summary>
    public abstract Dictionary<string, MovedTable> ReadTables();

    /// <summary>Inserts rows, within a transaction.</summary>
    public abstract RowWriter Write(MovedTable table);

    /// <summary>Sets the sequences behind the greatest ids, and prepares the store for a server.</summary>
    public abstract void Finish(IReadOnlyCollection<MovedTable> tables);

    /// <summary>Called after each transaction.</summary>
    public virtual void Tidy()
    {
    }

    public virtual void Dispose()
    {
        database?.Dispose();
        Engine.Dispose();
    }

    protected MoveFailedException ServerRuns() => new($"A TrackMate server is running on {Engine.Place}; stop it first.");

    protected MoveFailedException NoData() => new($"There is no TrackMate data in {Engine.Place}.");

    /// <exception cref="MoveFailedException">The tables are not of the version that this program knows.</exception>
    protected void CheckSchema()
    {
        if (Engine.SchemaProblemOf(Database) is { } problem) throw new MoveFailedException(problem);
    }

    protected void RequireFinishedMove()
    {
        if (MoveProgress.IsIn(Database)) throw new MoveFailedException(MoveProgress.UnfinishedMove(Engine));
    }

    /// <summary>Groups the columns of a catalogue query into tables.</summary>
    /// <param name="columns">One row per column. <c>KeyPlace</c> is its position in the primary key, from 1 on, or 0.</param>
    protected static Dictionary<string, MovedTable> TablesOf(IEnumerable<(string Table, string Column, ColumnKind Kind, long KeyPlace)> columns) =>
        columns.GroupBy(column => column.Table).ToDictionary(
            table => table.Key,
            table => new MovedTable(table.Key, table.Select(column => new MovedColumn(column.Column, column.Kind)),
                [.. table.Where(column => column.KeyPlace > 0).OrderBy(column => column.KeyPlace).Select(column => column.Column)]));
}

/// <summary>Inserts rows into one table. Rows that are not completed are discarded.</summary>
internal abstract class RowWriter : IDisposable
{
    /// <param name="row">The statement's current row, with its columns in the table's order.</param>
    public abstract void Add(Statement row);

    public abstract void Complete();

    public abstract void Dispose();
}
