namespace TrackMate.Bind;

/// <summary>
/// An entry of a company's list of origins: one origin as browsers send it, every subdomain (<c>https://*.shop.com</c>), every host of an app's own scheme
/// (<c>capacitor://</c>), or <c>null</c>, which files and sandboxed frames send.
/// </summary>
public static class AllowedOrigin
{
    private const string Scheme = "://";
    private const string Subdomains = "*.";
    private const string None = "null";

    private static readonly System.Buffers.SearchValues<char> HostCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    private static readonly System.Buffers.SearchValues<char> SchemeCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789+-.");

    /// <returns>The entry as it is stored: lower case, punycode, the port only where it is not the scheme's own. Null where it can be none.</returns>
    public static string? Normalize(string text)
    {
        if (text.Equals(None, StringComparison.OrdinalIgnoreCase)) return None;
        var at = text.IndexOf(Scheme, StringComparison.Ordinal);
        if (at <= 0) return null;
        var (scheme, rest) = (text[..at].ToLowerInvariant(), text[(at + Scheme.Length)..]);
        if (scheme is not ("http" or "https")) return OfApp(scheme, rest.TrimEnd('/').ToLowerInvariant());

        var isFamily = rest.StartsWith(Subdomains, StringComparison.Ordinal);
        if (isFamily) rest = rest[Subdomains.Length..];
        if (rest.Contains('*', StringComparison.Ordinal) || !Uri.TryCreate(scheme + Scheme + rest, UriKind.Absolute, out var uri)) return null;
        if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0) return null;
        var host = uri.HostNameType is UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        // Everything below a top-level domain is nobody's own.
        if (isFamily && (uri.HostNameType is not UriHostNameType.Dns || !(host.Contains('.', StringComparison.Ordinal) || host == "localhost"))) return null;
        return scheme + Scheme + (isFamily ? Subdomains : "") + host + (uri.IsDefaultPort ? "" : $":{uri.Port}");
    }

    /// <summary>Whether an entry of the list allows what a browser sent as Origin.</summary>
    public static bool Allows(string allowed, ReadOnlySpan<char> origin)
    {
        if (origin.Equals(allowed, StringComparison.OrdinalIgnoreCase)) return true;
        var at = allowed.IndexOf(Scheme, StringComparison.Ordinal) + Scheme.Length;
        if (at < Scheme.Length || !origin.StartsWith(allowed.AsSpan(0, at), StringComparison.OrdinalIgnoreCase)) return false;
        var entry = allowed.AsSpan(at);
        var host = origin[at..];
        if (entry.IsEmpty) return IsHost(WithoutPort(host));
        if (!entry.StartsWith(Subdomains)) return false;
        // With the dot that divides them: evilshop.com is no part of shop.com.
        entry = entry[1..];
        return host.Length > entry.Length && host.EndsWith(entry, StringComparison.OrdinalIgnoreCase) && IsHost(host[..^entry.Length]);
    }

    // Browsers send what an app calls itself, such as capacitor://localhost; file: and the like are sent as null.
    private static string? OfApp(string scheme, string host)
    {
        if (scheme is "file" or "data" or "blob" or "javascript" or "about" or "ws" or "wss" or "ftp") return null;
        if (!char.IsAsciiLetterLower(scheme[0]) || scheme.AsSpan().ContainsAnyExcept(SchemeCharacters)) return null;
        return host.Length == 0 || (IsHost(WithoutPort(host)) && !host.EndsWith(':')) ? scheme + Scheme + host : null;
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> host) =>
        host.LastIndexOf(':') is > 0 and var colon && !host[(colon + 1)..].ContainsAnyExceptInRange('0', '9') ? host[..colon] : host;

    private static bool IsHost(ReadOnlySpan<char> host) => !host.IsEmpty && !host.ContainsAnyExcept(HostCharacters) && host[0] != '.' && host[^1] != '.' && host.IndexOf("..") < 0;
}
