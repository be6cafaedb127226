using TrackMate.Http;

namespace TrackMate.Host;

/// <summary>
/// Closed until the company, the key and the login of the first start exist. Kestrel must listen before that, since only a server that got its port may create and print
/// secrets. A request in between gets 503, and not the 401 of an unknown key: senders retry a 503, and drop a message that got a 401.
/// </summary>
internal sealed class StartGate
{
    private volatile bool isOpen;

    public bool IsOpen => isOpen;

    public void Open() => isOpen = true;

    /// <summary>Lets a request pass. While the gate is closed only health checks pass; they report themselves that the server is starting.</summary>
    public Task Pass(HttpContext http, RequestDelegate next) => isOpen || http.Request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase)
        ? next(http)
        : Problems.WriteAsync(http, new RejectionException(Reason.Starting, "The server is starting; send this again in a second.", retryAfterSeconds: 1));
}
