using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using TrackMate.Http;
using TrackMate.Store.Sql;

namespace TrackMate.Show;

/// <summary>Marks an endpoint that answers with a page.</summary>
internal sealed class Page
{
    public static readonly Page Marker = new();
}

/// <summary>Adds the headers of every page, and replaces pages that fail by an error page.</summary>
internal static partial class PageAnswers
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>For page endpoints: sets headers first, and writes an error page for exceptions and empty answers.</summary>
    public static async Task Middleware(HttpContext http, RequestDelegate next)
    {
        // Pages contain absolute addresses, and the Host header can be anything or missing.
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
            // A failed anti-forgery check leaves an empty 400.
            if (http.Response is { HasStarted: false, StatusCode: 400, ContentLength: null })
                await WriteAsync(http, 400, "The form has expired", "Nothing was changed. Open the page again and repeat your change.");
        }
        catch (RejectionException rejection) when (!http.Response.HasStarted)
        {
            if (rejection.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
            await WriteAsync(http, rejection.Status, rejection.Status == 404 ? "Not found" : "This cannot be shown", rejection.Message);
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
            // The browser has closed the connection.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            LogFailed(Log(http), http.Request.Path, e);
            await WriteAsync(http, 500, "Something went wrong", "This is a fault of TrackMate. The server's log has the details. Events are still received.");
        }
    }

    /// <summary>Whether no endpoint matches and the address is not one of the API, which writes its own 404.</summary>
    private static bool IsNowhere(HttpContext http) =>
        http.GetEndpoint() is null && http.Response is { HasStarted: false, StatusCode: 404 } && !http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);

    private static async Task WriteAsync(HttpContext http, int status, string title, string text)
    {
        SetHeaders(http.Response.Headers);
        http.Response.StatusCode = status;
        // The failed page has set this header already. A second one would be added by the error page.
        http.Response.Headers.Remove("blazor-enhanced-nav");
        // The request's own services have begun to render the failed page, and cannot render another one.
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

    /// <summary>Reduces redirects to a path, since the host of a request comes from its sender.</summary>
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
