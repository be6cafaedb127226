using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Host;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;
using TrackMate.Tests.Store;

namespace TrackMate.Tests.Host;

/// <summary>What cannot be taken away is told to who operates the server, not in the words for who sends.</summary>
public sealed class IngestionBoundsTests
{
    [Fact]
    [EmbeddedOnly]
    public async Task What_could_not_be_taken_away_is_logged_with_its_company_and_its_cause()
    {
        using var own = new TemporaryStore();
        using var registry = StoreUnderTest.In(own.Folder).MakeRegistry(TimeProvider.System);
        registry.AddCompany("TM-QUIET", "Quiet");
        await own.Store.AppendAsync([], new(registry.AddCompany("TM-OLD", "Old"), Origin.Browser, ReceivingCall.Events, Messages.Ten, [new(null, 422, "no", "{}"u8.ToArray(), 2)]));
        using (var database = own.OpenBeside()) database.Execute("CREATE TRIGGER stop BEFORE DELETE ON rejected BEGIN SELECT RAISE(ABORT, 'the disk is away'); END");
        var log = new ConcurrentQueue<string>();
        using var bounds = new IngestionBounds(own.Store, registry, TimeProvider.System, new Lines<IngestionBounds>(log));

        await bounds.StartAsync(TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(() => Task.FromResult(!log.IsEmpty), () => "Nothing is logged.");
        Assert.Equal("Old rejected messages of TM-OLD could not be deleted: the disk is away. The server tries again in an hour.", Assert.Single(log));
        await bounds.StopAsync(TestContext.Current.CancellationToken);
    }
}
