using TrackMate.Store;
using TrackMate.Store.Sqlite;

namespace TrackMate.Host;

/// <summary>Goes on with erasures that a process left unfinished, once the server runs.</summary>
internal sealed partial class ErasureResume(SqliteStore store, ILogger<ErasureResume> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            List<ErasureState> unfinished;
            using (var snapshot = store.Read()) unfinished = ErasureWriter.Unfinished(snapshot.Database);
            var eraser = new Eraser(store.Path, store.EraseAsync);
            foreach (var state in unfinished)
            {
                var clean = await eraser.CleanFilesAsync(await eraser.EraseRowsAsync(state), stoppingToken);
                if (clean) LogFinished(log);
                else LogHeldBack(log);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the next start goes on.
        }
        catch (Exception e) when (e is StoreUnavailableException or IOException or Microsoft.Data.Sqlite.SqliteException)
        {
            LogFailed(log, e.Message);
        }
    }

    [LoggerMessage(EventId = 31, Level = LogLevel.Information, Message = "An erasure that was left unfinished is done: its rows and bytes are gone.")]
    private static partial void LogFinished(ILogger logger);

    [LoggerMessage(EventId = 32, Level = LogLevel.Warning, Message = "An erasure is done in the tables; something that reads the store holds its log back, so bytes may be left in its files until the next start or erasure.")]
    private static partial void LogHeldBack(ILogger logger);

    [LoggerMessage(EventId = 33, Level = LogLevel.Warning, Message = "An erasure that was left unfinished cannot be gone on with now: {Reason}. The next start tries again.")]
    private static partial void LogFailed(ILogger logger, string reason);
}
