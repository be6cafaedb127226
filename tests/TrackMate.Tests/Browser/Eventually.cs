namespace TrackMate.Tests.Browser;

/// <summary>Waits for what must become true, however long a slow machine takes, within a bound.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again until <paramref name="isTrue"/> holds and returns that answer; after the bound the last one, for the test to say what is wrong with it.</summary>
    public static async Task<T> BecomesAsync<T>(Func<Task<T>> ask, Func<T, bool> isTrue)
    {
        for (var started = TimeProvider.System.GetTimestamp(); ;)
        {
            var answer = await ask();
            if (isTrue(answer) || TimeProvider.System.GetElapsedTime(started) > Limit) return answer;
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
