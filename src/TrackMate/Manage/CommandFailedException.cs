namespace TrackMate.Manage;

/// <summary>What an operator asked for cannot be done; the message is the one sentence that says why and what to do.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
