using CsCheck;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>The bytes of the search index hold what was put in, and nothing of what was taken out.</summary>
[NoStore]
public sealed class SearchBucketTests
{
    [Fact]
    public void What_is_added_is_there_and_what_is_removed_leaves_no_byte() =>
        Gen.Select(Gen.Long[0, 1L << 40], Gen.Select(Gen.UInt[0, 5], Gen.OneOf(Gen.Long[0, 200], Gen.Long[0, 1L << 50]), Gen.Bool).Array[0, 60]).Sample((start, changes) =>
        {
            var expected = new HashSet<(uint Gram, long Identifier)>();
            var bytes = Array.Empty<byte>();
            foreach (var some in changes.Chunk(7))
            {
                var bucket = SearchBucket.Read(bytes, start);
                foreach (var (gram, distance, isAdded) in some)
                {
                    if (isAdded) bucket.Add(gram, start + distance);
                    else bucket.Remove(gram, start + distance);
                    if (isAdded) expected.Add((gram, start + distance));
                    else expected.Remove((gram, start + distance));
                }

                bytes = bucket.Write(start);
            }

            for (var gram = 0u; gram < 6; gram++) Assert.Equal(expected.Where(one => one.Gram == gram).Select(one => one.Identifier).Order(), SearchBucket.Find(bytes, start, gram));

            var fresh = new SearchBucket();
            foreach (var (gram, identifier) in expected) fresh.Add(gram, identifier);
            Assert.Equal(fresh.Write(start), bytes);
        });
}
