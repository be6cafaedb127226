using TrackMate.Store;

namespace TrackMate.Receive;

/// <summary>
/// Large bodies are read a few at a time, the senders in turn: hundreds of batches that come at once would hold every thread, and a single event of somebody else
/// would wait behind all of them. Who waits holds no thread.
/// </summary>
/// <param name="atOnce">Bodies read at the same time.</param>
internal sealed class ParseGate(int atOnce)
{
    /// <summary>Smaller ones pass.</summary>
    public const int LargeBytes = 16 * 1024;

    /// <summary>Bytes of the bodies that may wait, of one sender at most as much as is left free: what half a second reads.</summary>
    private const long Capacity = 32L << 20;

    private readonly Lock gate = new();
    private readonly FairQueue<TaskCompletionSource> waiting = new();
    private int free = atOnce;

    /// <summary>The half of the processors, so that the other one is there for who sends little.</summary>
    public static int HalfOfTheProcessors => Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Waits for the turn of a sender's body, which ends when what is returned is disposed.</summary>
    /// <exception cref="QueueFullException">Too much waits already.</exception>
    public async ValueTask<ParseTurn> EnterAsync(Sender sender, int bytes)
    {
        await WaitAsync(sender, bytes);
        return new(this);
    }

    private Task WaitAsync(Sender sender, int bytes)
    {
        lock (gate)
        {
            if (free > 0)
            {
                free--;
                return Task.CompletedTask;
            }

            if (!waiting.HasRoom(sender, bytes, Capacity))
            {
                var refusal = new QueueFullException(ownShare: 2 * waiting.BytesOf(sender) >= waiting.Bytes, retryAfterSeconds: 1);
                StoreMetrics.NotQueued(refusal);
                return Task.FromException(refusal);
            }

            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue(sender, turn, bytes, bytes);
            return turn.Task;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            if (waiting.Count > 0) waiting.Dequeue().SetResult();
            else free++;
        }
    }
}

/// <summary>The turn of a body; none where it needs none.</summary>
internal readonly struct ParseTurn(ParseGate? gate) : IDisposable
{
    public void Dispose() => gate?.Leave();
}
