using TrackMate.Store.Move;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Manage;

/// <summary>Where an installation keeps its data, and how programs come to it: never by making one where a path was mistyped.</summary>
/// <param name="Engine">What keeps companies and messages.</param>
/// <param name="DataFolder">Where this machine keeps its own: the embedded store, the key that seals token secrets.</param>
internal sealed record Installation(Engine Engine, string DataFolder)
{
    public SealingKey Sealing { get; } = new(DataFolder);

    /// <summary>One that keeps everything in a folder.</summary>
    public static Installation In(string dataFolder) => new(new SqliteEngine(dataFolder), dataFolder);

    /// <summary>Opens its registry, whether or not a server runs on it.</summary>
    /// <exception cref="CommandFailedException">There is no data yet, or it is of another version of the program: only a server upgrades it.</exception>
    public Registry OpenRegistry(TimeProvider time)
    {
        RequireData();
        using (var database = Engine.OpenReader()) CheckSchema(database);
        RefuseHalf();
        return Registry.Open(Engine, Sealing, time);
    }

    /// <summary>Makes it if need be, and opens its registry.</summary>
    public Registry MakeRegistry(TimeProvider time)
    {
        RefuseHalf();
        Engine.Upgrade();
        Rederivation.Finish(Engine);
        return Registry.Open(Engine, Sealing, time);
    }

    /// <exception cref="CommandFailedException">There is no data yet.</exception>
    public void RequireData()
    {
        if (!Engine.HasData) throw new CommandFailedException($"There is no TrackMate data in {Engine.Place}; {Engine.HowToFind}, or begin one with: trackmate company add");
    }

    /// <summary>Looks whether a move into it has come to its end: until then it is half a store, and what was written to it would be in the way of the rest.</summary>
    /// <exception cref="CommandFailedException">It has not.</exception>
    public void RefuseHalf()
    {
        if (!Engine.HasData) return;
        using var database = Engine.OpenReader();
        if (MoveProgress.IsIn(database)) throw new CommandFailedException(MoveProgress.HalfMoved(Engine));
    }

    /// <summary>The embedded store, for a verb that works on its file.</summary>
    /// <exception cref="CommandFailedException">It is not kept in a folder.</exception>
    public SqliteEngine Embedded(string verb) => Engine as SqliteEngine
        ?? throw new CommandFailedException($"trackmate {verb} works on the embedded store. {Engine.Name} has tools of its own for that; see docs/scaling.md.");

    /// <exception cref="CommandFailedException">The store is older or newer than this program.</exception>
    public void CheckSchema(Database database)
    {
        if (Engine.MisfitOf(database) is { } misfit) throw new CommandFailedException(misfit);
    }

    /// <summary>The company that a verb is about: the one named, else the only one there is.</summary>
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
}
