using System.Diagnostics.Metrics;

namespace TrackMate.Host;

/// <summary>What an operator watches, under the meter <c>trackmate</c>.</summary>
internal static class Metrics
{
    public const string MeterName = "trackmate";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> AcceptedEvents = Meter.CreateCounter<long>("trackmate.messages.accepted", description: "Messages stored, by origin.");
    private static readonly Counter<long> DuplicateEvents = Meter.CreateCounter<long>("trackmate.messages.duplicates", description: "Repeats of a stored eventId, by origin.");
    private static readonly Counter<long> RefusedRequests = Meter.CreateCounter<long>("trackmate.messages.refused", description: "Refused requests and events, by reason.");
    private static readonly Histogram<double> CommitTime = Meter.CreateHistogram("trackmate.commit.duration", "s", "Time from the start of a transaction to its fsync.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5] });
    private static readonly Histogram<long> BatchSize = Meter.CreateHistogram("trackmate.commit.messages", description: "Messages in one transaction.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] });

    static Metrics() => Meter.CreateObservableGauge("trackmate.queue.length", () => QueueLength?.Invoke() ?? 0, description: "Requests waiting for the writer.");

    /// <summary>Set by the write queue of the running store.</summary>
    public static Func<int>? QueueLength { get; set; }

    public static void Accepted(string origin, long count, long duplicates)
    {
        if (count > 0) AcceptedEvents.Add(count, new KeyValuePair<string, object?>("origin", origin));
        if (duplicates > 0) DuplicateEvents.Add(duplicates, new KeyValuePair<string, object?>("origin", origin));
    }

    public static void Refused(string reason) => RefusedRequests.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public static void Committed(int messages, TimeSpan elapsed)
    {
        CommitTime.Record(elapsed.TotalSeconds);
        BatchSize.Record(messages);
    }
}
