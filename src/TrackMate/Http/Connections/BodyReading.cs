using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace TrackMate.Http;

/// <summary>
/// Reads a body within a total time limit. Kestrel's own limit is an average rate, so a sender that begins fast could then idle for an hour. Invalid framing is
/// reported as the sender's fault.
/// </summary>
internal sealed class BodyReading : IDisposable
{
    private readonly HttpContext http;
    private readonly TimeSpan time;
    private readonly CancellationTokenSource deadline;

    public BodyReading(HttpContext http)
    {
        this.http = http;
        time = (http.Features.Get<TrackedConnection>()?.Connections.Limits ?? EdgeLimits.Default).BodyTime;
        deadline = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        deadline.CancelAfter(time);
    }

    /// <summary>Reads the first piece, without starting the time limit.</summary>
    public static async ValueTask<ReadResult> FirstAsync(PipeReader reader, HttpContext http)
    {
        try
        {
            return await reader.ReadAsync(http.RequestAborted);
        }
        catch (Exception e) when (IsFraming(e))
        {
            throw Fault(http, e);
        }
    }

    /// <exception cref="RejectionException">The time limit has passed.</exception>
    public async ValueTask<ReadResult> NextAsync(PipeReader reader)
    {
        // If the token cancelled the read itself, Kestrel could not skip the rest of the body afterwards.
        await using var ended = deadline.Token.Register(static reader => EndRead((PipeReader)reader!), reader);
        try
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (!read.IsCanceled || !deadline.IsCancellationRequested) return read;
            reader.AdvanceTo(read.Buffer.Start);
            throw TooSlow();
        }
        catch (Exception e) when (IsFraming(e))
        {
            throw Fault(http, e);
        }
    }

    /// <exception cref="RejectionException">The time limit has passed.</exception>
    public ValueTask<int> NextAsync(Stream stream, byte[] piece) => InTimeAsync((stream, piece), static (from, cancel) => from.stream.ReadAsync(from.piece, cancel));

    /// <exception cref="RejectionException">The time limit has passed.</exception>
    public async ValueTask<T> InTimeAsync<TFrom, T>(TFrom from, Func<TFrom, CancellationToken, ValueTask<T>> read)
    {
        try
        {
            return await read(from, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            throw TooSlow();
        }
        catch (Exception e) when (IsFraming(e))
        {
            throw Fault(http, e);
        }
    }

    public void Dispose() => deadline.Dispose();

    private static void EndRead(PipeReader reader)
    {
        try
        {
            reader.CancelPendingRead();
        }
        catch (Exception e) when (e is ConnectionAbortedException or InvalidOperationException)
        {
            // The connection is lost, and its reader reports that. An exception must not leave this callback, since it may run on the timer.
        }
    }

    private RejectionException TooSlow() => new(Reason.BodyTooSlow, $"The body did not arrive within {time.TotalSeconds:0} seconds; send less at once.");

    // For a trailer with invalid text Kestrel throws a plain InvalidOperationException. A decoder throws the same type if a body is not in its declared coding.
    private static bool IsFraming(Exception e) => e is InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" } or (IOException and not BadHttpRequestException);

    /// <summary>The exception for a body that cannot be read: the sender's fault, or a lost connection.</summary>
    private static IOException Fault(HttpContext http, Exception e)
    {
        // For a chunk size that is too large for a number, Kestrel reports no more than this.
        if (e is InvalidOperationException || e.InnerException is OverflowException) return new BadHttpRequestException("The body is not framed as HTTP wants it; check its chunks and trailers.", StatusCodes.Status400BadRequest, e);
        // The connection is lost, however TLS reports it: there is no answer, and nothing more is read.
        http.Abort();
        return new ConnectionResetException("The connection was closed within the body.", e);
    }
}
