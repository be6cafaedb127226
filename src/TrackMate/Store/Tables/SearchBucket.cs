using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace TrackMate.Store.Tables;

/// <summary>
/// A bucket of the search index: some grams, and for each the identifiers of one segment whose text has it. A row holds it as bytes: for each gram in order its
/// four bytes, the number of bytes that follow, and the identifiers' distances from one to the next, the first from the segment's base, seven bits a byte.
/// </summary>
internal sealed class SearchBucket
{
    /// <summary>Buckets of a segment: a query reads one for each gram that it asks for, and what is indexed together writes most of them.</summary>
    private const int Bits = 10;

    private readonly SortedDictionary<uint, List<long>> grams = [];

    public static int Of(uint gram) => (int)(gram >> (32 - Bits));

    public bool IsEmpty => grams.Count == 0;

    public IEnumerable<KeyValuePair<uint, List<long>>> Grams => grams;

    public static SearchBucket Read(ReadOnlySpan<byte> bytes, long start)
    {
        var bucket = new SearchBucket();
        while (!bytes.IsEmpty)
        {
            var gram = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            bytes = bytes[sizeof(uint)..];
            var length = (int)ReadNumber(ref bytes);
            bucket.grams.Add(gram, IdentifiersOf(bytes[..length], start));
            bytes = bytes[length..];
        }

        return bucket;
    }

    /// <summary>The identifiers of one gram, in ascending order.</summary>
    public static List<long> Find(ReadOnlySpan<byte> bytes, long start, uint gram)
    {
        while (!bytes.IsEmpty)
        {
            var found = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            if (found > gram) break;
            bytes = bytes[sizeof(uint)..];
            var length = (int)ReadNumber(ref bytes);
            if (found == gram) return IdentifiersOf(bytes[..length], start);
            bytes = bytes[length..];
        }

        return [];
    }

    public void Add(uint gram, long identifier)
    {
        if (!grams.TryGetValue(gram, out var identifiers)) grams.Add(gram, identifiers = []);
        if (identifiers.Count == 0 || identifiers[^1] < identifier) identifiers.Add(identifier);
        else if (identifiers.BinarySearch(identifier) is < 0 and var place) identifiers.Insert(~place, identifier);
    }

    public void Remove(uint gram, long identifier)
    {
        if (!grams.TryGetValue(gram, out var identifiers)) return;
        if (identifiers.BinarySearch(identifier) is >= 0 and var place) identifiers.RemoveAt(place);
        if (identifiers.Count == 0) grams.Remove(gram);
    }

    public byte[] Write(long start)
    {
        var bytes = new List<byte>();
        var distances = new List<byte>();
        Span<byte> four = stackalloc byte[sizeof(uint)];
        foreach (var (gram, identifiers) in grams)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(four, gram);
            bytes.AddRange(four);
            distances.Clear();
            var last = start;
            foreach (var identifier in identifiers)
            {
                WriteNumber(distances, identifier - last);
                last = identifier;
            }

            WriteNumber(bytes, distances.Count);
            bytes.AddRange(CollectionsMarshal.AsSpan(distances));
        }

        return [.. bytes];
    }

    private static List<long> IdentifiersOf(ReadOnlySpan<byte> distances, long start)
    {
        var identifiers = new List<long>(distances.Length);
        for (var last = start; !distances.IsEmpty;) identifiers.Add(last += ReadNumber(ref distances));
        return identifiers;
    }

    private static long ReadNumber(ref ReadOnlySpan<byte> bytes)
    {
        long number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            number |= (long)(next & 0x7F) << shift;
            if (next < 0x80) return number;
        }
    }

    private static void WriteNumber(List<byte> bytes, long number)
    {
        for (; number >= 0x80; number >>= 7) bytes.Add((byte)(number | 0x80));
        bytes.Add((byte)number);
    }
}
