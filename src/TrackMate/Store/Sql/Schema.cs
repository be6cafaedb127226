using System.Reflection;

namespace TrackMate.Store.Sql;

/// <summary>The numbered .sql files of an engine. Each is applied once, in a transaction: if the process is killed meanwhile, the older version remains.</summary>
/// <param name="engine">The name of the folder of the files, in lower case.</param>
internal sealed class Schema(string engine)
{
    private readonly string[] files =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(engine + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The version to which this program upgrades a store.</summary>
    public int Known => files.Length;

    /// <summary>Applies the missing files, in a transaction that keeps other programs from doing the same meanwhile.</summary>
    /// <param name="version">Reads the number of files that are applied already.</param>
    /// <param name="place">The name of the store, for the error.</param>
    /// <param name="apply">Runs one file, and records its number.</param>
    /// <exception cref="NotSupportedException">A newer program created the store.</exception>
    public void Apply(Database database, Func<long> version, string place, Action<string, int> apply)
    {
        database.BeginWrite([]);
        try
        {
            var found = version();
            if (found > Known)
                throw new NotSupportedException($"{place} was written by a newer TrackMate (schema {found}; this program knows {Known}). Upgrade the program, or restore a backup.");
            for (var next = (int)found; next < Known; next++)
            {
                using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(files[next])!);
                apply(reader.ReadToEnd(), next + 1);
            }

            database.Commit();
        }
        catch
        {
            database.Rollback();
            throw;
        }
    }
}
