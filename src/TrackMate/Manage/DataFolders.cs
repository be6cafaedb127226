using TrackMate.Host;
using TrackMate.Store.Sqlite;

namespace TrackMate.Manage;

/// <summary>How verbs come to a data folder: never by making one where a path was mistyped.</summary>
internal static class DataFolders
{
    /// <summary>Where the store of an existing folder lies.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static string StoreIn(string dataFolder)
    {
        var path = SqliteStore.PathIn(dataFolder);
        return File.Exists(path)
            ? path
            : throw new CommandFailedException($"There is no TrackMate data in {dataFolder}; set TRACKMATE_DATA to the folder of your server, or begin one with: trackmate company add");
    }

    /// <summary>Opens the registry of an existing folder, whether or not a server runs on it.</summary>
    /// <exception cref="CommandFailedException">There is none, or it is of another version of the program: only a server upgrades one.</exception>
    public static Registry OpenRegistry(string dataFolder, TimeProvider time)
    {
        using (var database = Database.Open(StoreIn(dataFolder), readOnly: true, cacheKibibytes: 256)) CheckSchema(database);
        return Registry.Open(dataFolder, time);
    }

    /// <summary>The company that a verb is about: the one named, else the environment's, else the only one there is.</summary>
    /// <exception cref="CommandFailedException">It is not there, or there are several to choose from.</exception>
    public static Bind.Company CompanyOf(Registry registry, string? companyId)
    {
        if (companyId is not null)
            return registry.Find(companyId) ?? throw new CommandFailedException($"There is no company {companyId} here; see: trackmate company list");

        return registry.Companies switch
        {
            { Count: 1 } only => only.First(),
            { Count: 0 } => throw new CommandFailedException("There is no company here yet; make one with: trackmate company add"),
            _ => throw new InvalidSettingException("--company", $"there are several companies here, so name one of {string.Join(", ", registry.Companies.Select(company => company.CompanyId))}"),
        };
    }

    /// <exception cref="CommandFailedException">The store is older or newer than this program.</exception>
    public static void CheckSchema(Database database)
    {
        var (found, known) = (Schema.Version(database), Schema.Known);
        if (found < known) throw new CommandFailedException($"This data folder is of an older TrackMate (schema {found}; this program is of {known}); start this version's server once, which upgrades it.");
        if (found > known) throw new CommandFailedException($"This data folder was written by a newer TrackMate (schema {found}; this program knows {known}); use that version's program.");
    }
}
