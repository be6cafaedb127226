using System.Diagnostics;

namespace TrackMate.Tests.Running;

/// <summary>Waits for the thing itself, up to a limit.</summary>
public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> otherwise)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit) Assert.Fail(otherwise());
            await Task.Delay(20);
        }
    }
}
