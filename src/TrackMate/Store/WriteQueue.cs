using System.Diagnostics;
using System.Threading.Channels;
using TrackMate.Bind;
using TrackMate.Host;

namespace TrackMate.Store;

/// <summary>
/// Group commit: one thread takes what has gathered in the bounded queue, writes it in one transaction, and answers its senders after the commit. The more come at
/// once, the cheaper each is. A full queue refuses at once rather than holding what it cannot promise.
/// </summary>
internal sealed class WriteQueue
{
    /// <summary>Appends waiting at most; past it senders get a 503.</summary>
    private const int Capacity = 8192;

    /// <summary>Messages in one transaction at most, so that the first of them does not wait for thousands.</summary>
    private const int MaxMessages = 1024;

    private readonly Channel<Append> channel = Channel.CreateBounded<Append>(new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Action<IReadOnlyList<Append>> commit;
    private readonly Thread thread;

    /// <param name="commit">Writes appends in one transaction and answers each of them. Never throws.</param>
    public WriteQueue(Action<IReadOnlyList<Append>> commit)
    {
        this.commit = commit;
        thread = new(Run) { Name = "store writer", IsBackground = true };
        Metrics.QueueLength = () => channel.Reader.Count;
    }

    public void Start() => thread.Start();

    /// <returns>What became of each message, after the commit.</returns>
    /// <exception cref="StoreUnavailableException">The queue is full, the program is stopping, or the transaction failed.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected = null)
    {
        var append = new Append(messages, rejected);
        return channel.Writer.TryWrite(append)
            ? append.Task
            : Task.FromException<Receipt[]>(new StoreUnavailableException("More is coming in than the store can write; send it again."));
    }

    /// <summary>Takes nothing more, and returns when all that was taken is committed and answered.</summary>
    public void Stop()
    {
        channel.Writer.TryComplete();
        if (thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted)) return;
        thread.Join();
    }

    private void Run()
    {
        var batch = new List<Append>();
        while (Gather(batch))
        {
            var started = Stopwatch.GetTimestamp();
            commit(batch);
            Metrics.Committed(batch.Sum(append => append.Messages.Count), Stopwatch.GetElapsedTime(started));
            batch.Clear();
        }
    }

    /// <summary>Waits for something to write, then takes all that is there, up to a batch.</summary>
    private bool Gather(List<Append> batch)
    {
        while (!channel.Reader.TryPeek(out _))
        {
            // The writer is a thread of its own: waiting here blocks nobody.
            if (!channel.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()) return false;
        }

        for (var messages = 0; messages < MaxMessages && channel.Reader.TryRead(out var append); messages += Math.Max(1, append.Messages.Count)) batch.Add(append);
        return true;
    }

    /// <summary>The messages of one request: they are stored together or not at all.</summary>
    internal sealed class Append(IReadOnlyList<Message> messages, Rejected? rejected)
    {
        private readonly TaskCompletionSource<Receipt[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<Message> Messages { get; } = messages;

        /// <summary>What was refused in the same request, kept beside it.</summary>
        public Rejected? Rejected { get; } = rejected;

        public Receipt[] Receipts { get; } = messages.Count == 0 ? [] : new Receipt[messages.Count];

        public Task<Receipt[]> Task => answer.Task;

        public void Answer(Exception? failure)
        {
            if (failure is null) answer.SetResult(Receipts);
            else answer.SetException(new StoreUnavailableException("The store cannot write now; nothing of this was stored, send it again.", failure));
        }
    }
}
