using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Host;

/// <summary>
/// Updates the search index beside the messages: as soon as a full batch waits, and once a minute whatever waits. After an upgrade it indexes the whole store for the
/// first time, some hundred identifiers at a time. If it is interrupted, the next start continues.
/// </summary>
internal sealed partial class SearchIndexing(MessageStore store, Registry registry, TimeProvider time, ILogger<SearchIndexing> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Every this many intervals it indexes an incomplete batch too.</summary>
    private const int AllEvery = 30;

    /// <summary>The pause between two steps, in which the writer is free for messages. It is longer than a step.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private bool isFailing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            for (var times = 0; ; times++)
            {
                await IndexAsync(times % AllEvery == 0 ? 1 : SearchIndex.BatchSize, stoppingToken);
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping; the next start continues.
        }
    }

    private async Task IndexAsync(int least, CancellationToken stopping)
    {
        await Task.Yield();
        StoreUnavailableException? failure = null;
        foreach (var company in registry.Companies)
        {
            try
            {
                if (!IsDue(company, least)) continue;
                while (await store.IndexAsync(company)) await Task.Delay(Pause, time, stopping);
            }
            catch (StoreUnavailableException e)
            {
                // Other companies may lie on machines that are reachable.
                failure = e;
                stopping.ThrowIfCancellationRequested();
            }
        }

        if (failure is not null && !isFailing) LogNotIndexed(log, StoreUnavailableException.CauseOf(failure));
        isFailing = failure is not null;
    }

    private bool IsDue(Company company, int least)
    {
        using var snapshot = store.Read(company);
        return SearchIndex.IsDue(snapshot.Database, company, least) || EventKeyRows.MissingBefore(snapshot.Database, company) is not null;
    }

    [LoggerMessage(EventId = 36, Level = LogLevel.Warning, Message = "People cannot be indexed for search now: {Reason}. The server tries again in seconds. Until then a search scans the people that are not indexed.")]
    private static partial void LogNotIndexed(ILogger logger, string reason);
}
