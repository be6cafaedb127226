using System.Reflection;

namespace TrackMate.Store.Sqlite;

/// <summary>Numbered .sql files, each applied once, in a transaction, under the write lock: being killed in the middle leaves the version before.</summary>
internal static class Schema
{
    private const string Prefix = "schema/";

    private static readonly string[] Files =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The version that this program brings a store to.</summary>
    public static int Known => Files.Length;

    /// <exception cref="NotSupportedException">The store was made by a newer program.</exception>
    public static void Apply(Database database)
    {
        database.Execute("BEGIN IMMEDIATE");
        try
        {
            var version = Version(database);
            if (version > Known)
                throw new NotSupportedException($"This data folder was written by a newer TrackMate (schema {version}; this program knows {Known}). Upgrade the program, or restore a backup.");
            for (var next = (int)version; next < Known; next++)
            {
                using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Files[next])!);
                database.Execute(reader.ReadToEnd());
                database.Execute($"PRAGMA user_version = {next + 1}");
            }

            database.Execute("COMMIT");
        }
        catch
        {
            database.TryExecute("ROLLBACK");
            throw;
        }
    }

    public static long Version(Database database)
    {
        using var version = database.Use("PRAGMA user_version");
        version.Next();
        return version.Long(0);
    }
}
