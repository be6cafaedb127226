using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using TrackMate.Http;
using TrackMate.Store.Sql;

namespace TrackMate.Show;

/// <summary>Marks an endpoint that answers a person's browser with a page.</summary>
internal sealed class Page
{
    public static readonly Page Marker = new();
}

/// <summary>What every page is sent with, and the page that stands for one that cannot be shown.</summary>
internal static partial class PageAnswers
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>For endpoints that are pages: headers before, and a page for whatever is thrown or left empty.</summary>
    public static async Task Middleware(HttpContext http, RequestDelegate next)
    {
        // What a page is drawn with is a whole address, and a sender may name any host, or none.
        http.Request.Host = PublicAddress.HostOf(http);
        if (http.GetEndpoint()?.Metadata.GetMetadata<Page>() is null)
        {
            await next(http);
            if (IsNowhere(http)) await WriteAsync(http, 404, "Page not found", "The address may be mistyped, or the page has moved.");
            return;
        }

        SetHeaders(http.Response.Headers);
        http.Response.OnStarting(static state =>
        {
            StayHere((HttpContext)state);
            return Task.CompletedTask;
        }, http);
        try
        {
            await next(http);
            // An anti-forgery check that fails leaves an empty 400.
            if (http.Response is { HasStarted: false, StatusCode: 400, ContentLength: null })
                await WriteAsync(http, 400, "The form has expired", "Nothing was changed. Open the page again and repeat your change.");
        }
        catch (RejectionException refused) when (!http.Response.HasStarted)
        {
            if (refused.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
            await WriteAsync(http, refused.Status, refused.Status == 404 ? "Not found" : "This cannot be shown", refused.Message);
        }
        catch (Exception e) when (e is StoreUnavailableException or DbException && !http.Response.HasStarted)
        {
            LogUnavailable(Log(http), http.Request.Path, e.Message);
            http.Response.Headers.RetryAfter = "5";
            await WriteAsync(http, 503, "The store is not available", "TrackMate cannot read its data at the moment. No acknowledged event is lost. The server's log has the reason. Try again in a few seconds.");
        }
        catch (BadHttpRequestException e) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, e.StatusCode, "The request could not be read", "Nothing was changed. Open the page again and try once more.");
        }
        catch (Exception e) when (Problems.IsGone(http, e))
        {
            // The browser went elsewhere; nobody is there to be answered.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            LogFailed(Log(http), http.Request.Path, e);
            await WriteAsync(http, 500, "Something went wrong", "This is a fault of TrackMate. The server's log has the details. Events are still received.");
        }
    }

    /// <summary>Nothing is at the address, and it is not one of the API's, which answers for itself.</summary>
    private static bool IsNowhere(HttpContext http) =>
        http.GetEndpoint() is null && http.Response is { HasStarted: false, StatusCode: 404 } && !http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);

    private static async Task WriteAsync(HttpContext http, int status, string title, string text)
    {
        SetHeaders(http.Response.Headers);
        http.Response.StatusCode = status;
        // The page that failed has said so already; the one in its place may not say it twice.
        http.Response.Headers.Remove("blazor-enhanced-nav");
        // The request's own services have begun to draw the page that failed, and cannot begin another.
        var own = http.RequestServices;
        await using var fresh = own.CreateAsyncScope();
        http.RequestServices = fresh.ServiceProvider;
        try
        {
            await new RazorComponentResult<ErrorPage>(new Dictionary<string, object?> { ["Status"] = status, ["Title"] = title, ["Text"] = text }) { StatusCode = status }.ExecuteAsync(http);
        }
        finally
        {
            http.RequestServices = own;
        }
    }

    /// <summary>Redirects name a path: the host of a request is whatever its sender wrote.</summary>
    private static void StayHere(HttpContext http)
    {
        if (Uri.TryCreate(http.Response.Headers.Location.ToString(), UriKind.Absolute, out var location) && location.Scheme is "http" or "https")
            http.Response.Headers.Location = location.PathAndQuery + location.Fragment;
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        headers.CacheControl = "no-store";
    }

    private static ILogger Log(HttpContext http) => http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(PageAnswers).FullName!);

    [LoggerMessage(EventId = 30, Level = LogLevel.Error, Message = "The page {Path} could not be shown.")]
    private static partial void LogFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(EventId = 31, Level = LogLevel.Warning, Message = "The page {Path} could not be shown, since the store cannot be read: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string path, string reason);
}
