using System.Collections.Concurrent;

namespace TrackMate.Store.Ingest;

/// <summary>
/// The second step of a commit, if the engine has one: bringing it onto the disk. Meanwhile one more transaction is written and waits. The writer begins a third one only
/// after the second's turn has come, so a slow disk makes transactions larger and never creates a second queue.
/// </summary>
internal sealed partial class WriteQueue
{
    private readonly Action<IReadOnlyList<Append>>? sync;
    private readonly Thread syncThread;

    /// <summary>Whether a further transaction may be written.</summary>
    private readonly SemaphoreSlim room = new(1);

    private readonly BlockingCollection<Transaction> committed = [];

    /// <param name="Batch">Its requests.</param>
    /// <param name="Since">The timestamp at which it began.</param>
    /// <param name="Expected">The expected duration until it is on the disk, milliseconds.</param>
    /// <param name="IsLarge">Whether it contains a large request.</param>
    private sealed record Transaction(List<Append> Batch, long Since, double Expected, bool IsLarge)
    {
        /// <summary>The time spent on it, without the time that it waited for the disk.</summary>
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

    /// <summary>Answers the requests of a transaction.</summary>
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

            // The duration of a failed transaction says nothing about that of others.
            if (batch.TrueForAll(append => append.Failure is null)) times.Learn(batch.Select(append => (append.Sender, append.Units)), transaction.Took.TotalMilliseconds);
        }

        // One work item answers the whole batch: a work item per answer would cost more than the answers.
        ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.ForEach(append => append.Answer()), batch, preferLocal: false);
    }
}
