using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>Cursors as callers see them: where the page ended, sealed with the company's secret, so that a damaged or foreign one is told apart. They never expire.</summary>
internal static class Cursors
{
    private const int SealBytes = 8;

    public static string Write(Company company, EventCursor cursor)
    {
        var payload = new byte[8 + Encoding.UTF8.GetByteCount(cursor.EventId)];
        BinaryPrimitives.WriteInt64BigEndian(payload, cursor.Order.Value);
        Encoding.UTF8.GetBytes(cursor.EventId, payload.AsSpan(8));
        return Seal(company, payload);
    }

    public static string Write(Company company, long number)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(payload, number);
        return Seal(company, payload);
    }

    /// <exception cref="Refused">It is not one of this company's cursors, whole.</exception>
    public static EventCursor? ReadEvent(Company company, string? text)
    {
        if (text is null) return null;
        var payload = Open(company, text);
        return new(new(BinaryPrimitives.ReadInt64BigEndian(payload)), Encoding.UTF8.GetString(payload.AsSpan(8)));
    }

    /// <exception cref="Refused">It is not one of this company's cursors, whole.</exception>
    public static long? ReadNumber(Company company, string? text) => text is null ? null : BinaryPrimitives.ReadInt64BigEndian(Open(company, text));

    private static string Seal(Company company, byte[] payload)
    {
        var bytes = new byte[payload.Length + SealBytes];
        payload.CopyTo(bytes, 0);
        company.Seal(payload, bytes.AsSpan(payload.Length));
        return Base64Url.EncodeToString(bytes);
    }

    private static byte[] Open(Company company, string text)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(text);
            if (bytes.Length >= 8 + SealBytes)
            {
                var payload = bytes[..^SealBytes];
                Span<byte> seal = stackalloc byte[SealBytes];
                company.Seal(payload, seal);
                if (seal.SequenceEqual(bytes.AsSpan(payload.Length))) return payload;
            }
        }
        catch (FormatException)
        {
            // Falls through to the same answer as a cursor that decodes to something else.
        }

        throw new Refused(Reason.BadCursor, "The cursor is damaged; send nextCursor as it came, or leave cursor out to begin anew.", "cursor");
    }
}
