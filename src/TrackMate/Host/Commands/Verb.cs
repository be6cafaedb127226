using System.CommandLine;

namespace TrackMate.Host.Commands;

/// <summary>A verb of the command line, with examples that its <c>--help</c> ends with.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Whole lines as one would type them.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Ends by itself when it is told to stop (SIGTERM, Ctrl+C), however long that takes.</summary>
    public bool StopsItself { get; init; }
}
