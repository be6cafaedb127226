using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Ingest;

namespace TrackMate.Host;

/// <summary>Measures the free space on the data folder's disk once a second, and checks that the folder still exists. A server without messages would not notice otherwise.</summary>
internal sealed partial class DiskWatch(ServerOptions options, MessageStore store, DiskSpace disk, TimeProvider time, ILogger<DiskWatch> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private bool wasInPlace = true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Installation.Engine.IsShared) return;
        StoreMetrics.Disk = () => disk.Room is { FreeBytes: { } free } room ? (free, room.ReserveBytes) : null;
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do
            {
                LookAtFolder();
                LookAtRoom();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping.
        }
    }

    private void LookAtFolder()
    {
        var isInPlace = store.IsInPlace;
        if (wasInPlace && !isInPlace) LogGone(log, options.Installation.DataFolder);
        else if (!wasInPlace && isInPlace) LogBack(log, options.Installation.DataFolder);
        wasInPlace = isInPlace;
    }

    private void LookAtRoom()
    {
        var before = disk.Room;
        disk.Room = RoomOf(options.Installation.DataFolder, options.DiskReserve);
        if (disk.Room.IsBelowReserve && !before.IsBelowReserve) LogBelow(log, Sizes.Of(disk.Room.FreeBytes!.Value), Sizes.Of(disk.Room.ReserveBytes));
        else if (!disk.Room.IsBelowReserve && before.IsBelowReserve) LogRoom(log);
    }

    private static DiskRoom RoomOf(string folder, DiskReserve reserve)
    {
        try
        {
            var drive = new DriveInfo(folder);
            return new(drive.AvailableFreeSpace, reserve.BytesOf(drive.TotalSize));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone, which is logged, or the operating system does not report it.
            return new(null, 0);
        }
    }

    [LoggerMessage(EventId = 40, Level = LogLevel.Critical, Message = "The data folder {Folder} was deleted, moved or replaced while the server runs. Every write is rejected. Stop the server, bring the folder back or restore a backup, and start it again.")]
    private static partial void LogGone(ILogger logger, string folder);

    [LoggerMessage(EventId = 41, Level = LogLevel.Information, Message = "The data folder {Folder} is back.")]
    private static partial void LogBack(ILogger logger, string folder);

    [LoggerMessage(EventId = 42, Level = LogLevel.Error, Message = "The disk of the data folder has {Free} free, less than the reserve of {Reserve} (TRACKMATE_DISK_RESERVE). Browsers get 503 until there is room; back ends and erasures are not affected.")]
    private static partial void LogBelow(ILogger logger, string free, string reserve);

    [LoggerMessage(EventId = 43, Level = LogLevel.Information, Message = "The disk has room again: messages of browsers are accepted.")]
    private static partial void LogRoom(ILogger logger);
}
