namespace TrackMate.Store.Timeline;

/// <summary>What an act moves: what is shown under another profile's id than before, or under none.</summary>
/// <param name="Events">Events that were sent; the derived <c>user_registered</c> is none.</param>
/// <param name="Sessions">Sessions of browsers and of servers that a profile loses by it, or gains where none loses.</param>
/// <param name="Revenue">By currency, exact.</param>
public sealed record Moved(long Events, long Sessions, IReadOnlyList<(string Currency, decimal Amount)> Revenue)
{
    public static readonly Moved Nothing = new(0, 0, []);
}
