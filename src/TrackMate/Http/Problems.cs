using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;

namespace TrackMate.Http;

/// <summary>How the API says no: RFC 9457 problem details, whose detail tells the sender what to mend.</summary>
internal static partial class Problems
{
    /// <summary>Bytes a millisecond, as fast as a connection is read that sends more than it may, and milliseconds.</summary>
    private const long BytesAMillisecond = 256, LongestPause = 1000;

    /// <summary>What is taken for the length of a body that does not say it.</summary>
    private const long UnknownBytes = 64 * 1024;

    public static Problem Of(RejectionException refused) => new(
        "urn:trackmate:problem:" + RejectionException.NameOf(refused.Reason),
        ReasonPhrases.GetReasonPhrase(refused.Status),
        refused.Status,
        refused.Message,
        refused.Field is null ? null : new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [refused.Field] = [refused.Message] });

    public static Task WriteAsync(HttpContext http, RejectionException refused)
    {
        EdgeMetrics.Refused(RejectionException.NameOf(refused.Reason));
        if (refused.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        http.Response.StatusCode = refused.Status;
        return IsForTooMuch(refused) ? WriteAndSlowAsync(http, Of(refused)) : WriteAsync(http, Of(refused));
    }

    private static bool IsForTooMuch(RejectionException refused) => refused.Reason is Reason.TooManyRequests or Reason.ShareSpent or Reason.Overloaded;

    /// <summary>
    /// Who sends large bodies again and again without heeding <c>Retry-After</c> would keep the server busy with refusing them: the answer goes out at once, and the
    /// connection's next request is read after a while, the longer the more was sent. A single event is over before anybody notices.
    /// </summary>
    private static async Task WriteAndSlowAsync(HttpContext http, Problem problem)
    {
        await WriteAsync(http, problem);
        await http.Response.CompleteAsync();
        var pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause, (http.Request.ContentLength ?? UnknownBytes) / BytesAMillisecond));
        if (pause <= TimeSpan.FromMilliseconds(1)) return;
        var connection = http.Features.Get<TrackedConnection>();
        connection?.Pause(true);
        await Task.Delay(pause, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connection?.Pause(false);
    }

    private static Task WriteAsync(HttpContext http, Problem problem)
    {
        http.Response.ContentType = "application/problem+json; charset=utf-8";
        return http.Response.WriteAsync(JsonSerializer.Serialize(problem, JsonAnswer.Problems.Problem), http.RequestAborted);
    }

    /// <summary>Answers whatever was thrown on the way: ours as 503 or 500, a broken request as what Kestrel says of it.</summary>
    public static async Task Middleware(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (Exception e) when (IsGone(http, e))
        {
            // The sender hung up, or was closed to make room; nobody is there to be answered.
        }
        catch (RejectionException refused) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, refused);
        }
        catch (QueueFullException e) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, new RejectionException(e.OwnShare ? Reason.ShareSpent : Reason.Overloaded, e.Message, retryAfterSeconds: e.RetryAfterSeconds));
        }
        catch (StoreUnavailableException e) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, new RejectionException(Reason.StoreUnavailable, e.Message, retryAfterSeconds: 1));
        }
        catch (BadHttpRequestException e) when (!http.Response.HasStarted)
        {
            http.Response.StatusCode = e.StatusCode;
            await WriteAsync(http, new Problem("about:blank", ReasonPhrases.GetReasonPhrase(e.StatusCode), e.StatusCode, e.Message));
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            LogFault(http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Problems)), http.Request.Method, http.GetEndpoint()?.DisplayName, e);
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await WriteAsync(http, new Problem("about:blank", ReasonPhrases.GetReasonPhrase(500), 500, "Internal server error. The request is not at fault; see the server's log."));
        }
    }

    /// <summary>Whether a request failed since its connection is not there any more.</summary>
    public static bool IsGone(HttpContext http, Exception e) =>
        (e is OperationCanceledException ? e.InnerException ?? e : e) is ConnectionAbortedException or ConnectionResetException || (http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException);

    [LoggerMessage(EventId = 20, Level = LogLevel.Error, Message = "{Method} {Endpoint} failed; the sender got a 500.")]
    private static partial void LogFault(ILogger logger, string method, string? endpoint, Exception exception);

    /// <summary>Gives a body to the API's empty answers: 404 where there is nothing, 405 with <c>Allow</c> where there is something for another method.</summary>
    public static async Task FillEmpty(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Response.HasStarted || http.Response.ContentType is not null || !IsCall(http.Request.Path)) return;
        var status = http.Response.StatusCode;
        if (status is not (StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)) return;
        var detail = status == StatusCodes.Status405MethodNotAllowed
            ? $"{http.Request.Path} does not take {http.Request.Method} but {http.Response.Headers.Allow}; see /docs."
            : $"There is nothing at {http.Request.Path}; see /docs.";
        await WriteAsync(http, new Problem("about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail));
    }

    private static bool IsCall(PathString path) => path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/t", StringComparison.OrdinalIgnoreCase);
}
