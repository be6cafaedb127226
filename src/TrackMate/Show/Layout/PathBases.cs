using System.Buffers;

namespace TrackMate.Show;

/// <summary>
/// Finds the path under which a proxy serves TrackMate beside other sites: <c>TRACKMATE_PATH_BASE</c>, or <c>X-Forwarded-Prefix</c> of a trusted proxy. The proxy may
/// remove the prefix from the path or keep it.
/// </summary>
internal static class PathBases
{
    private const int MaxLength = 200;

    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-");

    /// <param name="configured">The prefix for requests that name no other; empty for none.</param>
    public static Task Middleware(HttpContext http, RequestDelegate next, string configured)
    {
        // A proxy may pass on a client's own header with any value. It must not make links point to another host.
        var forwarded = http.Request.PathBase.Value?.TrimEnd('/') ?? "";
        var pathBase = new PathString(forwarded.Length > 0 && IsPathBase(forwarded) ? forwarded : configured);
        if (pathBase.HasValue && http.Request.Path.StartsWithSegments(pathBase, StringComparison.Ordinal, out var rest)) http.Request.Path = rest.HasValue ? rest : "/";
        http.Request.PathBase = pathBase;
        Links.Base = pathBase.ToUriComponent();
        return next(http);
    }

    /// <summary>Whether it is a path of plain segments, such as <c>/trackmate</c>.</summary>
    public static bool IsPathBase(string path) =>
        path.Length is > 1 and <= MaxLength && path[0] == '/' && path[1..].Split('/').All(segment => segment.Length > 0 && segment[0] != '.' && !segment.AsSpan().ContainsAnyExcept(Plain));
}
