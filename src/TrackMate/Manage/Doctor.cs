using System.Data.Common;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Manage;

/// <summary>The result of one check, as a sentence.</summary>
internal sealed record Finding(bool Good, string Sentence);

/// <summary>Checks a store without writing to it, with or without a running server.</summary>
internal static class Doctor
{
    private const long LeastFreeBytes = 512L << 20;
    private const long MostLogBytes = 256L << 20;

    /// <param name="quick">Skips the checks that read the whole store.</param>
    public static IEnumerable<Finding> Examine(Installation installation, bool quick)
    {
        installation.RequireData();
        if (installation.Engine is SqliteEngine embedded)
        {
            yield return FreeSpace(installation.DataFolder);
            yield return Log(embedded.Path);
        }

        Database? database = null;
        Finding? unreadable = null;
        try
        {
            database = installation.Engine.OpenReader();
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException or NotSupportedException)
        {
            unreadable = new(false, installation.Engine.CannotBeUsed(e));
        }

        if (unreadable is not null)
        {
            yield return unreadable;
            yield break;
        }

        using (database)
        {
            if (database is SqliteDatabase sqlite) yield return new(true, $"SQLite {sqlite.Connection.ServerVersion} is new enough.");
            if (installation.Engine is PostgresEngine postgres)
            {
                foreach (var finding in ChecksOf(postgres)) yield return finding;
            }

            var schema = Look(installation.Engine, () => SchemaOf(installation, database!));
            yield return schema;
            if (!schema.Good) yield break;
            yield return Look(installation.Engine, () => TokenKeys(database!, installation.Sealing));
            if (quick) yield break;

            if (database is SqliteDatabase) yield return Look(installation.Engine, () => Integrity.Of(database) is { } damage ? new(false, $"The store is damaged: {damage}. Restore a backup.") : new(true, "Every page and index of the store is intact."));
            yield return Look(installation.Engine, () => Derived(database!));
        }
    }

    private static List<Finding> ChecksOf(PostgresEngine engine)
    {
        try
        {
            return [.. engine.Checks.Run().Select(finding => new Finding(finding.Good, finding.Sentence))];
        }
        catch (DbException e)
        {
            return [new(false, engine.CannotBeUsed(e))];
        }
    }

    private static Finding FreeSpace(string dataFolder)
    {
        var free = new DriveInfo(dataFolder).AvailableFreeSpace;
        return free >= LeastFreeBytes
            ? new(true, $"{Sizes.Of(free)} are free on the disk.")
            : new(false, $"Only {Sizes.Of(free)} are free on the disk; free some space: a full disk stops all writes.");
    }

    private static Finding Log(string store)
    {
        var log = new FileInfo(store + "-wal");
        var bytes = log.Exists ? log.Length : 0;
        return bytes <= MostLogBytes
            ? new(true, $"The write-ahead log is {Sizes.Of(bytes)}.")
            : new(false, $"The write-ahead log is {Sizes.Of(bytes)}, so another program has been reading the store for long; end it, or restart the server.");
    }

    private static Finding SchemaOf(Installation installation, Database database)
    {
        installation.CheckSchema(database);
        return new(true, $"The schema is this program's ({installation.Engine.SchemaOf(database).Known}).");
    }

    private static Finding TokenKeys(Database database, SealingKey sealing)
    {
        var inForce = TokenKeyRows.Read(database, sealing).Where(key => key.RevokedAt is null).ToList();
        var unreadable = inForce.Where(key => key.Key is null).Select(key => key.Kid).ToList();
        return unreadable.Count == 0
            ? new(true, inForce.Count == 0 ? "There are no token keys." : $"{Sizes.Counted(inForce.Count, "token key", "token keys")} can be read.")
            : new(false, $"Token keys that cannot be read, so that their tokens are rejected: {string.Join(", ", unreadable)}. Restore {sealing.Path}, or revoke them and add others with: trackmate token-key add");
    }

    private static Finding Derived(Database database)
    {
        var (differences, underWay) = DerivedTables.Differences(database);
        var besides = underWay.Count == 0 ? "" : $" Not compared, because a change of settings is in progress: {string.Join(", ", underWay.Select(company => company.CompanyId))}.";
        return differences.Count == 0
            ? new(true, $"The derived data (spans, persons, server sessions, daily counts, revenue, search) matches a rebuild.{besides}")
            : new(false, $"The derived data differs from a rebuild: {string.Join(", ", differences.Select(table => $"{Sizes.Counted(table.Rows, "row", "rows")} of {table.Table}"))}. Please report this.{besides}");
    }

    private static Finding Look(Engine engine, Func<Finding> look)
    {
        try
        {
            return look();
        }
        catch (CommandFailedException e)
        {
            return new(false, e.Message);
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            return new(false, engine.CannotBeUsed(e));
        }
    }
}
