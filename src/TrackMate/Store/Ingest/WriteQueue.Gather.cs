namespace TrackMate.Store.Ingest;

/// <summary>Decides when the writer begins a transaction, and which requests are in it: it waits for concurrent senders, separates large requests, and pauses one company's flood for others.</summary>
internal sealed partial class WriteQueue
{
    /// <summary>
    /// A request is large if it has at least this many units, and is expected to take longer than this time and longer than the fixed cost of a transaction. It is not put
    /// into the same transaction as smaller ones before it, since these would wait for it.
    /// </summary>
    private const double LargeMilliseconds = 1, LargeUnits = 20;

    /// <summary>A company counts as sending if it has sent a small request within this time.</summary>
    private static readonly TimeSpan Recently = TimeSpan.FromSeconds(1);

    /// <summary>The writer does not rest before a request that has waited longer than this, so that every request is answered in time.</summary>
    private static readonly TimeSpan LongestWaitForRests = TimeSpan.FromSeconds(1);

    /// <summary>With at most this many concurrent senders the writer does not wait for more requests.</summary>
    private const int FewSenders = 8;

    /// <summary>How long to wait for further requests. Most senders that the last transaction answered send again within this time, and one transaction is then enough for them.</summary>
    private static readonly TimeSpan GatherWait = TimeSpan.FromMilliseconds(1);

    /// <summary>The company that sent the last small request, and the company before it that was a different one.</summary>
    private (long Company, long At) last, lastOther;

    /// <summary>The timestamp until which the writer rests before it begins another large request. Small requests do not wait for it.</summary>
    private long restsUntil;

    /// <summary>The estimated number of concurrent senders: those of a transaction, and those whose requests arrived meanwhile.</summary>
    private int concurrentSenders;

    /// <summary>The planned duration of a transaction's messages, without its fixed cost.</summary>
    private double TransactionMilliseconds => Math.Max(limits.Milliseconds, 2 * times.Transaction);

    /// <summary>
    /// Waits for requests, then takes those whose turn it is, up to a full batch. Null when stopping and everything is written. An operator's work has a transaction of its
    /// own: it may affect any row, and the states cached for a transaction's messages must stay valid to its end.
    /// </summary>
    private Transaction? Gather()
    {
        var (mayWait, mayRest) = (true, true);
        while (true)
        {
            TimeSpan rest;
            lock (gate)
            {
                rest = mayRest ? RestLeft() : TimeSpan.Zero;
                wakeAt = rest > TimeSpan.Zero ? waiting.Count + 1 : mayWait ? MinimumToStart() : 1;
                if (waiting.Count >= wakeAt)
                {
                    var batch = new List<Append>();
                    var (messages, expected, isLarge) = (0, 0.0, false);
                    while (waiting.TryPeek(out var append, out var cost))
                    {
                        var isFull = messages + append.Messages.Count > MaxMessages || expected + cost > TransactionMilliseconds;
                        if (batch.Count > 0 && (isFull || (IsLarge(append, cost) && !isLarge) || append.Work is not null || batch[^1].Work is not null)) break;
                        isLarge |= IsLarge(append, cost);
                        batch.Add(waiting.Dequeue());
                        messages += Math.Max(1, append.Messages.Count);
                        expected += cost;
                    }

                    var transaction = new Transaction(batch, time.GetTimestamp(), times.Transaction + expected, isLarge);
                    underway.Add(transaction);
                    wakeAt = int.MaxValue;
                    return transaction;
                }

                if (stopping) return null;
            }

            // A disk that takes longer than the longest rest is not waited for.
            if (rest > TimeSpan.Zero) mayRest = arrived.WaitOne(rest) || rest < limits.LongestRest;
            else if (wakeAt > 1) mayWait = arrived.WaitOne(GatherWait);
            else arrived.WaitOne();
        }
    }

    private bool IsLarge(Append append, double milliseconds) =>
        append.Work is null && append.Units >= LargeUnits && milliseconds > Math.Max(LargeMilliseconds, times.Transaction);

    /// <summary>
    /// How much longer the writer rests before the next request: only if that is a large one and another company sends too. While an earlier large request is not on the disk
    /// yet, the writer waits until it is signalled.
    /// </summary>
    private TimeSpan RestLeft()
    {
        if (stopping || !waiting.TryPeek(out var next, out var cost) || !IsLarge(next, cost) || time.GetElapsedTime(next.Since) > LongestWaitForRests) return TimeSpan.Zero;
        var other = last.Company != next.Sender.Company ? last : lastOther;
        if (other.At == 0 || time.GetElapsedTime(other.At) > Recently) return TimeSpan.Zero;
        var left = underway.Exists(transaction => transaction.IsLarge) ? limits.LongestRest : time.GetElapsedTime(time.GetTimestamp(), restsUntil);
        return left < TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : left;
    }

    /// <summary>How many requests must be waiting before a transaction begins: a fraction of the concurrent senders, as long as the waiting requests are few and none is an operator's work.</summary>
    private int MinimumToStart()
    {
        var isReady = stopping || waiting.Count == 0 || waiting.Cost > TransactionMilliseconds / 2 || (waiting.TryPeek(out var next, out _) && next.Work is not null);
        return isReady || concurrentSenders <= FewSenders ? 1 : (int)(concurrentSenders * limits.GatherFraction);
    }
}
