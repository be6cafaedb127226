using System.CommandLine;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary>The address at which commands find a running server. Default: where the environment tells the server to listen.</summary>
internal static class ServerAddress
{
    public static Option<string?> Option() => new("--url")
    {
        Description = "Address of the server. Default: the first of TRACKMATE_URLS, else http://127.0.0.1:5080.",
        HelpName = "url",
    };

    /// <exception cref="InvalidSettingException">The text is not an address.</exception>
    public static Uri Of(string? given)
    {
        var url = given ?? ServerOptions.UrlsFrom(Environment.GetEnvironmentVariable).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0];
        return Uri.TryCreate(Reachable(url), UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new InvalidSettingException("--url", $"'{url}' is not the address of a server, such as http://127.0.0.1:5080");
    }

    /// <summary>An address that means all interfaces when listening cannot be connected to, so it is replaced by this machine's.</summary>
    public static string Reachable(string url) => url.Replace("0.0.0.0", "127.0.0.1").Replace("[::]", "127.0.0.1").Replace("//+", "//127.0.0.1").Replace("//*", "//127.0.0.1").TrimEnd('/');
}
