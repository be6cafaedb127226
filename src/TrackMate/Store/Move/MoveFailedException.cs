namespace TrackMate.Store.Move;

/// <summary>A move cannot start or continue. The message says why and what to do.</summary>
internal sealed class MoveFailedException(string message) : Exception(message);
