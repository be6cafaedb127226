using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary>Once an hour deletes rejections, warnings and repeats that are too old. Otherwise they would be deleted only when new ones arrive.</summary>
internal sealed partial class IngestionBounds(MessageStore store, Registry registry, TimeProvider time, ILogger<IngestionBounds> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do await PruneAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping, or could not start.
        }
    }

    private async Task PruneAsync(CancellationToken stopping)
    {
        StoreUnavailableException? failure = null;
        var failed = new List<string>();
        foreach (var company in registry.Companies)
        {
            try
            {
                while (await store.PruneIngestionAsync(company, time.GetUtcNow().ToUnixTimeMilliseconds())) stopping.ThrowIfCancellationRequested();
            }
            catch (StoreUnavailableException e)
            {
                // Other companies may lie on machines that are reachable.
                failure = e;
                failed.Add(company.CompanyId);
                stopping.ThrowIfCancellationRequested();
            }
        }

        if (failure is not null) LogNotPruned(log, string.Join(", ", failed), StoreUnavailableException.CauseOf(failure));
    }

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "Old rejected messages of {CompanyIds} could not be deleted: {Reason}. The server tries again in an hour.")]
    private static partial void LogNotPruned(ILogger logger, string companyIds, string reason);
}
