using System.CommandLine;
using System.Data.Common;
using TrackMate.Manage;
using TrackMate.Store.Sql;

namespace TrackMate.Host.Commands;

/// <summary>A verb of the command line, with examples that its <c>--help</c> ends with.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Who acts, as the audit log calls it.</summary>
    public const string Actor = "command line";

    /// <summary>Whole lines as one would type them.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Ends by itself when it is told to stop (SIGTERM, Ctrl+C), however long that takes.</summary>
    public bool StopsItself { get; init; }

    /// <summary>Sets what it does to the installation that the environment names, which is closed behind it.</summary>
    public void Does(Func<Installation, ParseResult, int> action) => SetAction(parsed =>
    {
        var installation = ServerOptions.InstallationFrom(Environment.GetEnvironmentVariable);
        using var engine = installation.Engine;
        try
        {
            return action(installation, parsed);
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            throw new CommandFailedException(engine.CannotBeUsed(e));
        }
    });

    /// <inheritdoc cref="Does(Func{Installation, ParseResult, int})"/>
    public void Does(Action<Installation, ParseResult> action) => Does((installation, parsed) =>
    {
        action(installation, parsed);
        return 0;
    });

    /// <inheritdoc cref="Does(Func{Installation, ParseResult, int})"/>
    public void Does(Func<Installation, ParseResult, CancellationToken, Task> action) => SetAction(async (parsed, cancel) =>
    {
        var installation = ServerOptions.InstallationFrom(Environment.GetEnvironmentVariable);
        using var engine = installation.Engine;
        try
        {
            await action(installation, parsed, cancel);
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            throw new CommandFailedException(engine.CannotBeUsed(e));
        }
    });
}
