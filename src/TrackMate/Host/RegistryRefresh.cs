using TrackMate.Manage;

namespace TrackMate.Host;

/// <summary>Lets a running server see within a second what another process changed in the registry.</summary>
internal sealed partial class RegistryRefresh(Registry registry, TimeProvider time, ILogger<RegistryRefresh> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var company in registry.Companies)
        {
            foreach (var key in registry.TokenKeysInForce(company).Where(key => key.Key is null)) LogUnreadableKey(log, key.Kid, company.CompanyId);
        }

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
        catch (System.Data.Common.DbException e)
        {
            LogUnreadable(log, e.Message);
        }
    }

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "The token key {Kid} of {CompanyId} cannot be read: keys/token.key is gone or another one, as after a restore elsewhere. No token that it signed is taken; bring the file back, or revoke the key and add another.")]
    private static partial void LogUnreadableKey(ILogger logger, string kid, string companyId);

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "The registry of companies and keys cannot be read: {Reason}. What was read before stays in force.")]
    private static partial void LogUnreadable(ILogger logger, string reason);
}
