using System.IO.Pipelines;

namespace TrackMate.Http;

/// <summary>Reads the unread rest of a chunked body. Kestrel would do that itself, and log a server error for a trailer with invalid text.</summary>
internal static class RestOfBody
{
    /// <summary>The longest time to wait for the rest, the same as Kestrel's.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    /// <summary>The time between the answer and the close of a connection whose body cannot be read to its end.</summary>
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    /// <summary>Sends the answer first, then reads the rest of the body.</summary>
    public static Task Middleware(HttpContext http, RequestDelegate next) => http.Request.Headers.TransferEncoding.Count == 0 ? next(http) : DrainAsync(http, next);

    private static async Task DrainAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        // The client is gone.
        if (http.RequestAborted.IsCancellationRequested) return;
        await http.Response.CompleteAsync();
        using var limit = new CancellationTokenSource(DrainTime);
        try
        {
            ReadResult read;
            do
            {
                read = await http.Request.BodyReader.ReadAsync(limit.Token);
                http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or OperationCanceledException)
        {
            // The answer is being sent. Closing the connection at once could discard it.
            if (e is InvalidOperationException) await Task.Delay(LingerTime, CancellationToken.None);
            http.Abort();
        }
    }
}
