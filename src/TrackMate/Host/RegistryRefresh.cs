using TrackMate.Manage;

namespace TrackMate.Host;

/// <summary>Lets a running server see within a second what another process changed in the registry.</summary>
internal sealed partial class RegistryRefresh(Registry registry, TimeProvider time, ILogger<RegistryRefresh> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Refresh();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or could not start.
        }
    }

    private void Refresh()
    {
        try
        {
            registry.Refresh();
        }
        catch (Microsoft.Data.Sqlite.SqliteException e)
        {
            LogUnreadable(log, e.Message);
        }
    }

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "The registry of companies and keys cannot be read: {Reason}. What was read before stays in force.")]
    private static partial void LogUnreadable(ILogger logger, string reason);
}
