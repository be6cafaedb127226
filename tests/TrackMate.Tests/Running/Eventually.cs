using System.Diagnostics;

namespace TrackMate.Tests.Running;

/// <summary>Asks until it is so: what other processes do has no moment to wait for. The bound is for what never comes, not for how fast it is.</summary>
public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Asks again until <paramref name="isTrue"/> holds and returns that answer; after the bound the last one, for the assertion to show.</summary>
    public static async Task<T> BecomesAsync<T>(Func<Task<T>> ask, Func<T, bool> isTrue)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            var answer = await ask();
            if (isTrue(answer) || Stopwatch.GetElapsedTime(started) > Limit) return answer;
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> otherwise)
    {
        if (!await BecomesAsync(condition, isTrue => isTrue)) Assert.Fail(otherwise());
    }
}
