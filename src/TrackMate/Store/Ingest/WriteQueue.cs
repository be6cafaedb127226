using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Group commit: one thread takes what has gathered in the queue, writes it in one transaction, and answers its senders after the commit. The more come at once, the
/// cheaper each is. Where a commit is brought onto the disk apart, a second thread does that and answers, and the first writes the next transaction meanwhile. The
/// senders take turns, a transaction is short, and who would wait for too long is told so at once; nobody waits without end, whatever the disk does.
/// </summary>
internal sealed partial class WriteQueue : IDisposable
{
    /// <summary>Messages in one transaction at most.</summary>
    private const int MaxMessages = 1024;

    /// <summary>What would wait for longer is refused at once.</summary>
    private const double MaxWaitMilliseconds = 2000;

    private const int MaxRetryAfterSeconds = 60;

    /// <summary>A sender of whom less waits has not used up its share, however slow the store is: its 503 is the store's fault.</summary>
    private const long MuchBytes = 256 * 1024;

    /// <summary>What has waited for so long is answered, even if the disk hangs, with what is known of it: within five seconds everybody is, and a company that somebody else holds is waited for three.</summary>
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

    /// <summary>Transactions that are written or on their way to the disk, oldest first: two at most.</summary>
    private readonly List<Transaction> underway = [];
    private bool stopping;

    /// <summary>The writer is woken once so many wait.</summary>
    private int wakeAt = 1;

    /// <param name="commit">Writes appends in one transaction and sets the receipts or the failure of each. Never throws.</param>
    /// <param name="sync">Brings them onto the disk, or sets the failure of each. Never throws. Null where a commit does that.</param>
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

    /// <summary>Appends that wait.</summary>
    public int Waiting(SenderKind kind)
    {
        lock (gate) return waiting.CountOf(kind);
    }

    /// <returns>What became of each message, after the commit.</returns>
    /// <exception cref="QueueFullException">It would wait for too long, or hold too much.</exception>
    /// <exception cref="StoreUnavailableException">The program is stopping, or the transaction failed.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected = null) => AppendAsync(new Append(messages, rejected));

    /// <summary>Runs something of an operator's between the messages, in a transaction of its own.</summary>
    /// <exception cref="StoreUnavailableException">As for messages.</exception>
    public Task RunAsync(Company company, LockMode hold, Action<WriteTransaction> work) => AppendAsync(new Append([], null, new(company, hold, work)));

    /// <summary>What an append of so many bytes would be refused with now; null where it would be taken. To ask before its message is read costs less than after.</summary>
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
        // Nearly always: then nobody need look at who else waits.
        if (hasRoom && left + Stretched(waiting.Cost) <= MaxWaitMilliseconds) return null;
        var (own, others) = waiting.CostBefore(sender);
        var hasSentMuch = waiting.BytesOf(sender) >= MuchBytes;
        if (!hasRoom) return new QueueFullException(hasSentMuch && own >= others ? QueueFull.OwnShare : QueueFull.Overload, RetryAfter(own + others));

        // Operators' acts are few and have a line of their own; what a person decides is not turned away for what strangers send.
        if (sender.Kind is SenderKind.Operators) return null;
        var wait = left + Stretched(own + others);
        if (wait <= MaxWaitMilliseconds) return null;
        var cause = hasSentMuch && own > others + left ? QueueFull.OwnShare : left > Stretched(own + others) ? QueueFull.SlowTransaction : QueueFull.Overload;
        return new QueueFullException(cause, RetryAfter(wait - MaxWaitMilliseconds));
    }

    /// <summary>With what the transactions themselves cost in which it will be written.</summary>
    private double Stretched(double milliseconds) => milliseconds * (1 + (times.Transaction / TransactionMilliseconds));

    private static int RetryAfter(double milliseconds) => (int)Math.Clamp(Math.Ceiling(milliseconds / 1000), 1, MaxRetryAfterSeconds);

    /// <summary>What is left of the transactions under way: one that takes longer than expected is expected to take as long again.</summary>
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

    /// <summary>Takes nothing more, and returns when all that was taken is committed and answered.</summary>
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
            lock (gate) crowd = Math.Max(transaction.Batch.Count + waiting.Count, crowd * 3 / 4);
            if (sync is null) Finish(transaction);
            else committed.Add(transaction);
        }
    }

    /// <summary>
    /// Answers those that have waited for too long. What is written at this moment may be stored all the same; an operator's act that is, is waited for, since it may
    /// take its time.
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
