namespace TrackMate.Store;

/// <summary>The store cannot take it now; nothing of it is stored, and the sender may send it again. A 503 with Retry-After.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
