using TrackMate.Http;

namespace TrackMate.Host;

/// <summary>
/// Closed until the company, the key and the login of the start exist. Kestrel has to listen before, since secrets are made and printed only by a server that got its port.
/// A request in between gets 503 and not the 401 of a key that does not exist yet: senders retry a 503, and drop what got a 401.
/// </summary>
internal sealed class StartGate
{
    private volatile bool isOpen;

    public bool IsOpen => isOpen;

    public void Open() => isOpen = true;

    /// <summary>Lets a request through; before the gate is open only health checks, which say themselves that the server starts.</summary>
    public Task Pass(HttpContext http, RequestDelegate next) => isOpen || http.Request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase)
        ? next(http)
        : Problems.WriteAsync(http, new RejectionException(Reason.Starting, "The server is starting; send this again in a second.", retryAfterSeconds: 1));
}
