using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>Why the write queue rejects a request.</summary>
internal enum QueueFull
{
    /// <summary>The request would wait for messages of the same sender: a 429.</summary>
    OwnShare,

    /// <summary>The request would wait for messages of many senders: a 503.</summary>
    Overload,

    /// <summary>The current transaction takes longer than expected: a 503.</summary>
    SlowTransaction,
}

/// <summary>The write queue rejects a request, since it would wait too long or take too much memory. Nothing of it is stored.</summary>
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
