using TrackMate.Tests.Browser;
using Xunit.Sdk;
using Xunit.v3;

// Most of a test's time goes by in servers and browsers that it waits for.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: TestCollectionOrderer(typeof(TrackMate.Tests.LongestFirst))]

namespace TrackMate.Tests;

/// <summary>A browser's classes run one after another and take longest: begun last, they would run on while nothing else does.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [BrowserCollection.Name, SecondBrowserCollection.Name];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderByDescending(collection => Long.Contains(collection.TestCollectionDisplayName)).ThenBy(collection => collection.UniqueID, StringComparer.Ordinal)];
}
