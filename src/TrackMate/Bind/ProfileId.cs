using System.Buffers.Binary;
using System.Globalization;

namespace TrackMate.Bind;

/// <summary>
/// A profile's public id: 12 bytes, written as 24 lowercase hex digits. It is a keyed function of one identifier (B9), so two racing identifies agree on it
/// without asking anybody, and it leads to that identifier's person for ever.
/// </summary>
public readonly record struct ProfileId(ulong High, uint Low) : IComparable<ProfileId>
{
    public const int ByteLength = 12;

    public static ProfileId FromBytes(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Low);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[ByteLength];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Reads 24 hex digits, upper or lower case; anything else is not a profile's id.</summary>
    public static bool TryParse(string? text, out ProfileId id)
    {
        id = default;
        if (text is not { Length: ByteLength * 2 }
            || !ulong.TryParse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !uint.TryParse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        id = new(high, low);
        return true;
    }

    public int CompareTo(ProfileId other) => (High, Low).CompareTo((other.High, other.Low));

    public override string ToString() => $"{High:x16}{Low:x8}";
}
