using TrackMate.Store.Move;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Manage;

/// <summary>Where an installation keeps its data, and how programs open it. A mistyped path never creates an empty store.</summary>
/// <param name="Engine">Stores companies and messages.</param>
/// <param name="DataFolder">This machine's own files: the embedded store, and the key that encrypts token secrets.</param>
internal sealed record Installation(Engine Engine, string DataFolder)
{
    public SealingKey Sealing { get; } = new(DataFolder);

    /// <summary>An installation that keeps everything in a folder.</summary>
    public static Installation In(string dataFolder) => new(new SqliteEngine(dataFolder), dataFolder);

    /// <summary>Opens the registry, with or without a running server.</summary>
    /// <exception cref="CommandFailedException">There is no data yet, or it has the schema of another version; only a server upgrades it.</exception>
    public Registry OpenRegistry(TimeProvider time)
    {
        RequireData();
        using (var database = Engine.OpenReader()) CheckSchema(database);
        RequireFinishedMove();
        return Registry.Open(Engine, Sealing, time);
    }

    /// <summary>Creates the store if necessary, and opens the registry.</summary>
    public Registry MakeRegistry(TimeProvider time)
    {
        RequireFinishedMove();
        Engine.Upgrade();
        Rederivation.Finish(Engine);
        return Registry.Open(Engine, Sealing, time);
    }

    /// <exception cref="CommandFailedException">There is no data yet.</exception>
    public void RequireData()
    {
        if (!Engine.HasData) throw new CommandFailedException($"There is no TrackMate data in {Engine.Place}; {Engine.HowToFind}, or create a store with: trackmate company add");
    }

    /// <summary>Checks that no unfinished move into this store exists. Until a move ends the store is incomplete, and other writes would conflict with it.</summary>
    /// <exception cref="CommandFailedException">A move is unfinished.</exception>
    public void RequireFinishedMove()
    {
        if (!Engine.HasData) return;
        using var database = Engine.OpenReader();
        if (MoveProgress.IsIn(database)) throw new CommandFailedException(MoveProgress.UnfinishedMove(Engine));
    }

    /// <summary>The embedded store, for a command that works on its file.</summary>
    /// <exception cref="CommandFailedException">The data is in a database and not in a folder.</exception>
    public SqliteEngine Embedded(string verb) => Engine as SqliteEngine
        ?? throw new CommandFailedException($"trackmate {verb} works on the embedded store. {Engine.Name} has its own tools for that; see docs/scaling.md.");

    /// <exception cref="CommandFailedException">The store's schema is older or newer than this program's.</exception>
    public void CheckSchema(Database database)
    {
        if (Engine.SchemaProblemOf(database) is { } problem) throw new CommandFailedException(problem);
    }

    /// <summary>The company of a command: the named one, otherwise the only one.</summary>
    /// <exception cref="CommandFailedException">The company does not exist, or there are several to choose from.</exception>
    public static Bind.Company CompanyOf(Registry registry, string? companyId)
    {
        if (companyId is not null)
            return registry.Find(companyId) ?? throw new CommandFailedException($"There is no company {companyId} here; see: trackmate company list");

        return registry.Companies switch
        {
            { Count: 1 } only => only.First(),
            { Count: 0 } => throw new CommandFailedException("There is no company here yet; create one with: trackmate company add"),
            _ => throw new InvalidSettingException("--company", $"there are several companies here, so name one of {string.Join(", ", registry.Companies.Select(company => company.CompanyId))}"),
        };
    }
}
