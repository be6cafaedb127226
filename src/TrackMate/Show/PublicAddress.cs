using System.Net;

namespace TrackMate.Show;

/// <summary>
/// Where browsers reach this server: as <c>TRACKMATE_PUBLIC_URL</c> says, else where the request came in. Never what its Host header says, which is whatever the sender
/// wrote; a page that is open knows its own address, and its script puts that there.
/// </summary>
/// <param name="configured">Null where it is not set.</param>
internal sealed class PublicAddress(string? configured)
{
    /// <summary>Scheme, host and port to be replaced by the page's own; null where nothing is.</summary>
    public string? GuessFor(HttpContext http) => configured is null ? Guess(http) : null;

    /// <summary>Without a slash at the end.</summary>
    public string For(HttpContext http) => configured ?? Guess(http) + http.Request.PathBase.ToUriComponent();

    /// <summary>Where a request came in, in the form of a Host header.</summary>
    public static HostString HostOf(HttpContext http)
    {
        var address = http.Connection.LocalIpAddress ?? IPAddress.Loopback;
        return new(new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, http.Connection.LocalPort).ToString());
    }

    private static string Guess(HttpContext http) => $"{http.Request.Scheme}://{HostOf(http)}";
}
