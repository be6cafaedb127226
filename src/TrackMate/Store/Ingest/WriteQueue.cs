using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Group commit: one thread takes the waiting requests, writes them in one transaction, and answers them after the commit. So the more requests arrive at once, the less
/// each costs. If a commit must be synced separately, a second thread syncs and answers while the first writes the next transaction. Senders take turns, transactions are
/// short, and a request that would wait too long is rejected at once. No request waits without limit, even if the disk hangs.
/// </summary>
internal sealed partial class WriteQueue : IDisposable
{
    /// <summary>The most messages in one transaction.</summary>
    private const int MaxMessages = 1024;

    /// <summary>A request that would wait longer than this is rejected at once.</summary>
    private const double MaxWaitMilliseconds = 2000;

    private const int MaxRetryAfterSeconds = 60;

    /// <summary>A sender with fewer waiting bytes has not used up its share, however slow the store is. It gets a 503, since the store is the cause.</summary>
    private const long MuchBytes = 256 * 1024;

    /// <summary>After this time a request is answered with what is known, even if the disk hangs. So every request is answered within five seconds; a company's lock is waited for 3 s.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(4.5);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly AutoResetEvent arrived = new(false);
    private readonly Action<IReadOnlyList<Append>> commit;
    private readonly TimeProvider time;
    private readonly QueueLimits limits;
    private readonly Thread thread;
    private readonly ITimer timer;
    private readonly FairQueue<Append> waiting = new();
    private readonly ServiceTimes times = new();

    /// <summary>Transactions that are being written or synced, oldest first; at most two.</summary>
    private readonly List<Transaction> underway = [];
    private bool stopping;

    /// <summary>The writer is woken when this many requests wait.</summary>
    private int wakeAt = 1;

    /// <param name="commit">Writes requests in one transaction and sets the receipts or the failure of each. Never throws.</param>
    /// <param name="sync">Brings them onto the disk, or sets the failure of each. Never throws. Null if a commit is durable by itself.</param>
    public WriteQueue(Action<IReadOnlyList<Append>> commit, TimeProvider time, QueueLimits? limits = null, Action<IReadOnlyList<Append>>? sync = null)
    {
        this.sync = sync;
        this.commit = commit;
        this.time = time;
        this.limits = limits ?? QueueLimits.OneWriter;
        thread = new(Run) { Name = "store writer", IsBackground = true };
        syncThread = new(SyncCommitted) { Name = "store sync", IsBackground = true };
        timer = time.CreateTimer(_ => AnswerLate(), null, LookInterval, LookInterval);
    }

    public void Start()
    {
        thread.Start();
        syncThread.Start();
    }

    /// <summary>The number of waiting requests.</summary>
    public int Waiting(SenderKind kind)
    {
        lock (gate) return waiting.CountOf(kind);
    }

    /// <returns>The receipt of each message, after the commit.</returns>
    /// <exception cref="QueueFullException">The request would wait too long, or take too much memory.</exception>
    /// <exception cref="StoreUnavailableException">The program is stopping, or the transaction failed.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, RejectionRecord? rejected = null) => AppendAsync(new Append(messages, rejected));

    /// <summary>Runs an operator's work between the messages, in a transaction of its own.</summary>
    /// <exception cref="StoreUnavailableException">As for messages.</exception>
    public Task RunAsync(Company company, LockMode hold, Action<WriteTransaction> work) => AppendAsync(new Append([], null, new(company, hold, work)));

    /// <summary>The exception with which a request of this many bytes would be rejected now; null if it would be accepted. Asking before its body is parsed saves the parsing.</summary>
    public StoreUnavailableException? RefusalOf(Sender sender, long bytes)
    {
        lock (gate) return Refuse(sender, bytes);
    }

