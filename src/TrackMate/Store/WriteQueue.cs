using System.Diagnostics;
using TrackMate.Bind;
using TrackMate.Store.Write;

namespace TrackMate.Store;

/// <summary>
/// Group commit: one thread takes what has gathered in the bounded queue, writes it in one transaction, and answers its senders after the commit. The more come at
/// once, the cheaper each is. A full queue refuses at once rather than holding what it cannot promise.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    /// <summary>Appends waiting at most; past it senders get a 503.</summary>
    private const int Capacity = 8192;

    /// <summary>What may wait at most in memory.</summary>
    private const long CapacityBytes = 64L << 20;

    /// <summary>Messages in one transaction at most, so that the first of them does not wait for thousands.</summary>
    private const int MaxMessages = 1024;

    private readonly Lock gate = new();
    private readonly AutoResetEvent arrived = new(false);
    private readonly Action<IReadOnlyList<Append>> commit;
    private readonly Thread thread;
    private readonly Queue<Append> waiting = new();
    private long waitingBytes;
    private bool stopping;

    /// <param name="commit">Writes appends in one transaction and sets the receipts or the failure of each. Never throws.</param>
    public WriteQueue(Action<IReadOnlyList<Append>> commit)
    {
        this.commit = commit;
        thread = new(Run) { Name = "store writer", IsBackground = true };
    }

    /// <summary>Appends that wait.</summary>
    public int Waiting => waiting.Count;

    public void Start() => thread.Start();

    /// <returns>What became of each message, after the commit.</returns>
    /// <exception cref="StoreUnavailableException">The queue is full, the program is stopping, or the transaction failed.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected = null) => AppendAsync(new Append(messages, rejected));

    /// <summary>Runs something of an operator's between the messages, in a transaction of its own.</summary>
    /// <exception cref="StoreUnavailableException">As for messages.</exception>
    public Task RunAsync(Company company, Hold hold, Action<MessageWriter> work) => AppendAsync(new Append([], null, new(company, hold, work)));

    private Task<Receipt[]> AppendAsync(Append append)
    {
        lock (gate)
        {
            if (stopping || waiting.Count >= Capacity || waitingBytes + append.Bytes > CapacityBytes)
                return Task.FromException<Receipt[]>(new StoreUnavailableException(stopping ? "The server is stopping; send it again." : "More is coming in than the store can write; send it again."));
            waiting.Enqueue(append);
            waitingBytes += append.Bytes;
            arrived.Set();
        }

        return append.Task;
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

        if (!thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted)) thread.Join();
        arrived.Dispose();
    }

    private void Run()
    {
        while (Gather() is { } batch)
        {
            var started = Stopwatch.GetTimestamp();
            commit(batch);
            StoreMetrics.Committed(batch.Sum(append => append.Messages.Count), Stopwatch.GetElapsedTime(started));

            // One work item answers the whole batch: a work item for each answer costs more than the answers.
            ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.ForEach(append => append.Answer()), batch, preferLocal: false);
        }
    }

    /// <summary>
    /// Waits for something to write, then takes all that is there, up to a batch; null when stopping and all is written. What an operator does has a transaction to
    /// itself: it may reach everything, and what is remembered of a transaction's messages must hold to its end.
    /// </summary>
    private List<Append>? Gather()
    {
        while (true)
        {
            lock (gate)
            {
                if (waiting.Count > 0)
                {
                    var batch = new List<Append>(waiting.Count);
                    for (var messages = 0; messages < MaxMessages && waiting.TryPeek(out var append); messages += Math.Max(1, append.Messages.Count))
                    {
                        if (batch.Count > 0 && (append.Work is not null || batch[^1].Work is not null)) break;
                        batch.Add(waiting.Dequeue());
                        waitingBytes -= append.Bytes;
                    }

                    return batch;
                }

                if (stopping) return null;
            }

            arrived.WaitOne();
        }
    }

    /// <summary>What an operator does. It may run again, should a transaction fail.</summary>
    internal sealed record Work(Company Company, Hold Hold, Action<MessageWriter> Do);

    /// <summary>The messages of one request: they are stored together or not at all.</summary>
    internal sealed class Append(IReadOnlyList<Message> messages, Rejected? rejected, Work? work = null)
    {
        // Continuations run where the batch is answered, a thread of the pool; they send an answer and never block.
        private readonly TaskCompletionSource<Receipt[]> answer = new();

        public IReadOnlyList<Message> Messages { get; } = messages;

        /// <summary>About what it holds in memory.</summary>
        public long Bytes { get; } = messages.Sum(message => message switch
        {
            TrackedEvent tracked => tracked.Data.Length + tracked.Context.Length,
            Identify identify => identify.Said.Length,
            _ => 0,
        }) + (rejected?.Events.Sum(refused => refused.Body.Length) ?? 0);

        /// <summary>What was refused in the same request, kept beside it.</summary>
        public Rejected? Rejected { get; } = rejected;

        /// <summary>What an operator does; null for messages.</summary>
        public Work? Work { get; } = work;

        public Receipt[] Receipts { get; } = messages.Count == 0 ? [] : new Receipt[messages.Count];

        /// <summary>The company that it is of; null where it only asks.</summary>
        public Company? Company => Messages.Count > 0 ? Messages[0].Company : Rejected?.Company ?? Work?.Company;

        /// <summary>Whether it only asks if the store writes.</summary>
        public bool IsProbe => Messages.Count == 0 && Rejected is null && Work is null;

        /// <summary>What it does to which companies.</summary>
        public IEnumerable<(long Company, Hold Hold)> Holds()
        {
            foreach (var message in Messages) yield return (message.Company.Number, message is TrackedEvent { Order.Origin: Origin.Browser } ? Hold.Append : Hold.Bind);
            if (Rejected is { } refused) yield return (refused.Company.Number, Hold.Append);
            if (Work is { } asked) yield return (asked.Company.Number, asked.Hold);
        }

        /// <summary>The companies that have received or refused something by it; repeats are nothing new.</summary>
        public IEnumerable<long> Heard()
        {
            for (var i = 0; i < Messages.Count; i++)
            {
                if (!Receipts[i].Duplicate) yield return Messages[i].Company.Number;
            }

            if (Rejected is { } refused) yield return refused.Company.Number;
        }

        /// <summary>What the transaction failed with; set by the writer.</summary>
        public Exception? Failure { get; set; }

        /// <summary>Whether it failed as it was committed, so that it may be stored all the same.</summary>
        public bool MayBeStored { get; set; }

        public Task<Receipt[]> Task => answer.Task;

        private string WhatBecameOfIt => (MayBeStored, Work is null) switch
        {
            (false, true) => "The store cannot write now; nothing of this was stored, send it again.",
            (false, false) => "The store cannot write now; nothing was done, try it again.",
            (true, true) => "The store has not answered whether it stored this; send it again with the same eventId, and it is there once.",
            (true, false) => "The store has not answered whether this was done; look before you try it again.",
        };

        public void Answer()
        {
            if (Failure is null) answer.SetResult(Receipts);
            else answer.SetException(new StoreUnavailableException(WhatBecameOfIt, Failure));
        }
    }
}
