using System.Reflection;

namespace TrackMate.Store.Sqlite;

/// <summary>Numbered .sql files, each applied once, in a transaction, under the write lock: being killed in the middle leaves the version before.</summary>
internal static class Schema
{
    private const string Prefix = "schema/";

    /// <exception cref="NotSupportedException">The store was made by a newer program.</exception>
    public static void Apply(Database database)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        database.Execute("BEGIN IMMEDIATE");
        try
        {
            var version = Version(database);
            if (version > files.Length)
                throw new NotSupportedException($"This data folder was written by a newer TrackMate (schema {version}; this program knows {files.Length}). Upgrade the program, or restore a backup.");
            for (var next = (int)version; next < files.Length; next++)
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(files[next])!);
                database.Execute(reader.ReadToEnd());
                database.Execute($"PRAGMA user_version = {next + 1}");
            }

            database.Execute("COMMIT");
        }
        catch
        {
            database.Execute("ROLLBACK");
            throw;
        }
    }

    private static long Version(Database database)
    {
        using var version = database.Use("PRAGMA user_version");
        version.Next();
        return version.Long(0);
    }
}
