using System.Diagnostics.Metrics;
using TrackMate.Store.Ingest;

namespace TrackMate.Http;

/// <summary>Metrics of connections and rejections for operators.</summary>
internal static class EdgeMetrics
{
    /// <summary>Reasons why the server closed a connection.</summary>
    public const string Connections = "connections", AddressConnections = "address_connections", Memory = "memory", AddressMemory = "address_memory", Newcomer = "newcomer";

    private static readonly Meter Meter = new(StoreMetrics.MeterName);

    private static readonly Counter<long> ClosedConnections = Meter.CreateCounter<long>("trackmate.connections.closed", description: "Connections closed to make room, by the bound that was met.");

    private static readonly Counter<long> RefusedRequests = Meter.CreateCounter<long>("trackmate.messages.refused", description: "Refused requests and events, by reason.");

    private static Func<int>? open;
    private static Func<long>? heldBytes;

    static EdgeMetrics()
    {
        Meter.CreateObservableGauge("trackmate.connections", () => open?.Invoke() ?? 0, description: "Open connections.");
        Meter.CreateObservableGauge("trackmate.held_bytes", () => heldBytes?.Invoke() ?? 0, description: "Bytes of large bodies and answers in memory.");
    }

    public static void Watch(Func<int> openConnections, Func<long> held) => (open, heldBytes) = (openConnections, held);

    /// <inheritdoc cref="StoreMetrics.ShowZeros"/>
    public static void ShowZeros()
    {
        foreach (var reason in new[] { Connections, AddressConnections, Memory, AddressMemory, Newcomer }) ClosedConnections.Add(0, new KeyValuePair<string, object?>("reason", reason));
    }

    public static void Refused(string reason) => RefusedRequests.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public static void Closed(string reason) => ClosedConnections.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
