using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace TrackMate.Receive;

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
        catch (IOException e) when (IsFraming(e))
        {
            throw Unframed(e);
        }
    }

    /// <exception cref="Refused">The time is over.</exception>
    public ValueTask<ReadResult> NextAsync(PipeReader reader) => InTimeAsync(reader, static (reader, cancel) => reader.ReadAsync(cancel));

    /// <exception cref="Refused">The time is over.</exception>
    public ValueTask<int> NextAsync(Stream stream, byte[] piece) => InTimeAsync((stream, piece), static (from, cancel) => from.stream.ReadAsync(from.piece, cancel));

    /// <exception cref="Refused">The time is over.</exception>
    public async ValueTask<T> InTimeAsync<TFrom, T>(TFrom from, Func<TFrom, CancellationToken, ValueTask<T>> read)
    {
        try
        {
            return await read(from, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            throw new Refused(Reason.BodyTooSlow, $"The body did not arrive within {time.TotalSeconds:0} seconds; send less at once.");
        }
        catch (IOException e) when (IsFraming(e))
        {
            throw Unframed(e);
        }
    }

    public void Dispose() => deadline.Dispose();

    // Kestrel throws a bare one for a chunk's size that no number holds; a connection that is gone, and what Kestrel has a status for, are told apart by their type.
    private static bool IsFraming(IOException e) => e is not (ConnectionResetException or BadHttpRequestException);

    private static BadHttpRequestException Unframed(IOException e) => new("The body is not framed as HTTP wants it; check Content-Length or the sizes of chunks.", StatusCodes.Status400BadRequest, e);
}
