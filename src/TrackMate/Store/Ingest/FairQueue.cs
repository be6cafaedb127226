using System.Diagnostics.CodeAnalysis;

namespace TrackMate.Store.Ingest;

/// <summary>The senders of a company. Each kind has its own share: browsers, which need only the public id, must not use up the share of the back end, and neither that of the operators.</summary>
internal enum SenderKind
{
    Browsers,
    BackEnd,
    Operators,
}

/// <summary>A sender with a share of its own.</summary>
/// <param name="Company">The company's number; 0 for an unknown company or for the installation.</param>
internal readonly record struct Sender(long Company, SenderKind Kind);

/// <summary>
/// A fair queue (start-time fair queuing). Each sender has its own first-in, first-out line. The lines take turns according to the cost of the items taken from them,
/// so a sender of few small items never waits behind all items of another sender. Not thread-safe.
/// </summary>
internal sealed class FairQueue<T>
{
    /// <summary>The lines of all senders so far. A sender that has used more than its share must still be known when it returns.</summary>
    private readonly Dictionary<Sender, Line> lines = [];

    /// <summary>The lines that are not empty, sorted by turn. Lines with the same turn are sorted by the time at which they became ready.</summary>
    private readonly PriorityQueue<Line, (double Turn, long Order)> turns = new();
    private double turn;
    private long order;

    public int Count { get; private set; }

    /// <summary>The cost of all waiting items.</summary>
    public double Cost { get; private set; }

    /// <summary>The memory of all waiting items.</summary>
    public long Bytes { get; private set; }

    /// <param name="cost">In the unit in which the lines share equally, such as milliseconds.</param>
    public void Enqueue(Sender sender, T item, double cost, long bytes)
    {
        if (!lines.TryGetValue(sender, out var line)) lines.Add(sender, line = new(sender));
        if (line.Entries.Count == 0)
        {
            // An idle sender does not save up turns, and a sender that has used more than its share still waits for its turn.
            line.Turn = Math.Max(line.Turn, turn);
            turns.Enqueue(line, (line.Turn, order++));
        }

        line.Entries.Enqueue(new(item, cost, bytes));
        Add(line, 1, cost, bytes);
    }

    /// <summary>The item whose turn it is; it stays in the queue.</summary>
    public bool TryPeek([MaybeNullWhen(false)] out T item, out double cost)
    {
        var found = turns.TryPeek(out var line, out _);
        var entry = found ? line!.Entries.Peek() : default;
        (item, cost) = (entry.Item, entry.Cost);
        return found;
    }

    /// <exception cref="InvalidOperationException">The queue is empty.</exception>
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

    /// <summary>Removes items from the front of each line as long as they match. This does not count as a turn of the line.</summary>
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

    /// <summary>The cost before an item that this sender would add now: all of its own items, and those items of others that get their turn before it.</summary>
    public (double Own, double Others) CostBefore(Sender sender)
    {
        var own = lines.GetValueOrDefault(sender)?.Cost ?? 0;
        return (own, Waiting().Sum(line => line.Sender == sender ? 0 : Math.Min(line.Cost, own)));
    }

    /// <summary>
    /// Whether a sender may add this many bytes: its items may take at most as many bytes as are left free. So one flooding sender gets half of the capacity, two get a
    /// third each, and another sender always finds some space.
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

        /// <summary>The turn of its first entry: the cost that each waiting line has been served until then.</summary>
        public double Turn { get; set; }

        public double Cost { get; set; }

        public long Bytes { get; set; }
    }
}
