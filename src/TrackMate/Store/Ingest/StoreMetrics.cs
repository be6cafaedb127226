using System.Diagnostics.Metrics;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>The store's metrics for operators.</summary>
internal static class StoreMetrics
{
    /// <summary>The program's only meter; all folders use it.</summary>
    public const string MeterName = "trackmate";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> CommitTime = Meter.CreateHistogram("trackmate.commit.duration", "s", "Time from the start of a transaction to its fsync.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5] });
    private static readonly Histogram<long> BatchSize = Meter.CreateHistogram("trackmate.commit.messages", description: "Messages in one transaction.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] });

    private static readonly Counter<long> NotTaken = Meter.CreateCounter<long>("trackmate.queue.refused", description: "Requests that the write queue did not take or answered before they were written, by reason.");

    static StoreMetrics()
    {
        Meter.CreateObservableGauge("trackmate.disk.free", () => Measured(disk => disk.Free), "By", "Free bytes of the disk of the data folder.");
        Meter.CreateObservableGauge("trackmate.disk.reserve", () => Measured(disk => disk.Reserve), "By", "Below so many free bytes browsers get 503.");
        Meter.CreateObservableGauge("trackmate.queue.length", Lengths, description: "Requests waiting for the writer, by sender.");
    }

    /// <summary>Set by the running store.</summary>
    public static Func<SenderKind, int>? QueueLength { get; set; }

    /// <summary>Bytes on the data folder's disk; null if unknown. Set by the running server.</summary>
    public static Func<(long Free, long Reserve)?>? Disk { get; set; }

    private static IEnumerable<Measurement<long>> Measured(Func<(long Free, long Reserve), long> of) => Disk?.Invoke() is { } disk ? [new(of(disk))] : [];

    public static void Committed(int messages, TimeSpan elapsed)
    {
        CommitTime.Record(elapsed.TotalSeconds);
        BatchSize.Record(messages);
    }

    /// <param name="refusal">The exception with which the request was rejected.</param>
    public static void NotQueued(StoreUnavailableException refusal) => NotQueued(refusal is QueueFullException full ? ReasonOf(full.Cause) : "stopping");

    private static string ReasonOf(QueueFull cause) => cause switch
    {
        QueueFull.OwnShare => "own_share",
        QueueFull.SlowTransaction => "slow",
        _ => "overloaded",
    };

    /// <summary>Reports counters without any count as 0. Otherwise an alert on their growth would miss the first count. Called when metrics are read.</summary>
    public static void ShowZeros()
    {
        foreach (var reason in new[] { "own_share", "overloaded", "slow", "late" }) NotTaken.Add(0, new KeyValuePair<string, object?>("reason", reason));
    }

    public static void NotQueued(string reason) => NotTaken.Add(1, new KeyValuePair<string, object?>("reason", reason));

    private static IEnumerable<Measurement<int>> Lengths() => QueueLength is not { } length ? [] :
    [
        new(length(SenderKind.Browsers), new KeyValuePair<string, object?>("sender", "browsers")),
        new(length(SenderKind.BackEnd), new KeyValuePair<string, object?>("sender", "back_end")),
        new(length(SenderKind.Operators), new KeyValuePair<string, object?>("sender", "operators")),
    ];
}
