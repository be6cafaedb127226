using System.Diagnostics.Metrics;
using TrackMate.Store.Ingest;

namespace TrackMate.Receive;

/// <summary>What an operator watches of what comes in.</summary>
internal static class ReceiveMetrics
{
    private static readonly Meter Meter = new(StoreMetrics.MeterName);

    private static readonly Counter<long> AcceptedEvents = Meter.CreateCounter<long>("trackmate.messages.accepted", description: "Messages stored, by origin.");
    private static readonly Counter<long> DuplicateEvents = Meter.CreateCounter<long>("trackmate.messages.duplicates", description: "Repeats of a stored eventId, by origin.");

    private static readonly Counter<long> IdentifiesWithoutToken = Meter.CreateCounter<long>("trackmate.identifies.without_token", description: "Identifies without a valid token where a company observes or enforces them, by what was wrong.");

    public static void Accepted(string origin, long count, long duplicates)
    {
        if (count > 0) AcceptedEvents.Add(count, new KeyValuePair<string, object?>("origin", origin));
        if (duplicates > 0) DuplicateEvents.Add(duplicates, new KeyValuePair<string, object?>("origin", origin));
    }

    public static void WithoutToken(string reason) => IdentifiesWithoutToken.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
