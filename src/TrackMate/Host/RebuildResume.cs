using System.Data.Common;
using TrackMate.Store;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Host;

/// <summary>Goes on with what a changed setting is an input of and that whoever changed it has not derived to the end: at the start and every minute while the server runs.</summary>
internal sealed partial class RebuildResume(MessageStore store, TimeProvider time, ILogger<RebuildResume> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do await ResumeAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the next start goes on.
        }
    }

    private async Task ResumeAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var companyId = "";
        try
        {
            var unfinished = store.Read(SettingsSteps.Left).Select(left => left.Company).Distinct().ToList();
            if (unfinished.Count == 0) return;
            foreach (var company in store.Read(CompanyRows.Read).Where(company => unfinished.Contains(company.Number)))
            {
                companyId = company.CompanyId;
                while (await store.DeriveAsync(company)) stoppingToken.ThrowIfCancellationRequested();
                LogFinished(log, companyId);
            }
        }
        catch (Exception e) when (e is StoreUnavailableException or IOException or DbException)
        {
            LogFailed(log, companyId, StoreUnavailableException.CauseOf(e));
        }
    }

    [LoggerMessage(EventId = 37, Level = LogLevel.Information, Message = "What a changed setting of {CompanyId} is an input of is derived; it is in force.")]
    private static partial void LogFinished(ILogger logger, string companyId);

    [LoggerMessage(EventId = 38, Level = LogLevel.Warning, Message = "What a changed setting of {CompanyId} is an input of cannot be derived now: {Reason}. It is tried again in a minute.")]
    private static partial void LogFailed(ILogger logger, string companyId, string reason);
}
