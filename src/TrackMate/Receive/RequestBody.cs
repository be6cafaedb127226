using System.Buffers;
using System.IO.Compression;

namespace TrackMate.Receive;

/// <summary>A request's body in one rented piece; what was parsed from it points into it, so it is given back after the answer.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Bytes of a body after decoding.</summary>
    public const int MaxBytes = 1 << 20;

    private byte[] buffer;
    private int length;

    private RequestBody(int capacity) => buffer = ArrayPool<byte>.Shared.Rent(capacity);

    public ReadOnlyMemory<byte> Utf8 => buffer.AsMemory(0, length);

    /// <exception cref="Refused">Too large, not UTF-8, or in an encoding that is not gzip.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext http)
    {
        var declared = http.Request.ContentLength;
        if (declared > MaxBytes) throw TooLarge();
        var encoding = http.Request.Headers.ContentEncoding.ToString();
        // Grown by what arrives, not by what is announced.
        var body = new RequestBody((int)Math.Min(declared ?? 4096, 16 * 1024));
        try
        {
            if (encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)) await body.FillAsync(http);
            else if (encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase)) await body.InflateAsync(http);
            else throw new Refused(Reason.UnsupportedEncoding, "Content-Encoding may be gzip or left out.");

            if (body.length == 0) throw new Refused(Reason.Malformed, "The body is empty; send a JSON object.");
            if (!Utf8IsValid(body.Utf8.Span)) throw new Refused(Reason.BadText, "The body is not valid UTF-8; encode it as UTF-8.");
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Does not give it back, since the store may still read it.</summary>
    public void Abandon() => buffer = [];

    public void Dispose()
    {
        if (buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private static bool Utf8IsValid(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    private async ValueTask FillAsync(HttpContext http)
    {
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            foreach (var piece in read.Buffer) Add(piece.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }

    private async ValueTask InflateAsync(HttpContext http)
    {
        await using var inflated = new GZipStream(http.Request.Body, CompressionMode.Decompress);
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await inflated.ReadAsync(piece, http.RequestAborted)) > 0) Add(piece.AsSpan(0, read));
        }
        catch (InvalidDataException)
        {
            throw new Refused(Reason.Malformed, "Content-Encoding says gzip, but the body is not gzip.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Add(ReadOnlySpan<byte> piece)
    {
        if (length + piece.Length > MaxBytes) throw TooLarge();
        if (length + piece.Length > buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Min(MaxBytes, Math.Max(buffer.Length * 2, length + piece.Length)));
            buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }

        piece.CopyTo(buffer.AsSpan(length));
        length += piece.Length;
    }

    public static Refused TooLarge() => new(Reason.TooLarge, "The body is larger than 1 MiB (decoded); send fewer events at once.");
}
