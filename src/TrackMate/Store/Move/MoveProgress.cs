using System.Text.Json.Nodes;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Store.Move;

/// <summary>
/// Records how far a move has come, in a table of its target that is written in the same transactions as the rows. While this table exists the target is incomplete, and
/// only the move may use it.
/// </summary>
internal sealed class MoveProgress
{
    /// <summary>The row with this name, which no table has, identifies the source of the move.</summary>
    private const string Source = "*";

    private readonly Database target;

    private MoveProgress(Database target, bool isResumed)
    {
        this.target = target;
        IsResumed = isResumed;
    }

    /// <summary>Whether this run continues an earlier one.</summary>
    public bool IsResumed { get; }

    /// <summary>Whether an unfinished move into this store exists.</summary>
    public static bool IsIn(Database database)
    {
        using var found = database.Use(database is SqliteDatabase
            ? "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'move_progress'"
            : "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'move_progress'");
        found.Next();
        return found.Long(0) > 0;
    }

    /// <summary>The error for a program that opens an incomplete store.</summary>
    public static string UnfinishedMove(Engine engine) => $"A move into {engine.Place} is not finished; run it again with the same arguments to continue.";

    /// <summary>Continues a move, or starts one.</summary>
    /// <param name="fingerprint">Identifies the source and its present contents.</param>
    /// <param name="isEmpty">Whether the target has no rows.</param>
    /// <exception cref="MoveFailedException">The target holds other data.</exception>
    public static MoveProgress Open(Database target, string fingerprint, Func<bool> isEmpty, string from, string to)
    {
        if (IsIn(target))
        {
            using var known = target.Use("SELECT last_key FROM move_progress WHERE name = ?");
            if (!known.With(Source).Next() || known.Text(0) != fingerprint)
                throw new MoveFailedException($"Another move into {to} is not finished: its source was another store, or {from} before a server wrote to it. Finish that move, or use an empty target.");
            return new(target, isResumed: true);
        }

        if (!isEmpty()) throw new MoveFailedException($"There is data in {to} already; the target of a move must be empty.");
        target.BeginWrite([]);
        try
        {
            target.Execute("CREATE TABLE move_progress (name text PRIMARY KEY, last_key text NOT NULL, copied bigint NOT NULL, done bigint NOT NULL)");
            target.Use("INSERT INTO move_progress (name, last_key, copied, done) VALUES (?, ?, 0, 0)").With(Source).With(fingerprint).Run();
            target.Commit();
        }
        catch
        {
            target.Rollback();
            throw;
        }

        return new(target, isResumed: false);
    }

    /// <summary>The progress of a table: the key of the last copied row, the number of copied rows, and whether all are copied.</summary>
    public (JsonArray? Last, long Copied, bool IsDone) Of(string table)
    {
        using var row = target.Use("SELECT last_key, copied, done FROM move_progress WHERE name = ?");
        return row.With(table).Next() ? (MovedTable.ReadKey(row.Text(0)), row.Long(1), row.Long(2) == 1) : (null, 0, false);
    }

    /// <summary>Records the progress of a table, in the transaction that copies the rows.</summary>
    public void Note(string table, JsonArray? last, long copied, bool isDone) =>
        target.Use("""
            INSERT INTO move_progress (name, last_key, copied, done) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET last_key = excluded.last_key, copied = excluded.copied, done = excluded.done
            """).With(table).With(MovedTable.WriteKey(last)).With(copied).With(isDone ? 1 : 0).Run();

    /// <summary>Ends the move: servers may use the target from now on.</summary>
    public void Drop() => target.Execute("DROP TABLE move_progress");
}
