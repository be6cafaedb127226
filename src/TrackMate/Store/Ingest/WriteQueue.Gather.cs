namespace TrackMate.Store.Ingest;

/// <summary>When the writer begins a transaction, and what it takes into it: crowds are waited for, large requests are kept apart, and one company's flood is paused for others.</summary>
internal sealed partial class WriteQueue
{
    /// <summary>
    /// A request of so many units or more that is expected to take longer than this, and longer than a transaction costs by itself, is large. It does not share a
    /// transaction with smaller ones before it: they would wait for it.
    /// </summary>
    private const double LargeMilliseconds = 1, LargeUnits = 20;

    /// <summary>A company that has sent something small within this time counts as one that sends now.</summary>
    private static readonly TimeSpan Recently = TimeSpan.FromSeconds(1);

    /// <summary>Before a request that has waited for longer the writer does not rest: everybody has an answer in time.</summary>
    private static readonly TimeSpan LongestWaitForRests = TimeSpan.FromSeconds(1);

    /// <summary>Of those who send at the same time, so few are not waited for.</summary>
    private const int SmallCrowd = 8;

    /// <summary>Those whom the last transaction answered are mostly there again in less; to wait for them makes one transaction out of two.</summary>
    private static readonly TimeSpan CrowdWait = TimeSpan.FromMilliseconds(1);

    /// <summary>The company that sent something small last, and the last one before it that was another.</summary>
    private (long Company, long At) last, lastOther;

    /// <summary>Until when the writer rests before it begins another large request; small ones do not wait.</summary>
    private long restsUntil;

    /// <summary>How many send at the same time: those of a transaction and those who came meanwhile.</summary>
    private int crowd;

    /// <summary>What one transaction is to take besides what it costs by itself.</summary>
    private double TransactionMilliseconds => Math.Max(limits.Milliseconds, 2 * times.Transaction);

    /// <summary>
    /// Waits for something to write, then takes what has its turn, up to a batch; null when stopping and all is written. What an operator does has a transaction to
    /// itself: it may reach everything, and what is remembered of a transaction's messages must hold to its end.
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
                wakeAt = rest > TimeSpan.Zero ? waiting.Count + 1 : mayWait ? WorthWaitingFor() : 1;
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
            else if (wakeAt > 1) mayWait = arrived.WaitOne(CrowdWait);
            else arrived.WaitOne();
        }
    }

    private bool IsLarge(Append append, double milliseconds) =>
        append.Work is null && append.Units >= LargeUnits && milliseconds > Math.Max(LargeMilliseconds, times.Transaction);

    /// <summary>
    /// How long the writer still rests before the request whose turn it is: a large one, while another company sends too. As long as one before it is not on the disk,
    /// it waits to be told that it is.
    /// </summary>
    private TimeSpan RestLeft()
    {
        if (stopping || !waiting.TryPeek(out var next, out var cost) || !IsLarge(next, cost) || time.GetElapsedTime(next.Since) > LongestWaitForRests) return TimeSpan.Zero;
        var other = last.Company != next.Sender.Company ? last : lastOther;
        if (other.At == 0 || time.GetElapsedTime(other.At) > Recently) return TimeSpan.Zero;
        var left = underway.Exists(transaction => transaction.IsLarge) ? limits.LongestRest : time.GetElapsedTime(time.GetTimestamp(), restsUntil);
        return left < TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : left;
    }

    /// <summary>How many are to be there before a transaction begins: some of those who send at the same time, as long as it is short and nobody's turn is another matter.</summary>
    private int WorthWaitingFor()
    {
        var isReady = stopping || waiting.Count == 0 || waiting.Cost > TransactionMilliseconds / 2 || (waiting.TryPeek(out var next, out _) && next.Work is not null);
        return isReady || crowd <= SmallCrowd ? 1 : (int)(crowd * limits.Crowd);
    }
}
