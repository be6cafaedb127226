using System.Diagnostics.CodeAnalysis;

namespace TrackMate.Store.Ingest;

/// <summary>Which of a company's senders: strangers who know only its public id must not use up the share of its back end, nor either of them that of its operators.</summary>
internal enum SenderKind
{
    Browsers,
    BackEnd,
    Operators,
}

/// <summary>A sender that has a share of its own.</summary>
/// <param name="Company">The company's number; 0 where it is not known, or is the installation.</param>
internal readonly record struct Sender(long Company, SenderKind Kind);

/// <summary>
/// Whose turn it is. Each sender has a line of its own, first in, first out; the lines take turns by the cost of what was taken from them (start-time fair
/// queuing), so that a sender of few small items never waits behind all that another one has sent. Not thread-safe.
/// </summary>
internal sealed class FairQueue<T>
{
    /// <summary>Of every sender there was, since who has had more than its share is to be known when it comes again.</summary>
    private readonly Dictionary<Sender, Line> lines = [];

    /// <summary>The lines that are not empty, by their turn; of equal ones the one that became ready first.</summary>
    private readonly PriorityQueue<Line, (double Turn, long Order)> turns = new();
    private double turn;
    private long order;

    public int Count { get; private set; }

    /// <summary>What all that waits will cost.</summary>
    public double Cost { get; private set; }

    /// <summary>What all that waits holds in memory.</summary>
    public long Bytes { get; private set; }

    /// <param name="cost">In the unit in which the lines are to be equal.</param>
    public void Enqueue(Sender sender, T item, double cost, long bytes)
    {
        if (!lines.TryGetValue(sender, out var line)) lines.Add(sender, line = new(sender));
        if (line.Entries.Count == 0)
        {
            // Who has sent nothing for a while has saved up no turns, and who has just had more than its share goes on waiting for it.
            line.Turn = Math.Max(line.Turn, turn);
            turns.Enqueue(line, (line.Turn, order++));
        }

        line.Entries.Enqueue(new(item, cost, bytes));
        Add(line, 1, cost, bytes);
    }

    /// <summary>Looks at the item whose turn it is.</summary>
    public bool TryPeek([MaybeNullWhen(false)] out T item, out double cost)
    {
        var found = turns.TryPeek(out var line, out _);
        var entry = found ? line!.Entries.Peek() : default;
        (item, cost) = (entry.Item, entry.Cost);
        return found;
    }

    /// <exception cref="InvalidOperationException">It is empty.</exception>
    public T Dequeue()
    {
        var line = turns.Dequeue();
        var entry = line.Entries.Dequeue();
        Add(line, -1, -entry.Cost, -entry.Bytes);
        turn = line.Turn;
        line.Turn += entry.Cost;
        if (line.Entries.Count > 0) turns.Enqueue(line, (line.Turn, order++));
        return entry.Item;
    }

    /// <summary>Takes out the first of each line for as long as they are to go; that is no turn of the line.</summary>
    public List<T> RemoveFirst(Predicate<T> isToGo)
    {
        var removed = new List<T>();
        foreach (var line in Waiting().ToList())
        {
            while (line.Entries.TryPeek(out var entry) && isToGo(entry.Item))
            {
                _ = line.Entries.Dequeue();
                Add(line, -1, -entry.Cost, -entry.Bytes);
                removed.Add(entry.Item);
            }

            if (line.Entries.Count == 0) turns.Remove(line, out _, out _);
        }

        return removed;
    }

    public int CountOf(SenderKind kind) => Waiting().Where(line => line.Sender.Kind == kind).Sum(line => line.Entries.Count);

    public long BytesOf(Sender sender) => lines.GetValueOrDefault(sender)?.Bytes ?? 0;

    /// <summary>What stands before an item that this sender would add now: all of its own, and of the others what gets its turn meanwhile.</summary>
    public (double Own, double Others) CostBefore(Sender sender)
    {
        var own = lines.GetValueOrDefault(sender)?.Cost ?? 0;
        return (own, Waiting().Sum(line => line.Sender == sender ? 0 : Math.Min(line.Cost, own)));
    }

    /// <summary>
    /// Whether a sender may add so many bytes: at most as many as are left free. One that floods gets half of the room, two get a third each, and whoever comes next
    /// always finds some.
    /// </summary>
    public bool HasRoom(Sender sender, long bytes, long capacity) => BytesOf(sender) + bytes <= capacity - Bytes;

    private void Add(Line line, int count, double cost, long bytes)
    {
        Count += count;
        Bytes += bytes;
        line.Bytes += bytes;
        line.Cost = line.Entries.Count == 0 ? 0 : line.Cost + cost;
        Cost = Count == 0 ? 0 : Cost + cost;
    }

    private IEnumerable<Line> Waiting() => turns.UnorderedItems.Select(item => item.Element);

    private readonly record struct Entry(T Item, double Cost, long Bytes);

    private sealed class Line(Sender sender)
    {
        public Sender Sender { get; } = sender;

        public Queue<Entry> Entries { get; } = new();

        /// <summary>When its first entry may be taken, in cost taken from each line that waits.</summary>
        public double Turn { get; set; }

        public double Cost { get; set; }

        public long Bytes { get; set; }
    }
}
