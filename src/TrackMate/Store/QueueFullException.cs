namespace TrackMate.Store;

/// <summary>The write queue does not take it, since it would wait for too long or hold too much; nothing of it is stored. A 503, or a 429 where the sender's own messages are what it would wait for.</summary>
internal sealed class QueueFullException(bool ownShare, int retryAfterSeconds) : StoreUnavailableException(ownShare
    ? "More is coming in from this company than its share of the server; send less, or wait."
    : "More is coming in than the store can write; send it again.")
{
    public bool OwnShare { get; } = ownShare;

    public int RetryAfterSeconds { get; } = retryAfterSeconds;
}
