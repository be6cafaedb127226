using System.Text.Json.Nodes;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Store.Move;

/// <summary>
/// How far a move has come, in a table of its target that is written with the rows themselves. While it is there the target is half a store, and nothing but the
/// move works on it.
/// </summary>
internal sealed class MoveProgress
{
    /// <summary>No table's name: its row tells what is being moved.</summary>
    private const string Source = "*";

    private readonly Database target;

    private MoveProgress(Database target, bool isResumed)
    {
        this.target = target;
        IsResumed = isResumed;
    }

    /// <summary>Whether it goes on with what an earlier start began.</summary>
    public bool IsResumed { get; }

    /// <summary>Whether a move into a store has not come to its end.</summary>
    public static bool IsIn(Database database)
    {
        using var found = database.Use(database is SqliteDatabase
            ? "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'move_progress'"
            : "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'move_progress'");
        found.Next();
        return found.Long(0) > 0;
    }

    /// <summary>What whoever would use such a store is told.</summary>
    public static string HalfMoved(Engine engine) => $"A move into {engine.Place} is not finished; start it again with the same arguments, and it goes on where it was.";

    /// <summary>Goes on with a move, or begins one.</summary>
    /// <param name="fingerprint">Tells the source, as it is now, from others.</param>
    /// <param name="isEmpty">Whether the target holds nothing.</param>
    /// <exception cref="MoveFailedException">The target holds something else.</exception>
    public static MoveProgress Open(Database target, string fingerprint, Func<bool> isEmpty, string from, string to)
    {
        if (IsIn(target))
        {
            using var known = target.Use("SELECT last_key FROM move_progress WHERE name = ?");
            if (!known.With(Source).Next() || known.Text(0) != fingerprint)
                throw new MoveFailedException($"Another move into {to} is not finished: of another store than {from}, or of what {from} held before a server wrote to it. Go on with that one, or take an empty place.");
            return new(target, isResumed: true);
        }

        if (!isEmpty()) throw new MoveFailedException($"There is data in {to} already; a store moves into an empty place only.");
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

    /// <summary>How far a table has come.</summary>
    public (JsonArray? Last, long Copied, bool IsDone) Of(string table)
    {
        using var row = target.Use("SELECT last_key, copied, done FROM move_progress WHERE name = ?");
        return row.With(table).Next() ? (MovedTable.ReadKey(row.Text(0)), row.Long(1), row.Long(2) == 1) : (null, 0, false);
    }

    /// <summary>Notes how far a table has come, in the transaction that brings it there.</summary>
    public void Note(string table, JsonArray? last, long copied, bool isDone) =>
        target.Use("""
            INSERT INTO move_progress (name, last_key, copied, done) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET last_key = excluded.last_key, copied = excluded.copied, done = excluded.done
            """).With(table).With(MovedTable.WriteKey(last)).With(copied).With(isDone ? 1 : 0).Run();

    /// <summary>The target is a store from here on.</summary>
    public void Drop() => target.Execute("DROP TABLE move_progress");
}
