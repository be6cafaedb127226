using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;

namespace TrackMate.Store.Move;

/// <summary>A PostgreSQL database, with or without Citus. All rows are copied through the coordinator.</summary>
internal sealed class PostgresEnd(PostgresEngine engine) : StoreEnd(engine)
{
    /// <summary>How long to wait for writers that have already begun.</summary>
    private const string Patience = "10s";

    /// <summary>Tables that servers share among themselves. Each installation has its own.</summary>
    public override IReadOnlySet<string> Own { get; } = new HashSet<string> { "schema_version", "protection_key" };

    private PostgresDatabase Postgres => (PostgresDatabase)Database;

    public override void HoldAsSource()
    {
        if (!Engine.HasData) throw NoData();
        Take();
        CheckSchema();
        RequireFinishedMove();
        // Whichever way a program connects, it cannot write a table that is locked in this mode. Reading stays possible.
        Database.BeginWrite([]);
        Postgres.Pipe.Script($"SET LOCAL lock_timeout = '{Patience}'; SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE {string.Join(", ", ReadTables().Keys.Order(StringComparer.Ordinal))} IN SHARE MODE");
    }

    public override void HoldAsTarget()
    {
        Take();
        if (Engine.SchemaOf(Database).Found == 0) Engine.Upgrade();
        CheckSchema();
    }

    public override Dictionary<string, MovedTable> ReadTables()
    {
        var columns = new List<(string, string, ColumnKind, long)>();
        // A Citus coordinator that stores rows itself lists the shards too. Their names end with a number.
        using var rows = Database.Use("""
            SELECT kept.relname::text, attribute.attname::text, format_type(attribute.atttypid, NULL), array_position(key.indkey::int2[], attribute.attnum) + 1
            FROM pg_class AS kept JOIN pg_attribute AS attribute ON attribute.attrelid = kept.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
              LEFT JOIN pg_index AS key ON key.indrelid = kept.oid AND key.indisprimary
            WHERE kept.relnamespace = current_schema()::regnamespace AND kept.relkind IN ('r', 'p') AND kept.relname !~ '_[0-9]+$' AND kept.relname <> 'move_progress'
            """);
        while (rows.Next())
        {
            columns.Add((rows.Text(0), rows.Text(1), rows.Text(2) switch
            {
                "bigint" => ColumnKind.Number,
                "smallint" => ColumnKind.SmallNumber,
                "text" => ColumnKind.Text,
                "bytea" => ColumnKind.Bytes,
                var other => throw new MoveFailedException($"The column {rows.Text(1)} of the table {rows.Text(0)} in {Engine.Place} is of a type that is not known ({other})."),
            }, rows.LongOrNull(3) ?? 0));
        }

        return TablesOf(columns);
    }

    public override RowWriter Write(MovedTable table)
    {
        Postgres.Pipe.Flush();
        return new Rows(Postgres.Connection.BeginBinaryImport($"COPY {table.Name} ({table.ColumnNames}) FROM STDIN (FORMAT BINARY)"), table);
    }

    public override void Finish(IReadOnlyCollection<MovedTable> tables)
    {
        foreach (var sequence in Texts("SELECT sequence_name::text FROM information_schema.sequences WHERE sequence_schema = current_schema()"))
        {
            var table = tables.FirstOrDefault(table => sequence == table.Name + "_number")
                ?? throw new MoveFailedException($"What the numbers of {sequence} are for is not known, so what they have to go on from is not either.");
            // Ids of messages are not reused while an erasure identifies its messages by them.
            var last = Math.Max(Number($"SELECT COALESCE(MAX(id), 0) FROM {table.Name}"), table.Name == "message" ? Number("SELECT COALESCE(MAX(until), 0) FROM erasure") : 0);
            // The value is computed first: Citus does not mix distributed tables with others in one query, and the sequence must be set on this machine.
            Postgres.Pipe.Script(string.Create(CultureInfo.InvariantCulture, $"SELECT setval('{sequence}', {1 + last}, false)"));
        }

        foreach (var table in Texts("SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name !~ '_[0-9]+$'"))
            Postgres.Pipe.Script($"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1 + (SELECT COALESCE(MAX(id), 0) FROM {table}), false)");

        // The planner has no statistics of the new rows yet.
        foreach (var table in tables) Postgres.Pipe.Script($"ANALYZE {table.Name}");
    }

    private void Take()
    {
        Database = Engine.OpenWriter();
        if (!ServerPresence.TryTakeAlone(Postgres.Connection)) throw ServerRuns();
    }

    private long Number(string sql)
    {
        using var row = Database.Use(sql);
        row.Next();
        return row.Long(0);
    }

    private List<string> Texts(string sql)
    {
        var texts = new List<string>();
        using var rows = Database.Use(sql);
        while (rows.Next()) texts.Add(rows.Text(0));
        return texts;
    }

    private sealed class Rows(NpgsqlBinaryImporter importer, MovedTable table) : RowWriter
    {
        public override void Add(Statement row)
        {
            importer.StartRow();
            for (var i = 0; i < table.Columns.Count; i++)
            {
                if (row.IsNull(i))
                {
                    importer.WriteNull();
                    continue;
                }

                switch (table.Columns[i].Kind)
                {
                    case ColumnKind.Number: importer.Write(row.Long(i), NpgsqlDbType.Bigint); break;
                    case ColumnKind.SmallNumber: importer.Write((short)row.Long(i), NpgsqlDbType.Smallint); break;
                    case ColumnKind.Text: importer.Write(MovedText.Read(table, i, row), NpgsqlDbType.Text); break;
                    case ColumnKind.Bytes: importer.Write(row.Bytes(i).ToArray(), NpgsqlDbType.Bytea); break;
                }
            }
        }

        public override void Complete() => importer.Complete();

        public override void Dispose() => importer.Dispose();
    }
}
