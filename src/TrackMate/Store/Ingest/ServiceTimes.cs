namespace TrackMate.Store.Ingest;

/// <summary>
/// Estimates how long transactions take, in milliseconds, from the durations of earlier ones: a fixed cost per transaction, and for each sender a cost per unit. So a
/// company whose messages are expensive, such as those that join many identifiers, gets shorter turns, and its neighbours do not. Not thread-safe.
/// </summary>
internal sealed class ServiceTimes
{
    /// <summary>The assumed cost of a unit for a new sender.</summary>
    private const double UnitAtFirst = 0.03;

    /// <summary>The most senders with an estimate. Beyond it all estimates start again.</summary>
    private const int Capacity = 10_000;

    /// <summary>The weight of one transaction. It is low, since the disk may just have been busy.</summary>
    private const double Weight = 0.3;

    /// <summary>The fixed cost follows the shortest transactions: it falls quickly with each shorter one, and rises with this small weight.</summary>
    private const double WeightUp = 0.002;

    private readonly Dictionary<Sender, double> units = [];

    /// <summary>The fixed cost of a transaction, such as its fsync.</summary>
    public double Transaction { get; private set; } = 1;

    public double Of(Sender sender, double units) => units * this.units.GetValueOrDefault(sender, UnitAtFirst);

    /// <summary>Updates the estimates. The difference between the expected and the real duration is distributed over the senders in proportion to their expected cost.</summary>
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
