using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary>Goes on with erasures that were left unfinished, by this process or another: at the start and every minute while the server runs.</summary>
internal sealed partial class ErasureResume(Engine engine, MessageStore store, Eraser eraser, TimeProvider time, ILogger<ErasureResume> log) : BackgroundService
{
    /// <summary>What is asked for is one row of a table that nearly always is empty.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>What is in the way of cleaning may stay so for long, and to go through all tables or files in vain costs as much as with success.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Those of which it has been said that something holds their bytes back.</summary>
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
            // The server stops; the next start goes on.
        }
    }

    /// <summary>First the rows of all, so that the bytes of all go at once.</summary>
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
        catch (Exception e) when (IsPassing(e))
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
        catch (Exception e) when (IsPassing(e))
        {
            // Those of other companies may lie on machines that are there.
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

    private static bool IsPassing(Exception e) => e is StoreUnavailableException or IOException or System.Data.Common.DbException;

    [LoggerMessage(EventId = 31, Level = LogLevel.Information, Message = "An erasure of {CompanyIds} that was left unfinished is done: its rows and bytes are gone.")]
    private static partial void LogFinished(ILogger logger, string companyIds);

    [LoggerMessage(EventId = 32, Level = LogLevel.Warning, Message = "What was erased of {CompanyIds} is out of the tables; {Reason}. It is tried again, less and less often.")]
    private static partial void LogHeldBack(ILogger logger, string companyIds, string reason);

    [LoggerMessage(EventId = 33, Level = LogLevel.Warning, Message = "An erasure of {CompanyId} that was left unfinished cannot be gone on with now: {Reason}. It is tried again in a minute.")]
    private static partial void LogFailed(ILogger logger, string companyId, string reason);

    [LoggerMessage(EventId = 35, Level = LogLevel.Warning, Message = "Whether erasures were left unfinished cannot be looked up now, or their bytes not be taken out: {Reason}. It is tried again in a minute.")]
    private static partial void LogUnread(ILogger logger, string reason);
}
