using System.Diagnostics;

namespace TrackMate.Store.Rebuild;

/// <summary>How much is done in one transaction, so that whoever writes meanwhile waits little. Something is done in each, however slow the store is.</summary>
/// <param name="rows">At most so many rows or events.</param>
/// <param name="time">And no more are begun so long after the first.</param>
internal sealed class StepBudget(int rows, TimeSpan time)
{
    private int left = rows;
    private long? started;

    /// <summary>Beside messages: a step takes about as long as a transaction of messages.</summary>
    public static StepBudget Small => new(2000, TimeSpan.FromMilliseconds(8));

    public bool IsSpent => left <= 0 || (started is { } first && time != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(first) > time);

    public void Spend(int rows = 1)
    {
        started ??= Stopwatch.GetTimestamp();
        left -= rows;
    }
}