    private Task<Receipt[]> AppendAsync(Append append)
    {
        lock (gate)
        {
            if (Refuse(append.Sender, append.Bytes) is { } refusal)
            {
                StoreMetrics.NotQueued(refusal);
                return Task.FromException<Receipt[]>(refusal);
            }

            append.Since = time.GetTimestamp();
            var cost = times.Of(append.Sender, append.Units);
            if (!IsLarge(append, cost))
            {
                if (last.Company != append.Sender.Company) lastOther = last;
                last = (append.Sender.Company, append.Since);
            }

            waiting.Enqueue(append.Sender, append, cost, append.Bytes);
            if (waiting.Count >= wakeAt || append.Work is not null) arrived.Set();
        }

        return append.Task;
    }

    private StoreUnavailableException? Refuse(Sender sender, long bytes)
    {
        if (stopping) return new StoreUnavailableException("The server is stopping; send it again.");
        var left = UnderwayMilliseconds();
        var hasRoom = waiting.HasRoom(sender, bytes, limits.Bytes);
        // The usual case, in which the other senders need not be examined.
        if (hasRoom && left + WithFixedCost(waiting.Cost) <= MaxWaitMilliseconds) return null;
        var (own, others) = waiting.CostBefore(sender);
        var hasSentMuch = waiting.BytesOf(sender) >= MuchBytes;
        if (!hasRoom) return new QueueFullException(hasSentMuch && own >= others ? QueueFull.OwnShare : QueueFull.Overload, RetryAfter(own + others));

        // Operators' requests are few and have a line of their own. They are not rejected because of what browsers send.
        if (sender.Kind is SenderKind.Operators) return null;
        var wait = left + WithFixedCost(own + others);
        if (wait <= MaxWaitMilliseconds) return null;
        var cause = hasSentMuch && own > others + left ? QueueFull.OwnShare : left > WithFixedCost(own + others) ? QueueFull.SlowTransaction : QueueFull.Overload;
        return new QueueFullException(cause, RetryAfter(wait - MaxWaitMilliseconds));
    }

    /// <summary>The duration including the fixed costs of the transactions in which it will be written.</summary>
    private double WithFixedCost(double milliseconds) => milliseconds * (1 + (times.Transaction / TransactionMilliseconds));

    private static int RetryAfter(double milliseconds) => (int)Math.Clamp(Math.Ceiling(milliseconds / 1000), 1, MaxRetryAfterSeconds);

    /// <summary>The remaining time of the transactions under way. One that takes longer than expected is assumed to take as long again.</summary>
    private double UnderwayMilliseconds()
    {
        var most = 0.0;
        foreach (var transaction in underway)
        {
            var elapsed = time.GetElapsedTime(transaction.Since).TotalMilliseconds;
            most = Math.Max(most, elapsed < transaction.Expected ? transaction.Expected - elapsed : elapsed);
        }

        return most;
    }

    /// <summary>Rejects new requests, and returns when all accepted ones are committed and answered.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (stopping) return;
            stopping = true;
            arrived.Set();
        }

        if (!thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            thread.Join();
            committed.CompleteAdding();
            syncThread.Join();
        }

        timer.Dispose();
        arrived.Dispose();
        room.Dispose();
        committed.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            if (sync is not null) room.Wait();
            if (Gather() is not { } transaction) return;
            commit(transaction.Batch);
            transaction.Took = time.GetElapsedTime(transaction.Since);
            lock (gate) concurrentSenders = Math.Max(transaction.Batch.Count + waiting.Count, concurrentSenders * 3 / 4);
            if (sync is null) Finish(transaction);
            else committed.Add(transaction);
        }
    }

    /// <summary>
    /// Answers requests that have waited too long. Messages that are being written may be stored all the same. An operator's work that is being written is waited for, since
    /// it may take longer.
    /// </summary>
    private void AnswerLate()
    {
        List<Append> late, uncertain;
        lock (gate)
        {
            late = waiting.RemoveFirst(IsLate);
            uncertain = [.. underway.SelectMany(transaction => transaction.Batch).Where(append => append.Work is null && IsLate(append))];
        }

        foreach (var append in late) append.GiveUp(mayBeStored: false);
        foreach (var append in uncertain) append.GiveUp(mayBeStored: true);
    }

    private bool IsLate(Append append) => time.GetElapsedTime(append.Since) >= LongestWait;
}
