using System.Reflection;

namespace TrackMate.Store.Sql;

/// <summary>InternedId .sql files of an engine, each applied once, in a transaction: being killed in the middle leaves the version before.</summary>
/// <param name="engine">The folder that they lie in, in lower case.</param>
internal sealed class Schema(string engine)
{
    private readonly string[] files =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(engine + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The version that this program brings a store to.</summary>
    public int Known => files.Length;

    /// <summary>Applies what is missing, in a transaction that keeps others from doing so at once.</summary>
    /// <param name="version">What was applied so far.</param>
    /// <param name="place">What people know the store by.</param>
    /// <param name="apply">Runs one file, and notes its number.</param>
    /// <exception cref="NotSupportedException">The store was made by a newer program.</exception>
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
