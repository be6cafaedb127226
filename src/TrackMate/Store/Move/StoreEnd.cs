using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>One end of a move: a store that nobody else works on while it lasts.</summary>
internal abstract class StoreEnd(Engine engine) : IDisposable
{
    private Database? database;

    public Engine Engine { get; } = engine;

    /// <summary>The connection that holds it, and that reads or writes.</summary>
    public Database Database
    {
        get => database ?? throw new InvalidOperationException("It is not held yet.");
        protected set => database = value;
    }

    /// <summary>Tables that only this engine keeps, for itself: they do not move to another one.</summary>
    public abstract IReadOnlySet<string> Own { get; }

    /// <summary>Takes it for reading: until it is disposed no server starts on it and nothing is written to it.</summary>
    /// <exception cref="MoveFailedException">There is none, it is of another version, or a server runs on it.</exception>
    public abstract void HoldAsSource();

    /// <summary>Takes it for writing, and makes its tables if there are none yet.</summary>
    /// <exception cref="MoveFailedException">It is of another version, or a server runs on it.</exception>
    public abstract void HoldAsTarget();

    /// <summary>Its tables by name, as they are.</summary>
    public abstract Dictionary<string, MovedTable> ReadTables();

    /// <summary>Puts rows in, within a transaction.</summary>
    public abstract RowWriter Write(MovedTable table);

    /// <summary>Lets numbers for new rows begin behind all that are there, and leaves it ready for a server.</summary>
    public abstract void Finish(IReadOnlyCollection<MovedTable> tables);

    /// <summary>Called between two transactions now and then.</summary>
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

    /// <exception cref="MoveFailedException">Its tables are not those that this program knows.</exception>
    protected void CheckSchema()
    {
        if (Engine.MisfitOf(Database) is { } misfit) throw new MoveFailedException(misfit);
    }

    protected void RefuseHalf()
    {
        if (MoveProgress.IsIn(Database)) throw new MoveFailedException(MoveProgress.HalfMoved(Engine));
    }

    /// <summary>Tables of what a catalogue says: a row for each column, with its table's name, its name, whether it is text, bytes or a small number, and its place in the key from 1 on.</summary>
    protected static Dictionary<string, MovedTable> TablesOf(IEnumerable<(string Table, string Column, ColumnKind Kind, long KeyPlace)> columns) =>
        columns.GroupBy(column => column.Table).ToDictionary(
            table => table.Key,
            table => new MovedTable(table.Key, table.Select(column => new MovedColumn(column.Column, column.Kind)),
                [.. table.Where(column => column.KeyPlace > 0).OrderBy(column => column.KeyPlace).Select(column => column.Column)]));
}

/// <summary>Takes rows of one table; what is not completed is not there.</summary>
internal abstract class RowWriter : IDisposable
{
    /// <param name="row">The row that a statement is at, its columns in the table's order.</param>
    public abstract void Add(Statement row);

    public abstract void Complete();

    public abstract void Dispose();
}
