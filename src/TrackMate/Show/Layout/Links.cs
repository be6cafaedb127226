using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>The addresses of the dashboard's pages; whatever comes from outside is escaped here.</summary>
internal static class Links
{
    public static string People(string companyId, string? search = null, string? cursor = null) => Address($"/c/{companyId}/people", ("q", search), ("cursor", cursor));

    public static string Person(string companyId, string id, string? eventKey = null, string? tab = null, string? cursor = null, string? order = null) =>
        Address($"/c/{companyId}/people/{id}", ("tab", tab), ("order", order), ("cursor", cursor), ("event", eventKey));

    public static string Visitors(string companyId, string? cursor = null) => Address($"/c/{companyId}/visitors", ("cursor", cursor));

    public static string Session(string companyId, string sessionId, string? eventKey = null, string? cursor = null) =>
        Address($"/c/{companyId}/visitors/session", ("id", sessionId), ("cursor", cursor), ("event", eventKey));

    public static string Live(string companyId, string? source = null) => Address($"/c/{companyId}/live", ("source", source));

    public static string Ingestion(string companyId, string? tab = null, string? source = null, string? eventId = null, string? cursor = null) =>
        Address($"/c/{companyId}/ingestion", ("tab", tab), ("source", source), ("eventId", eventId), ("cursor", cursor));

    /// <summary>One rejected event, by the store's number of it.</summary>
    public static string Rejected(string companyId, long number) => $"/c/{companyId}/ingestion/{number}";

    public static string Stream(string companyId) => $"/c/{companyId}/live/events";

    public static string GetStarted(string companyId) => $"/c/{companyId}/get-started";

    /// <summary>An event in an address: its source and its id, since ids are unique within a source.</summary>
    public static string KeyOf(string source, string eventId) => $"{source}:{eventId}";

    public static (Origin Origin, string EventId)? ReadKey(string? key) => key?.Split(':', 2) switch
    {
        ["client", { Length: > 0 } eventId] => (Origin.Browser, eventId),
        ["server", { Length: > 0 } eventId] => (Origin.Server, eventId),
        _ => null,
    };

    private static string Address(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var address = path;
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (string.IsNullOrEmpty(value)) continue;
            address += $"{separator}{name}={Uri.EscapeDataString(value)}";
            separator = '&';
        }

        return address;
    }
}
