using System.Data.Common;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary>
/// Completes changed settings that their command has not completed: at the start, and while the server runs if a change has made no progress for a minute.
/// </summary>
internal sealed partial class RebuildResume(MessageStore store, Registry registry, TimeProvider time, ILogger<RebuildResume> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>The progress of the companies at the last check.</summary>
    private Dictionary<long, List<(RebuildPart Part, RebuildPlace Place)>> seen = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            for (var isStart = true; ; isStart = false)
            {
                await ResumeAsync(isStart, stoppingToken);
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping; the next start continues.
        }
    }

    private async Task ResumeAsync(bool isStart, CancellationToken stoppingToken)
    {
        await Task.Yield();
        var looked = new Dictionary<long, List<(RebuildPart Part, RebuildPlace Place)>>();
        foreach (var company in registry.Companies)
        {
            try
            {
                var left = store.Read(database => SettingsSteps.Left(database, company), company);
                if (left.Count == 0) continue;
                if (isStart || (seen.TryGetValue(company.Number, out var before) && before.SequenceEqual(left))) await DeriveAsync(company, stoppingToken);
                else looked.Add(company.Number, left);
            }
            catch (Exception e) when (e is StoreUnavailableException or IOException or DbException)
            {
                // Other companies may lie on machines that are reachable.
                LogFailed(log, company.CompanyId, StoreUnavailableException.CauseOf(e));
            }
        }

        seen = looked;
    }

    private async Task DeriveAsync(Company company, CancellationToken stoppingToken)
    {
        RebuildPart? part;
        do
        {
            var started = time.GetTimestamp();
            part = await store.DeriveAsync(company);
            // Pauses as the command does: other writers get as much time as the step took.
            await Task.Delay(part is RebuildPart.Switch ? SettingsSteps.UntilAllKnow : time.GetElapsedTime(started), time, stoppingToken);
        }
        while (part is not null);

        LogFinished(log, company.CompanyId);
    }

    [LoggerMessage(EventId = 37, Level = LogLevel.Information, Message = "The changed settings of {CompanyId} are in force, and everything that depends on them is up to date.")]
    private static partial void LogFinished(ILogger logger, string companyId);

    [LoggerMessage(EventId = 38, Level = LogLevel.Warning, Message = "The changed settings of {CompanyId} cannot be applied now: {Reason}. The server tries again in a minute.")]
    private static partial void LogFailed(ILogger logger, string companyId, string reason);
}
