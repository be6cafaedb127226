namespace TrackMate.Manage;

/// <summary>A command cannot be completed. The message is one sentence that says why and what to do.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
