using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>Why the write queue refuses.</summary>
internal enum QueueFull
{
    /// <summary>The sender's own messages are what it would wait for: a 429.</summary>
    OwnShare,

    /// <summary>The messages of many: a 503.</summary>
    Overload,

    /// <summary>The transaction that is being written takes longer than expected, whatever else waits: a 503.</summary>
    SlowTransaction,
}

/// <summary>The write queue does not take it, since it would wait for too long or hold too much; nothing of it is stored.</summary>
internal sealed class QueueFullException(QueueFull cause, int retryAfterSeconds) : StoreUnavailableException(cause switch
{
    QueueFull.OwnShare => "More is coming in from this company than its share of the server; send less, or wait.",
    QueueFull.SlowTransaction => "The store takes longer than usual to write, and nothing of this was stored; send it again.",
    _ => "More is coming in than the store can write; send it again.",
})
{
    public bool OwnShare => Cause is QueueFull.OwnShare;

    public QueueFull Cause { get; } = cause;

    public int RetryAfterSeconds { get; } = retryAfterSeconds;
}
