using System.Collections.Concurrent;

namespace TrackMate.Store.Ingest;

/// <summary>
/// The second half of a commit, where it has one. While one transaction is brought onto the disk, one more is written and waits for it; the writer begins a third only
/// when that one has its turn, so a slow disk makes transactions larger and never a second queue.
/// </summary>
internal sealed partial class WriteQueue
{
    private readonly Action<IReadOnlyList<Append>>? sync;
    private readonly Thread syncThread;

    /// <summary>Whether a transaction may be written.</summary>
    private readonly SemaphoreSlim room = new(1);

    private readonly BlockingCollection<Transaction> committed = [];

    /// <param name="Batch">What is written in it.</param>
    /// <param name="Since">When it was begun.</param>
    /// <param name="Expected">How long it is expected to take until it is on the disk; milliseconds.</param>
    /// <param name="IsLarge">Whether one of its requests is expected to take long by itself.</param>
    private sealed record Transaction(List<Append> Batch, long Since, double Expected, bool IsLarge)
    {
        /// <summary>How long it was worked on, without the time that it waited for the disk to be free.</summary>
        public TimeSpan Took { get; set; }
    }

    private void SyncCommitted()
    {
        foreach (var transaction in committed.GetConsumingEnumerable())
        {
            room.Release();
            var since = time.GetTimestamp();
            sync!(transaction.Batch);
            transaction.Took += time.GetElapsedTime(since);
            Finish(transaction);
        }
    }

    /// <summary>Answers whoever waits for a transaction.</summary>
    private void Finish(Transaction transaction)
    {
        var batch = transaction.Batch;
        StoreMetrics.Committed(batch.Sum(append => append.Messages.Count), time.GetElapsedTime(transaction.Since));
        lock (gate)
        {
            underway.Remove(transaction);
            if (transaction.IsLarge)
            {
                restsUntil = time.GetTimestamp() + (long)(Math.Min(transaction.Took.TotalSeconds, limits.LongestRest.TotalSeconds) * time.TimestampFrequency);
                arrived.Set();
            }

            // How long one waits that fails says nothing of how long they take.
            if (batch.TrueForAll(append => append.Failure is null)) times.Learn(batch.Select(append => (append.Sender, append.Units)), transaction.Took.TotalMilliseconds);
        }

        // One work item answers the whole batch: a work item for each answer costs more than the answers.
        ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.ForEach(append => append.Answer()), batch, preferLocal: false);
    }
}
