namespace TrackMate.Store.Ingest;

/// <summary>What a write queue holds at most.</summary>
/// <param name="Bytes">What may wait in memory; of it one sender at most as much as is left free.</param>
/// <param name="Milliseconds">
/// What one transaction is to take, apart from what every transaction costs and from one request that is larger: about so long does another company's single event wait.
/// Where a transaction costs half of that or more by itself, as on a slow disk, its messages may take twice as long as it costs.
/// </param>
/// <param name="Crowd">Of those who send at the same time, how many are to be there before a transaction begins; a part of 1.</param>
internal sealed record QueueLimits(long Bytes, double Milliseconds, double Crowd)
{
    /// <summary>
    /// When a transaction of large requests is on the disk, the writer rests for as long as that took, at most so long, where other companies send too: for half of the
    /// time these find the processors and the disk free.
    /// </summary>
    public TimeSpan LongestRest { get; init; }

    /// <summary>While the writer writes for some, the other cores read what the others send: with one large transaction after the other they would take turns.</summary>
    public static readonly QueueLimits OneWriter = new(64L << 20, 4, 0.5) { LongestRest = TimeSpan.FromMilliseconds(20) };

    /// <summary>Each transaction costs journeys to the database, and who waits is mostly with another writer.</summary>
    public static readonly QueueLimits OneOfSeveral = new(16L << 20, 20, 0.75);
}
