using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace TrackMate.Http;

/// <summary>
/// An open connection, and the time since which it has waited for its client: to send bytes, or to receive the answer. While a request is processed, or a live stream has
/// nothing to send, it does not wait for the client.
/// </summary>
internal sealed class TrackedConnection : IDuplexPipe
{
    private readonly ConnectionContext context;
    private long readingSince;
    private long flushingSince;

    /// <param name="connections">The set to which it belongs.</param>
    /// <param name="address">Null if the limit per address does not apply: a trusted proxy's connections serve many clients.</param>
    public TrackedConnection(OpenConnections connections, ConnectionContext context, IPAddress? address)
    {
        this.context = context;
        Connections = connections;
        Address = address;
        readingSince = Environment.TickCount64;
        Input = new Reader(this, context.Transport.Input);
        Output = new Writer(this, context.Transport.Output);
    }

    public OpenConnections Connections { get; }

    /// <summary>The address for which it is counted. Changed only under the lock of <see cref="Connections"/>.</summary>
    public IPAddress? Address { get; set; }

    /// <summary>The counted bytes of its bodies and answers. Changed only under the lock of <see cref="Connections"/>.</summary>
    public long HeldBytes { get; set; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Whether it has waited for its client since before a moment.</summary>
    /// <param name="moment">A time in milliseconds of the system's clock. If true, set to the time since which it has waited.</param>
    public bool HasWaitedSinceBefore(ref long moment)
    {
        var flushing = Volatile.Read(ref flushingSince);
        var since = flushing > 0 ? flushing : Volatile.Read(ref readingSince);
        // If bytes have arrived that the server has not read, the client is not the slow one.
        if (since == 0 || since >= moment || (flushing == 0 && (((Reader)Input).HasBytes || SocketHasBytes()))) return false;
        moment = since;
        return true;
    }

    private bool SocketHasBytes()
    {
        try
        {
            return context.Features.Get<IConnectionSocketFeature>() is { Socket.Available: > 0 };
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return false;
        }
    }

    /// <summary>While the server makes a client wait, marks the connection as waiting, so that it may be closed to make room for others.</summary>
    public void Pause(bool pausing) => Volatile.Write(ref flushingSince, pausing ? Environment.TickCount64 : 0);

    /// <summary>Closes it without an answer. Pending reads and writes fail.</summary>
    public void Close() => context.Abort(new ConnectionAbortedException("It was closed to make room for others."));

    private sealed class Reader(TrackedConnection connection, PipeReader inner) : PipeReader
    {
        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            Volatile.Write(ref connection.readingSince, Environment.TickCount64);
            return inner.ReadAsync(cancellationToken);
        }

        /// <summary>Whether bytes have arrived. The pipe's reader reports that without consuming them.</summary>
        public bool HasBytes => inner is IValueTaskSource<ReadResult> source && source.GetStatus(0) is not ValueTaskSourceStatus.Pending;

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        // The request advances after it has read, and waits for more bytes by reading again.
        public override void AdvanceTo(SequencePosition consumed)
        {
            Volatile.Write(ref connection.readingSince, 0);
            inner.AdvanceTo(consumed);
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            Volatile.Write(ref connection.readingSince, 0);
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }

    private sealed class Writer(TrackedConnection connection, PipeWriter inner) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            var flush = inner.FlushAsync(cancellationToken);
            return flush.IsCompleted ? flush : WaitAsync(flush);
        }

        private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flush)
        {
            Volatile.Write(ref connection.flushingSince, Environment.TickCount64);
            try
            {
                return await flush;
            }
            finally
            {
                Volatile.Write(ref connection.flushingSince, 0);
            }
        }

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
