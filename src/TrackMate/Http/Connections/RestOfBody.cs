using System.IO.Pipelines;

namespace TrackMate.Http;

/// <summary>What nobody has read of a chunked body. Kestrel would drain it by itself, and log an error of the server's where a trailer is no text.</summary>
internal static class RestOfBody
{
    /// <summary>How long Kestrel, too, waits for it.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    /// <summary>Between the answer and the end of a connection whose body cannot be read to its end.</summary>
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    /// <summary>Answers first, and drains then.</summary>
    public static Task Middleware(HttpContext http, RequestDelegate next) => http.Request.Headers.TransferEncoding.Count == 0 ? next(http) : DrainAsync(http, next);

    private static async Task DrainAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        // Nobody is there any more to answer, or to read from.
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
            // The answer is on its way, and closing the connection at once would overtake it.
            if (e is InvalidOperationException) await Task.Delay(LingerTime, CancellationToken.None);
            http.Abort();
        }
    }
}
