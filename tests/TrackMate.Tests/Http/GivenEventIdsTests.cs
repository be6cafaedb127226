using TrackMate.Http;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Http;

[NoStore]
public sealed class GivenEventIdsTests
{
    [Fact]
    public void Ids_given_within_one_millisecond_keep_their_order_and_are_version_7()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => GivenEventIds.New(1_760_782_320_000)).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Equal(7, Guid.Parse(id).Version));
    }
}
