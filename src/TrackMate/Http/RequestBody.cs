using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Net.Http.Headers;
using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;

namespace TrackMate.Http;

/// <summary>Looks at what a large body begins with.</summary>
/// <param name="sender">The company of the API key; null where the body names it.</param>
/// <param name="bytes">How long it is, as far as that is known.</param>
/// <exception cref="RejectionException">It is from nobody whose body is read on.</exception>
/// <exception cref="StoreUnavailableException">There is no room for it.</exception>
internal delegate void SenderCheck(Company? sender, ReadOnlySpan<byte> begun, long bytes);

/// <summary>A request's body in one rented piece; what was parsed from it points into it, so it is given back after the answer.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Bytes of a body after decoding.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxCharset = 40;
    private const int MediumBytes = 128 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    // What is common keeps few large pieces: of the shared pool's, some for each thread and processor, a flood would leave a hundred mebibytes behind.
    private static readonly ArrayPool<byte> Large = ArrayPool<byte>.Create(MaxBytes, maxArraysPerBucket: 8);

    // Batches are mostly no larger than this: fifteen mebibytes at most, which a flood would otherwise allocate several times a second.
    private static readonly ArrayPool<byte> Medium = ArrayPool<byte>.Create(MediumBytes, maxArraysPerBucket: 64);

    private readonly HttpContext http;
    private readonly Company? sender;
    private SenderCheck? check;
    private HeldMemory? held;
    private byte[] buffer;
    private int length;

    private RequestBody(HttpContext http, SenderCheck? check, Company? sender, int capacity)
    {
        this.http = http;
        this.check = check;
        this.sender = sender;
        buffer = ArrayPool<byte>.Shared.Rent(capacity);
    }

    /// <summary>Without the byte order mark that some senders begin with.</summary>
    public ReadOnlyMemory<byte> Utf8 => buffer.AsMemory(0, length)[(buffer.AsSpan(0, length).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0)..];

    /// <param name="http">The request.</param>
    /// <param name="check">Asked once before more of a large body is read than there is so far.</param>
    /// <param name="sender">Handed to <paramref name="check"/>.</param>
    /// <exception cref="RejectionException">Too large, too slow, not UTF-8, in a coding that is not taken, or refused by <paramref name="check"/>.</exception>
    /// <exception cref="StoreUnavailableException">There is no room for it.</exception>
    /// <exception cref="BadHttpRequestException">It is not framed as HTTP wants it.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext http, SenderCheck? check = null, Company? sender = null)
    {
        var declared = http.Request.ContentLength;
        if (declared > MaxBytes) throw TooLarge();
        // Grown by what arrives, not by what is announced.
        var body = new RequestBody(http, check, sender, (int)Math.Min(declared ?? 4096, EdgeLimits.LargeBytes));
        var isWhole = false;
        try
        {
            if (ContentCodings.Decoded(http, out var coding) is { } decoded) await body.InflateAsync(decoded, coding);
            else await body.FillAsync();

            isWhole = true;
            if (body.Utf8.IsEmpty) throw new RejectionException(Reason.Malformed, "The body is empty; send a JSON object.");
            if (!IsText(body.Utf8.Span)) throw NotUtf8(http, body.Utf8.Span);
            return body;
        }
        catch (Exception e)
        {
            body.Dispose();
            // What is left of a body that nobody wants is followed by no other request. One that there is no room for now is read to its end, after a pause: whoever
            // floods would open a new connection at once.
            if (!isWhole && !(e is QueueFullException && declared is not null)) http.Response.Headers.Connection = "close";
            throw;
        }
    }

    /// <summary>Does not give it back, since the store may still read it.</summary>
    public void Abandon() => buffer = [];

    public void Dispose()
    {
        held?.Dispose();
        if (buffer.Length == 0) return;
        PoolOf(buffer.Length).Return(buffer);
        buffer = [];
    }

    // UTF-16 of English text is valid UTF-8, with a zero byte beside each letter.
    private static bool IsText(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes) && !bytes[..Math.Min(2, bytes.Length)].Contains((byte)0);

    private static RejectionException NotUtf8(HttpContext http, ReadOnlySpan<byte> bytes)
    {
        var charset = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) && type.Charset is { HasValue: true, Length: <= MaxCharset } given && !given.Equals("utf-8", StringComparison.OrdinalIgnoreCase) ? given.Value : null;
        var found = bytes[..Math.Min(4, bytes.Length)].Contains((byte)0) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? " It looks like UTF-16." : charset is null ? "" : $" Its Content-Type says {charset}.";
        return new(Reason.BadText, $"The body is not valid UTF-8; encode it as UTF-8.{found}");
    }

    private async ValueTask FillAsync()
    {
        var reader = http.Request.BodyReader;
        // Mostly all of it is there; who sends nothing at all is Kestrel's to give up.
        if (Take(reader, await BodyReading.FirstAsync(reader, http))) return;
        using var reading = new BodyReading(http);
        while (!Take(reader, await reading.NextAsync(reader)))
        {
        }
    }

    private bool Take(PipeReader reader, ReadResult read)
    {
        try
        {
            foreach (var piece in read.Buffer) Add(piece.Span);
        }
        finally
        {
            // Also where no more is wanted: Kestrel passes over the rest, and logs an error where this is still being read.
            reader.AdvanceTo(read.Buffer.End);
        }

        return read.IsCompleted;
    }

    private async ValueTask InflateAsync(Stream decoded, string coding)
    {
        using var reading = new BodyReading(http);
        await using var inflated = decoded;
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await reading.NextAsync(inflated, piece)) > 0) Add(piece.AsSpan(0, read));
        }
        catch (Exception e) when (ContentCodings.IsDamage(e))
        {
            throw new RejectionException(Reason.Malformed, $"Content-Encoding says {coding}, but the body is not that, or is cut off.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Add(ReadOnlySpan<byte> piece)
    {
        if (length + piece.Length > MaxBytes) throw TooLarge();
        if (length + piece.Length > buffer.Length) Grow(length + piece.Length);
        piece.CopyTo(buffer.AsSpan(length));
        length += piece.Length;
    }

    private void Grow(int least)
    {
        check?.Invoke(sender, Utf8.Span, Math.Max(http.Request.ContentLength ?? 0, least));
        check = null;
        var capacity = Math.Min(MaxBytes, Math.Max(buffer.Length * 2, least));
        (held ??= new(http)).GrowTo(capacity);
        var larger = PoolOf(capacity).Rent(capacity);
        buffer.AsSpan(0, length).CopyTo(larger);
        PoolOf(buffer.Length).Return(buffer);
        buffer = larger;
    }

    private static ArrayPool<byte> PoolOf(int capacity) => capacity switch
    {
        > MediumBytes => Large,
        > EdgeLimits.LargeBytes => Medium,
        _ => ArrayPool<byte>.Shared,
    };

    public static RejectionException TooLarge() => new(Reason.TooLarge, "The body is larger than 1 MiB (decoded); send fewer events at once.");
}
