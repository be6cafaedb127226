using Microsoft.Net.Http.Headers;

namespace TrackMate.Show;

/// <summary>Answers HEAD like GET without the body, at every address (RFC 9110, 9.3.2), for monitors and link checkers. Kestrel omits the body by itself.</summary>
internal static class HeadRequests
{
    private static readonly object Mark = new();

    /// <summary>Runs before routing and turns the request into a GET.</summary>
    public static Task Middleware(HttpContext http, RequestDelegate next)
    {
        if (!HttpMethods.IsHead(http.Request.Method)) return next(http);
        http.Items[Mark] = Mark;
        http.Request.Method = HttpMethods.Get;
        return next(http);
    }

    /// <summary>Runs after routing: an address that allows GET also allows HEAD.</summary>
    public static async Task Allow(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Response is not { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed } response) return;
        var allowed = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow);
        if (allowed.Contains(HttpMethods.Get) && !allowed.Contains(HttpMethods.Head)) response.Headers.Allow = string.Join(", ", allowed.Append(HttpMethods.Head).Order(StringComparer.Ordinal));
    }

    /// <summary>Whether the request is a HEAD. A stream without an end must then end at once.</summary>
    public static bool Is(HttpContext http) => http.Items.ContainsKey(Mark);
}
