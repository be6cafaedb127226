namespace TrackMate.Store.Ingest;

/// <summary>The limits of a write queue.</summary>
/// <param name="Bytes">The memory of all waiting requests. One sender may use at most as much as is left free.</param>
/// <param name="Milliseconds">
/// The planned duration of the messages of a transaction, without the fixed cost of a transaction and without a single request that takes longer. Another company's
/// single event waits about this long. If the fixed cost is at least half of it, as on a slow disk, the messages may take twice the fixed cost.
/// </param>
/// <param name="GatherFraction">The fraction of the concurrent senders whose requests must be waiting before a transaction begins, from 0 to 1.</param>
internal sealed record QueueLimits(long Bytes, double Milliseconds, double GatherFraction)
{
    /// <summary>
    /// The longest rest of the writer. After a transaction with a large request is on the disk, the writer rests for as long as that took, if other companies send too. So
    /// the processors and the disk are free for these half of the time.
    /// </summary>
    public TimeSpan LongestRest { get; init; }

    /// <summary>For the only writer of a store. While it writes for some senders, the other cores read the requests of the rest; with larger transactions the two would alternate.</summary>
    public static readonly QueueLimits OneWriter = new(64L << 20, 4, 0.5) { LongestRest = TimeSpan.FromMilliseconds(20) };

    /// <summary>For one of several writers. Each transaction costs round trips to the database, and most other senders use another writer.</summary>
    public static readonly QueueLimits OneOfSeveral = new(16L << 20, 20, 0.75);
}
