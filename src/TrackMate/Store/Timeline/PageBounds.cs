using System.Diagnostics;

namespace TrackMate.Store.Timeline;

/// <summary>What bounds a page besides its limit: a thousand rows may be large, or take long to put together. A page that ends early has a cursor to go on with.</summary>
internal sealed class PageBounds
{
    /// <summary>Bytes as they were sent. The last one of a page may go beyond.</summary>
    public const long MaxBytes = 4 << 20;

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    private readonly long started = Stopwatch.GetTimestamp();
    private long bytes;

    /// <summary>Counts what was put on the page.</summary>
    /// <returns>Whether more may be.</returns>
    public bool HasRoomAfter(long added) => (bytes += added) < MaxBytes && Stopwatch.GetElapsedTime(started) < MaxTime;
}
