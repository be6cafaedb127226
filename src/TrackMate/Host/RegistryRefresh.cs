using System.Data.Common;
using TrackMate.Manage;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary>Reads changes of the registry by other processes, within a second.</summary>
internal sealed partial class RegistryRefresh(Registry registry, TimeProvider time, ILogger<RegistryRefresh> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether the log has already reported that the registry cannot be read. It is reported once, not four times a second.</summary>
    private bool failing;

    /// <summary>Token keys that the log has already reported as unreadable.</summary>
    private readonly HashSet<(long Company, string Kid)> unreadable = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ReportUnreadableKeys();
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Refresh();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping, or could not start.
        }
    }

    private void ReportUnreadableKeys()
    {
        foreach (var company in registry.Companies)
        {
            foreach (var key in registry.TokenKeysInForce(company).Where(key => key.Key is null && unreadable.Add((company.Number, key.Kid)))) LogUnreadableKey(log, key.Kid, company.CompanyId);
        }
    }

    private void Refresh()
    {
        try
        {
            if (registry.Refresh()) ReportUnreadableKeys();
            if (failing) LogReadable(log);
            failing = false;
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            if (!failing) LogUnreadable(log, StoreUnavailableException.CauseOf(e));
            failing = true;
        }
    }

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "The token key {Kid} of {CompanyId} cannot be read: keys/token.key is missing or a different one, as after a restore on another machine. Tokens signed with the key are rejected. Bring the file back, or revoke the key and add another.")]
    private static partial void LogUnreadableKey(ILogger logger, string kid, string companyId);

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "The registry of companies and keys cannot be read: {Reason}. The values that were read last stay in use.")]
    private static partial void LogUnreadable(ILogger logger, string reason);

    [LoggerMessage(EventId = 12, Level = LogLevel.Information, Message = "The registry of companies and keys can be read again.")]
    private static partial void LogReadable(ILogger logger);
}
