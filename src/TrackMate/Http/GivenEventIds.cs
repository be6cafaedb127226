using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TrackMate.Http;

/// <summary>Ids for messages that come without one.</summary>
internal static class GivenEventIds
{
    private const int SequenceBits = 12;

    private static long last;

    /// <summary>
    /// An id for a message that came without one: a UUIDv7 (RFC 9562) whose 12 bits after the version count, so that what this process takes within one
    /// millisecond keeps its order.
    /// </summary>
    public static string New(long unixMilliseconds)
    {
        long previous, next;
        do
        {
            previous = Volatile.Read(ref last);
            next = Math.Max(previous + 1, unixMilliseconds << SequenceBits);
        }
        while (Interlocked.CompareExchange(ref last, next, previous) != previous);

        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes[8..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes, ((next >> SequenceBits) << 16) | 0x7000 | (next & ((1 << SequenceBits) - 1)));
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }
}
