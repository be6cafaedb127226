namespace TrackMate.Store.Ingest;

/// <summary>
/// How long transactions take, in milliseconds, learned from those that were: a part that each has, and for each sender one for each unit of what it sends. So a
/// company whose messages cost more, as those that join many identifiers, has shorter turns and not its neighbours. Not thread-safe.
/// </summary>
internal sealed class ServiceTimes
{
    /// <summary>What is assumed of a sender that is not known yet.</summary>
    private const double UnitAtFirst = 0.03;

    /// <summary>Senders remembered at most; past it all are learned anew.</summary>
    private const int Capacity = 10_000;

    /// <summary>One transaction says little: the disk may just have been busy.</summary>
    private const double Weight = 0.3;

    /// <summary>What every transaction has follows the shortest ones: it goes down with each that is shorter, and up hardly.</summary>
    private const double WeightUp = 0.002;

    private readonly Dictionary<Sender, double> units = [];

    /// <summary>What a transaction costs by itself, as its fsync.</summary>
    public double Transaction { get; private set; } = 1;

    public double Of(Sender sender, double units) => units * this.units.GetValueOrDefault(sender, UnitAtFirst);

    /// <summary>The difference between what a transaction took and what was expected of it is its senders', by how much was expected of each.</summary>
    public void Learn(IEnumerable<(Sender Sender, double Units)> parts, double milliseconds)
    {
        Transaction = Math.Clamp(Transaction + ((milliseconds < Transaction ? Weight : WeightUp) * (milliseconds - Transaction)), 0.05, 1000);
        var bySender = parts.GroupBy(part => part.Sender).Select(group => (Sender: group.Key, Units: group.Sum(part => part.Units))).ToList();
        var expected = bySender.Sum(part => Of(part.Sender, part.Units));
        var ratio = Math.Clamp(Math.Max(0, milliseconds - Transaction) / expected, 0.25, 4);
        if (units.Count > Capacity) units.Clear();
        foreach (var (sender, count) in bySender)
        {
            var share = Of(sender, count) / expected;
            units[sender] = Math.Clamp(Of(sender, 1) * (1 + (Weight * share * (ratio - 1))), 0.0005, 60_000);
        }
    }
}
