using Microsoft.Net.Http.Headers;

namespace TrackMate.Show;

/// <summary>HEAD is GET without the body, at every address (RFC 9110, 9.3.2): monitors and link checkers ask so. Kestrel leaves the body out by itself.</summary>
internal static class HeadRequests
{
    private static readonly object Mark = new();

    /// <summary>Before routing: from there on the request is a GET.</summary>
    public static Task Middleware(HttpContext http, RequestDelegate next)
    {
        if (!HttpMethods.IsHead(http.Request.Method)) return next(http);
        http.Items[Mark] = Mark;
        http.Request.Method = HttpMethods.Get;
        return next(http);
    }

    /// <summary>After routing: an address that takes GET takes HEAD.</summary>
    public static async Task Allow(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Response is not { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed } response) return;
        var allowed = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow);
        if (allowed.Contains(HttpMethods.Get) && !allowed.Contains(HttpMethods.Head)) response.Headers.Allow = string.Join(", ", allowed.Append(HttpMethods.Head).Order(StringComparer.Ordinal));
    }

    /// <summary>For an answer that has no end, so that its beginning is all of it.</summary>
    public static bool Is(HttpContext http) => http.Items.ContainsKey(Mark);
}
