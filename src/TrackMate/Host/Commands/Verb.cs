using System.CommandLine;
using System.Data.Common;
using TrackMate.Manage;
using TrackMate.Store.Sql;

namespace TrackMate.Host.Commands;

/// <summary>A command with examples, which end its <c>--help</c>.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>The actor in the audit log.</summary>
    public const string Actor = "command line";

    /// <summary>Complete command lines.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Whether the command ends by itself after SIGTERM or Ctrl+C, however long that takes.</summary>
    public bool StopsItself { get; init; }

    /// <summary>Sets the action of the command on the installation that the environment names. The installation is closed afterwards.</summary>
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
