using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary>Continues unfinished erasures of any process, at the start and every minute while the server runs.</summary>
internal sealed partial class ErasureResume(Engine engine, MessageStore store, Eraser eraser, TimeProvider time, ILogger<ErasureResume> log) : BackgroundService
{
    /// <summary>A query is cheap: it reads a table that is nearly always empty.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>The obstacle to cleaning may last long, and a failed pass over all tables or files costs as much as a successful one.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Erasures for which the log has already reported that their bytes cannot be removed yet.</summary>
    private readonly HashSet<long> heldBack = [];

    private TimeSpan pause = Interval;
    private DateTimeOffset cleanAgainAt = DateTimeOffset.MinValue;

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
            // The server is stopping; the next start continues.
        }
    }

    /// <summary>Removes the rows of all erasures first, so that one pass removes the bytes of all.</summary>
    private async Task ResumeAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            var rowsGone = new List<ErasureState>();
            foreach (var state in store.Read(ErasureWriter.Unfinished))
            {
                if (await ResumeRowsAsync(state) is { } resumed) rowsGone.Add(resumed);
            }

            var now = time.GetUtcNow();
            if (rowsGone.Count > 0 && now >= cleanAgainAt) await CleanAsync(rowsGone, now, stoppingToken);
        }
        catch (Exception e) when (IsTemporary(e))
        {
            LogUnread(log, StoreUnavailableException.CauseOf(e));
        }
    }

    private async Task<ErasureState?> ResumeRowsAsync(ErasureState state)
    {
        try
        {
            return await eraser.ResumeRowsAsync(state);
        }
        catch (Exception e) when (IsTemporary(e))
        {
            // Erasures of other companies may lie on machines that are reachable.
            LogFailed(log, state.Company.CompanyId, StoreUnavailableException.CauseOf(e));
            return null;
        }
    }

    private async Task CleanAsync(List<ErasureState> states, DateTimeOffset now, CancellationToken stoppingToken)
    {
        var companies = string.Join(", ", states.Select(state => state.Company.CompanyId).Distinct());
        if (await eraser.ResumeFilesAsync(states, stoppingToken))
        {
            (pause, cleanAgainAt) = (Interval, DateTimeOffset.MinValue);
            LogFinished(log, companies);
            return;
        }

        if (states.Where(state => heldBack.Add(state.Number)).ToList().Count > 0) LogHeldBack(log, companies, engine.NotCleaned);
        cleanAgainAt = now + pause;
        pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
    }

    private static bool IsTemporary(Exception e) => e is StoreUnavailableException or IOException or System.Data.Common.DbException;

    [LoggerMessage(EventId = 31, Level = LogLevel.Information, Message = "An unfinished erasure of {CompanyIds} is completed: its rows and bytes are gone.")]
    private static partial void LogFinished(ILogger logger, string companyIds);

    [LoggerMessage(EventId = 32, Level = LogLevel.Warning, Message = "The erased rows of {CompanyIds} are removed from the tables; {Reason}. The server tries again, less and less often.")]
    private static partial void LogHeldBack(ILogger logger, string companyIds, string reason);

    [LoggerMessage(EventId = 33, Level = LogLevel.Warning, Message = "An unfinished erasure of {CompanyId} cannot be continued now: {Reason}. The server tries again in a minute.")]
    private static partial void LogFailed(ILogger logger, string companyId, string reason);

    [LoggerMessage(EventId = 35, Level = LogLevel.Warning, Message = "Unfinished erasures cannot be read or cleaned up now: {Reason}. The server tries again in a minute.")]
    private static partial void LogUnread(ILogger logger, string reason);
}
