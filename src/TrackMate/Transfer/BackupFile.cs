using Microsoft.Data.Sqlite;
using SQLitePCL;
using TrackMate.Manage;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Transfer;

/// <summary>A backup: the whole store in one SQLite file that was checked and belongs to its owner alone.</summary>
/// <param name="Bytes">Size of the file.</param>
internal sealed record BackupFile(string Path, long Bytes, long Companies, long Messages, long Sessions, long Identifiers)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a backup of a store, whether or not a server runs on it: one consistent moment, compacted, checked, and only then given its name.</summary>
    /// <exception cref="CommandFailedException">The file is there already, or cannot be written.</exception>
    public static BackupFile Write(Installation installation, string file, bool force)
    {
        var storePath = installation.Embedded("backup").Path;
        installation.RequireData();
        var target = System.IO.Path.GetFullPath(file);
        if (System.IO.Path.GetDirectoryName(target) == System.IO.Path.GetDirectoryName(storePath) && System.IO.Path.GetFileName(target).StartsWith(System.IO.Path.GetFileName(storePath), StringComparison.Ordinal))
            throw new CommandFailedException($"{target} would lie among the store's own files; give the backup another name.");
        if (File.Exists(target) && !force) throw new CommandFailedException($"{target} exists already. Choose another name, or overwrite it with --force.");
        if (Directory.Exists(target)) throw new CommandFailedException($"{target} is a folder; give the name of a file.");

        var unfinished = target + ".unfinished";
        try
        {
            Create(unfinished);
            using (var database = SqliteDatabase.Open(storePath, readOnly: true))
            {
                installation.CheckSchema(database);
                using var into = database.Use("VACUUM INTO ?");
                into.With(unfinished).Next();
            }

            var written = Check(unfinished);
            Flush(unfinished);
            File.Move(unfinished, target, overwrite: force);
            return written with { Path = target };
        }
        catch (Exception e) when (e is SqliteException or StoreUnavailableException)
        {
            throw new CommandFailedException($"The backup could not be written to {target}: {(e.InnerException ?? e).Message} {RemedyOf((e.InnerException ?? e) as SqliteException)}".TrimEnd());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The backup could not be written to {target}: {e.Message}");
        }
        finally
        {
            if (File.Exists(unfinished)) File.Delete(unfinished);
        }
    }

    private static string RemedyOf(SqliteException? e) => e?.SqliteErrorCode switch
    {
        raw.SQLITE_FULL => "Free some disk space, or write the backup to another disk.",
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => "The store itself is damaged: see trackmate doctor, and restore an earlier backup.",
        raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY => "Check that both disks work and that the folder of the backup can be written.",
        _ => "",
    };

    /// <summary>Reads all of a backup and counts what is in it.</summary>
    /// <exception cref="CommandFailedException">It is damaged, no backup of TrackMate, or of a newer version.</exception>
    public static BackupFile Check(string file)
    {
        try
        {
            using var database = SqliteDatabase.Open(file, readOnly: true);
            var (version, known) = new SqliteEngine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!).SchemaOf(database);
            if (version > known) throw new CommandFailedException($"{file} was written by a newer TrackMate (schema {version}; this program knows {known}).");
            if (version == 0 || !HasCompanies(database)) throw new CommandFailedException($"{file} is not a backup of TrackMate.");
            if (Integrity.Of(database) is { } damage) throw new CommandFailedException($"{file} is damaged: {damage}");
            return new(
                file, new FileInfo(file).Length, Count(database, "SELECT COUNT(*) FROM company"), Count(database, "SELECT COUNT(*) FROM message"),
                Count(database, "SELECT COUNT(*) FROM session"), Count(database, "SELECT COUNT(*) FROM identifier"));
        }
        catch (Exception e) when (e is SqliteException or StoreUnavailableException)
        {
            throw new CommandFailedException($"{file} cannot be read as a backup: {(e.InnerException ?? e).Message}");
        }
    }

    /// <summary>Makes an empty file that only its owner can read: a backup holds all that the store does.</summary>
    public static void Create(string path)
    {
        // What a killed run left may be readable by others.
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using var _ = new FileStream(path, options);
    }

    public static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    public override string ToString() =>
        $"{Sizes.Of(Bytes)}: {Sizes.Counted(Companies, "company", "companies")}, {Sizes.Counted(Messages, "message", "messages")}, {Sizes.Counted(Sessions, "session", "sessions")}, {Sizes.Counted(Identifiers, "identifier", "identifiers")}";

    private static bool HasCompanies(Database database) => Count(database, "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('company', 'message')") == 2;

    private static long Count(Database database, string sql)
    {
        using var count = database.Use(sql);
        count.Next();
        return count.Long(0);
    }
}
