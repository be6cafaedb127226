using System.Buffers;
using Microsoft.Net.Http.Headers;

namespace TrackMate.Receive;

/// <summary>A request's body in one rented piece; what was parsed from it points into it, so it is given back after the answer.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Bytes of a body after decoding.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxCharset = 40;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private byte[] buffer;
    private int length;

    private RequestBody(int capacity) => buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Without the byte order mark that some senders begin with.</summary>
    public ReadOnlyMemory<byte> Utf8 => buffer.AsMemory(0, length)[(buffer.AsSpan(0, length).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0)..];

    /// <exception cref="Refused">Too large, not UTF-8, or in a coding that is not taken.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext http)
    {
        var declared = http.Request.ContentLength;
        if (declared > MaxBytes) throw TooLarge();
        // Grown by what arrives, not by what is announced.
        var body = new RequestBody((int)Math.Min(declared ?? 4096, 16 * 1024));
        try
        {
            if (ContentCodings.Decoded(http, out var coding) is { } decoded) await body.InflateAsync(http, decoded, coding);
            else await body.FillAsync(http);

            if (body.Utf8.IsEmpty) throw new Refused(Reason.Malformed, "The body is empty; send a JSON object.");
            if (!IsText(body.Utf8.Span)) throw NotUtf8(http, body.Utf8.Span);
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

    // UTF-16 of English text is valid UTF-8, with a zero byte beside each letter.
    private static bool IsText(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes) && !bytes[..Math.Min(2, bytes.Length)].Contains((byte)0);

    private static Refused NotUtf8(HttpContext http, ReadOnlySpan<byte> bytes)
    {
        var charset = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) && type.Charset is { HasValue: true, Length: <= MaxCharset } given && !given.Equals("utf-8", StringComparison.OrdinalIgnoreCase) ? given.Value : null;
        var found = bytes[..Math.Min(4, bytes.Length)].Contains((byte)0) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? " It looks like UTF-16." : charset is null ? "" : $" Its Content-Type says {charset}.";
        return new(Reason.BadText, $"The body is not valid UTF-8; encode it as UTF-8.{found}");
    }

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

    private async ValueTask InflateAsync(HttpContext http, Stream decoded, string coding)
    {
        await using var inflated = decoded;
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await inflated.ReadAsync(piece, http.RequestAborted)) > 0) Add(piece.AsSpan(0, read));
        }
        catch (Exception e) when (ContentCodings.IsDamage(e))
        {
            throw new Refused(Reason.Malformed, $"Content-Encoding says {coding}, but the body is not that, or is cut off.");
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
