namespace TrackMate.Store.Move;

/// <summary>A move cannot begin or go on; the message is the sentence that says why and what to do.</summary>
internal sealed class MoveFailedException(string message) : Exception(message);
