using TrackMate.Store.Ingest;

namespace TrackMate.Receive;

/// <summary>
/// Large bodies, the senders in turn. Of each sender only a few are parsed and not yet answered: what is parsed is a thousand small objects, which the garbage collector
/// walks while everybody waits, and a body that waits is one piece of bytes. Of those few one or two are parsed at the same time, so that hundreds of batches that
/// come at once do not hold every thread. Who waits holds no thread.
/// </summary>
/// <param name="atOnce">Bodies parsed at the same time.</param>
internal sealed class ParseGate(int atOnce, TimeProvider time)
{
    /// <summary>Smaller ones pass.</summary>
    public const int LargeBytes = 16 * 1024;

    /// <summary>Of one sender parsed and not answered: as many as fill the writer's transactions while the next are parsed.</summary>
    public const int MostUnanswered = 8;

    /// <summary>Bytes of the bodies that may wait, of one sender at most as much as is left free.</summary>
    private const long Capacity = 16L << 20;

    /// <summary>Who has waited for so long is refused: with what may wait for the writer after it, everybody is answered within five seconds.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(400);

    private readonly Lock gate = new();
    private readonly Dictionary<Sender, Line> lines = [];
    private readonly FairQueue<TaskCompletionSource> ready = new();
    private long waitingBytes;
    private int free = atOnce;

    /// <summary>The half of the processors, so that the other one is there for who sends little.</summary>
    public static int HalfOfTheProcessors => Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>What a body would be refused with now; null where it may wait or pass. To ask before it is read costs less than after.</summary>
    public QueueFullException? RefusalOf(Sender sender, long bytes)
    {
        lock (gate) return lines.TryGetValue(sender, out var line) && line.Unanswered >= MostUnanswered ? Refuse(line, bytes) : null;
    }

    /// <summary>Waits for the turn of a sender's body. Say when it is parsed, and dispose the turn when it is answered.</summary>
    /// <exception cref="QueueFullException">Too much waits already, or it has waited for too long.</exception>
    public async ValueTask<ParseTurn> EnterAsync(Sender sender, int bytes)
    {
        if (Queue(sender, bytes) is { } waiting && !await WaitAsync(sender, waiting)) throw Refused(new QueueFullException(QueueFull.OwnShare, retryAfterSeconds: 1));
        await ProcessorAsync(sender, bytes);
        return new(this, sender);
    }

    /// <summary>The processor is free for the next body.</summary>
    public void EndParsing()
    {
        lock (gate)
        {
            if (ready.Count > 0) ready.Dequeue().SetResult();
            else free++;
        }
    }

    /// <summary>A body of the sender is answered.</summary>
    public void Leave(Sender sender)
    {
        lock (gate)
        {
            var line = lines[sender];
            while (line.Waiting.TryDequeue(out var next))
            {
                if (next.GaveUp) continue;
                Count(line, -next.Bytes);
                next.Place.SetResult();
                return;
            }

            if (--line.Unanswered == 0) lines.Remove(sender);
        }
    }

    /// <returns>Null where it need not wait.</returns>
    /// <exception cref="QueueFullException">Too much waits already.</exception>
    private Waiting? Queue(Sender sender, int bytes)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(sender, out var line)) lines.Add(sender, line = new());
            if (line.Unanswered < MostUnanswered)
            {
                line.Unanswered++;
                return null;
            }

            if (Refuse(line, bytes) is { } refusal) throw Refused(refusal);
            var waiting = new Waiting(bytes);
            line.Waiting.Enqueue(waiting);
            Count(line, bytes);
            return waiting;
        }
    }

    /// <returns>False where it has waited for too long.</returns>
    private async ValueTask<bool> WaitAsync(Sender sender, Waiting waiting)
    {
        try
        {
            await waiting.Place.Task.WaitAsync(LongestWait, time);
            return true;
        }
        catch (TimeoutException)
        {
            lock (gate)
            {
                // It may have been given the place just now.
                if (waiting.Place.Task.IsCompleted) return true;
                waiting.GaveUp = true;
                Count(lines[sender], -waiting.Bytes);
                return false;
            }
        }
    }

    private Task ProcessorAsync(Sender sender, int bytes)
    {
        lock (gate)
        {
            if (free > 0)
            {
                free--;
                return Task.CompletedTask;
            }

            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ready.Enqueue(sender, turn, bytes, bytes);
            return turn.Task;
        }
    }

    private QueueFullException? Refuse(Line line, long bytes) =>
        line.Bytes + bytes <= Capacity - waitingBytes ? null : new QueueFullException(2 * line.Bytes >= waitingBytes ? QueueFull.OwnShare : QueueFull.Overload, retryAfterSeconds: 1);

    private static QueueFullException Refused(QueueFullException refusal)
    {
        StoreMetrics.NotQueued(refusal);
        return refusal;
    }

    private void Count(Line line, long bytes)
    {
        line.Bytes += bytes;
        waitingBytes += bytes;
    }

    /// <summary>The large bodies of one sender.</summary>
    private sealed class Line
    {
        public int Unanswered { get; set; }

        public Queue<Waiting> Waiting { get; } = new();

        /// <summary>Of those that wait.</summary>
        public long Bytes { get; set; }
    }

    private sealed class Waiting(int bytes)
    {
        public int Bytes => bytes;

        public TaskCompletionSource Place { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool GaveUp { get; set; }
    }
}

/// <summary>The turn of a large body: first it has a processor, and until it is answered a place among those of its sender.</summary>
internal sealed class ParseTurn(ParseGate gate, Sender sender) : IDisposable
{
    private bool isParsed, isAnswered;

    /// <summary>Gives the processor back; the place goes with <see cref="Dispose"/>.</summary>
    public void EndParsing()
    {
        if (isParsed) return;
        isParsed = true;
        gate.EndParsing();
    }

    public void Dispose()
    {
        EndParsing();
        if (isAnswered) return;
        isAnswered = true;
        gate.Leave(sender);
    }
}
