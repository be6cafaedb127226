using System.IO.Compression;

namespace TrackMate.Http;

/// <summary>How bodies may be encoded on their way here (RFC 9110, 8.4). What comes out is bounded by who reads it, and what lies between two codings here.</summary>
internal static class ContentCodings
{
    /// <summary>As <c>Accept-Encoding</c> of a 415 has them.</summary>
    public const string Accepted = "gzip, deflate, br";

    /// <summary>No sender needs more, and each can multiply its bytes by a thousand.</summary>
    private const int MaxCodings = 2;

    /// <summary>The body without its codings.</summary>
    /// <param name="names">What to call them to the sender.</param>
    /// <returns>Null for a body that has none.</returns>
    /// <exception cref="RejectionException">One of them is unknown, or there are too many.</exception>
    public static Stream? Decoded(HttpContext http, out string names)
    {
        names = http.Request.Headers.ContentEncoding.ToString();
        if (names.Length == 0) return null;
        var codings = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)).ToList();
        if (codings.Count == 0) return null;
        if (codings.Count > MaxCodings) throw Unsupported(http, $"Content-Encoding names {codings.Count} codings; at most {MaxCodings} are taken.");
        var body = http.Request.Body;
        // The last one named was applied last, and is undone first.
        foreach (var (undone, coding) in Enumerable.Reverse(codings).Index()) body = Decoder(http, undone == 0 ? body : new Bounded(body), coding);
        return body;
    }

    /// <summary>Whether a decoder says by this that the body is not what its header says.</summary>
    public static bool IsDamage(Exception thrown) => thrown is InvalidDataException or InvalidOperationException;

    private static Stream Decoder(HttpContext http, Stream body, string coding) => coding.ToLowerInvariant() switch
    {
        "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress),
        "deflate" => new Deflated(body),
        "br" => new BrotliStream(body, CompressionMode.Decompress),
        _ => throw Unsupported(http, $"Content-Encoding names a coding that is not taken; send {Accepted} or none."),
    };

    private static RejectionException Unsupported(HttpContext http, string detail)
    {
        http.Response.Headers.AcceptEncoding = Accepted;
        return new(Reason.UnsupportedEncoding, detail);
    }

    /// <summary>A stream that is only read, and only by one who waits.</summary>
    private abstract class Reading : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>What one coding gives to the next: no more than a whole body may have.</summary>
    private sealed class Bounded(Stream inner) : Reading
    {
        private int read;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            read += count;
            return read <= RequestBody.MaxBytes ? count : throw RequestBody.TooLarge();
        }
    }

    /// <summary>"deflate" is zlib by the standard and bare DEFLATE by some senders; the first two bytes tell them apart.</summary>
    private sealed class Deflated(Stream inner) : Reading
    {
        private Stream? decoder;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (decoder is null)
            {
                var head = new byte[2];
                var length = await inner.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
                var whole = new Begun(head.AsMemory(0, length), inner);
                decoder = length == 2 && (head[0] & 0x0F) == 8 && ((head[0] << 8) | head[1]) % 31 == 0 ? new ZLibStream(whole, CompressionMode.Decompress) : new DeflateStream(whole, CompressionMode.Decompress);
            }

            return await decoder.ReadAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) decoder?.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>A stream whose first bytes have been looked at.</summary>
    private sealed class Begun(ReadOnlyMemory<byte> head, Stream rest) : Reading
    {
        private ReadOnlyMemory<byte> left = head;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left.IsEmpty) return rest.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(left.Length, buffer.Length);
            left[..count].CopyTo(buffer);
            left = left[count..];
            return ValueTask.FromResult(count);
        }
    }
}
