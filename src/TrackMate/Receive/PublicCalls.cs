namespace TrackMate.Receive;

/// <summary>
/// Cross-origin rules of the calls that browsers make. Any page may read the answer, never with credentials; whether a page may send for a company is decided by
/// the company's list of origins once the body names it, since a preflight has no body.
/// </summary>
internal static class PublicCalls
{
    public static void AllowEveryOrigin(HttpContext http)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers.AccessControlExposeHeaders = "Retry-After";
    }

    public static Task Preflight(HttpContext http)
    {
        AllowEveryOrigin(http);
        http.Response.Headers.AccessControlAllowMethods = "POST";
        http.Response.Headers.AccessControlAllowHeaders = "Content-Type, Content-Encoding";
        http.Response.Headers.AccessControlMaxAge = "86400";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
