using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Store.Move;

/// <summary>The embedded store in a data folder.</summary>
internal sealed class SqliteEnd(SqliteEngine engine, string dataFolder) : StoreEnd(engine)
{
    /// <summary>Each message adds to seven indexes, some at random places. The more of their pages fit into memory, the fewer are read again.</summary>
    private const int CacheKibibytes = 128 * 1024;

    private FolderLock? folder;

    public override IReadOnlySet<string> Own { get; } = new HashSet<string>();

    public override void HoldAsSource()
    {
        // Checked first, since taking the lock creates the folder.
        if (!Engine.HasData) throw NoData();
        Take();
        Database = Engine.Open();
        CheckSchema();
        RequireFinishedMove();
        // The transaction never writes. It keeps commands from writing, and gives all reads the same snapshot.
        Database.BeginWrite([]);
    }

    public override void HoldAsTarget()
    {
        Take();
        Database = Engine.Open();
        if (Engine.SchemaOf(Database).Found == 0) Engine.Upgrade();
        CheckSchema();
        Database.Execute($"PRAGMA cache_size = -{CacheKibibytes}");
    }

    public override Dictionary<string, MovedTable> ReadTables()
    {
        var columns = new List<(string, string, ColumnKind, long)>();
        using var rows = Database.Use("""
            SELECT found.name, column.name, column.type, column.pk FROM sqlite_master AS found JOIN pragma_table_info(found.name) AS column
            WHERE found.type = 'table' AND found.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND found.name <> 'move_progress'
            """);
        while (rows.Next())
        {
            columns.Add((rows.Text(0), rows.Text(1), rows.Text(2).ToUpperInvariant() switch
            {
                "INTEGER" => ColumnKind.Number,
                "TEXT" => ColumnKind.Text,
                "BLOB" => ColumnKind.Bytes,
                var other => throw new MoveFailedException($"The column {rows.Text(1)} of the table {rows.Text(0)} in {Engine.Place} is of a type that is not known ({other})."),
            }, rows.Long(3)));
        }

        return TablesOf(columns);
    }

    public override RowWriter Write(MovedTable table) => new Rows(Database, table);

    /// <summary>Moves the write-ahead log into the file, so that the rows do not take the space twice.</summary>
    public override void Tidy() => Database.TryExecute("PRAGMA wal_checkpoint(PASSIVE)");

    /// <summary>SQLite continues after the greatest id by itself.</summary>
    public override void Finish(IReadOnlyCollection<MovedTable> tables) => Database.TryExecute("PRAGMA wal_checkpoint(TRUNCATE)");

    public override void Dispose()
    {
        base.Dispose();
        folder?.Dispose();
    }

    private void Take()
    {
        try
        {
            folder = FolderLock.Take(dataFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderLock.IsHeld(e) ? ServerRuns() : new MoveFailedException($"The data folder {dataFolder} cannot be used: {e.Message}");
        }
    }

    private sealed class Rows(Database database, MovedTable table) : RowWriter
    {
        public override void Add(Statement row)
        {
            var insert = database.Use(table.InsertSql);
            for (var i = 0; i < table.Columns.Count; i++)
            {
                if (row.IsNull(i)) insert.WithNull();
                else if (table.Columns[i].Kind is ColumnKind.Text) insert.WithText(row.Bytes(i));
                else if (table.Columns[i].Kind is ColumnKind.Bytes) insert.WithBlob(row.Bytes(i));
                else insert.With(row.Long(i));
            }

            insert.Run();
        }

        public override void Complete()
        {
        }

        public override void Dispose()
        {
        }
    }
}
