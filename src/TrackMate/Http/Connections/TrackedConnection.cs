using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace TrackMate.Http;

/// <summary>
/// One open connection, and since when it has waited for its peer: to send bytes, or to take the answer's. While a request is worked on, or a live stream has nothing
/// to say, nobody waits for the peer.
/// </summary>
internal sealed class TrackedConnection : IDuplexPipe
{
    private readonly ConnectionContext context;
    private long readingSince;
    private long flushingSince;

    /// <param name="connections">Those that it is one of.</param>
    /// <param name="address">Null where the bound of an address does not hold: a trusted proxy's connections are everybody's.</param>
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

    /// <summary>Whom it is counted for now; changed only under the lock of <see cref="Connections"/>.</summary>
    public IPAddress? Address { get; set; }

    /// <summary>Bytes of bodies and answers that it holds; changed only under the lock of <see cref="Connections"/>.</summary>
    public long HeldBytes { get; set; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Whether it has waited for its peer since before a moment.</summary>
    /// <param name="moment">Milliseconds of the system's clock; set to since when, if so.</param>
    public bool HasWaitedSinceBefore(ref long moment)
    {
        var flushing = Volatile.Read(ref flushingSince);
        var since = flushing > 0 ? flushing : Volatile.Read(ref readingSince);
        // Where bytes have arrived that nobody has come to read, it is not the peer who is slow.
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

    /// <summary>Lets it make room for others although it is we who wait, as long as its peer is kept from sending more.</summary>
    public void Pause(bool pausing) => Volatile.Write(ref flushingSince, pausing ? Environment.TickCount64 : 0);

    /// <summary>Closes it without an answer: whoever reads or writes it finds it gone.</summary>
    public void Close() => context.Abort(new ConnectionAbortedException("It was closed to make room for others."));

    private sealed class Reader(TrackedConnection connection, PipeReader inner) : PipeReader
    {
        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            Volatile.Write(ref connection.readingSince, Environment.TickCount64);
            return inner.ReadAsync(cancellationToken);
        }

        /// <summary>A pipe's reader says so without taking them.</summary>
        public bool HasBytes => inner is IValueTaskSource<ReadResult> source && source.GetStatus(0) is not ValueTaskSourceStatus.Pending;

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        // Who has read says so by this, and waits for more by reading again.
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
