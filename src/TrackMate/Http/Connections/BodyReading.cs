using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace TrackMate.Http;

/// <summary>
/// Reads a body within the time that it has as a whole: Kestrel's own bound is an average, so that who begins fast may idle for an hour. What is wrong with the
/// framing is the sender's fault.
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

    /// <summary>The first piece, without a clock of its own.</summary>
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

    /// <exception cref="RejectionException">The time is over.</exception>
    public async ValueTask<ReadResult> NextAsync(PipeReader reader)
    {
        // A read that a token ends leaves the reader in a state in which Kestrel cannot pass over the rest.
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

    /// <exception cref="RejectionException">The time is over.</exception>
    public ValueTask<int> NextAsync(Stream stream, byte[] piece) => InTimeAsync((stream, piece), static (from, cancel) => from.stream.ReadAsync(from.piece, cancel));

    /// <exception cref="RejectionException">The time is over.</exception>
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
            // The connection is gone, and its reader says so itself. Whoever calls this can catch nothing: it may be the timer.
        }
    }

    private RejectionException TooSlow() => new(Reason.BodyTooSlow, $"The body did not arrive within {time.TotalSeconds:0} seconds; send less at once.");

    // Of a trailer whose bytes are no text Kestrel throws a bare one; a decoder throws the same type where a body is not in the coding that it is said to be in.
    private static bool IsFraming(Exception e) => e is InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" } or (IOException and not BadHttpRequestException);

    /// <summary>Whose fault it is that a body cannot be read.</summary>
    private static IOException Fault(HttpContext http, Exception e)
    {
        // Of a chunk's size that no number holds Kestrel says no more than this.
        if (e is InvalidOperationException || e.InnerException is OverflowException) return new BadHttpRequestException("The body is not framed as HTTP wants it; check its chunks and trailers.", StatusCodes.Status400BadRequest, e);
        // The connection is gone, whatever TLS says of it: nothing is answered, and nothing more is read of it.
        http.Abort();
        return new ConnectionResetException("The connection was closed within the body.", e);
    }
}
