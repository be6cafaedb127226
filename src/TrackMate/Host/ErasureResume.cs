using TrackMate.Store;
using TrackMate.Store.Erase;

namespace TrackMate.Host;

/// <summary>Goes on with erasures that were left unfinished, by this process or another: at the start and every minute while the server runs.</summary>
internal sealed partial class ErasureResume(MessageStore store, Eraser eraser, TimeProvider time, ILogger<ErasureResume> log) : BackgroundService
{
    /// <summary>What is asked for is one row of a table that nearly always is empty.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Those of which it has been said that something holds their bytes back.</summary>
    private readonly HashSet<long> heldBack = [];

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
        try
        {
            foreach (var state in store.Read(ErasureWriter.Unfinished)) await ResumeAsync(state, stoppingToken);
        }
        catch (Exception e) when (IsPassing(e))
        {
            LogFailed(log, e.Message);
        }
    }

    private async Task ResumeAsync(ErasureState state, CancellationToken stoppingToken)
    {
        try
        {
            switch (await eraser.ResumeAsync(state, stoppingToken))
            {
                case true:
                    LogFinished(log);
                    break;
                case false when heldBack.Add(state.Number):
                    LogHeldBack(log);
                    break;
            }
        }
        catch (Exception e) when (IsPassing(e))
        {
            // Those of other companies may lie on machines that are there.
            LogFailed(log, e.Message);
        }
    }

    private static bool IsPassing(Exception e) => e is StoreUnavailableException or IOException or System.Data.Common.DbException;

    [LoggerMessage(EventId = 31, Level = LogLevel.Information, Message = "An erasure that was left unfinished is done: its rows and bytes are gone.")]
    private static partial void LogFinished(ILogger logger);

    [LoggerMessage(EventId = 32, Level = LogLevel.Warning, Message = "An erasure is done in the tables; something that reads the store holds its log back, so bytes may be left in its files. It is tried again every minute.")]
    private static partial void LogHeldBack(ILogger logger);

    [LoggerMessage(EventId = 33, Level = LogLevel.Warning, Message = "An erasure that was left unfinished cannot be gone on with now: {Reason} It is tried again in a minute.")]
    private static partial void LogFailed(ILogger logger, string reason);
}
