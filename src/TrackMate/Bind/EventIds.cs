using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TrackMate.Bind;

/// <summary>eventIds compare by their UTF-8 bytes, as every store's binary collation does; UTF-16 would put surrogates elsewhere.</summary>
public static class EventIds
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

    public static int Compare(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            if (left[i] != right[i]) return Rank(left[i]) - Rank(right[i]);
        }

        return left.Length - right.Length;
    }

    // A surrogate stands for a code point above every character of the basic plane.
    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
