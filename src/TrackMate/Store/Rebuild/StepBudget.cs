using System.Diagnostics;

namespace TrackMate.Store.Rebuild;

/// <summary>Limits the work in one transaction, so that other writers wait only briefly. Each transaction does at least one unit of work, however slow the store is.</summary>
/// <param name="rows">The most rows or events.</param>
/// <param name="time">After this time since the first row no further row is started.</param>
internal sealed class StepBudget(int rows, TimeSpan time)
{
    private int left = rows;
    private long? started;

    /// <summary>For work between messages: a step takes about as long as a transaction of messages.</summary>
    public static StepBudget Small => new(2000, TimeSpan.FromMilliseconds(8));

    public bool IsSpent => left <= 0 || (started is { } first && time != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(first) > time);

    public void Spend(int rows = 1)
    {
        started ??= Stopwatch.GetTimestamp();
        left -= rows;
    }
}
