using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>A live page hears of what came in through another server of the same installation.</summary>
[OwnStore]
public sealed class SharedLiveTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_on_one_server_hears_of_what_another_takes()
    {
        await using var servers = await SharedServers.StartAsync();
        var (one, other) = (servers[0], servers[1]);
        using var person = new DashboardClient();
        await person.LogInAsync(one);

        using var stream = await person.StreamAsync(one, $"/c/{ServerProcess.CompanyId}/live/events", Cancel);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(Cancel));
        Assert.Equal("ready", await NextAsync(lines));
        // What arrived before it was opened: it looks once by itself.
        Assert.Equal("changed", await NextAsync(lines));

        // Who listens for the other one may still be on the way to the database.
        var next = NextAsync(lines);
        while (!next.IsCompleted)
        {
            (await new Shopper(other.Http, ServerProcess.CompanyId).TrackAsync("page_view")).AssertOk();
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromSeconds(1), Cancel));
        }

        Assert.Equal("changed", await next);
    }

    /// <summary>The name of the next event that is no sign of life only.</summary>
    private static async Task<string> NextAsync(StreamReader lines)
    {
        // For what never comes: signs of life do, for ever.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        while (await lines.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal) && line != "event: heartbeat") return line["event: ".Length..];
        }

        throw new InvalidOperationException("The stream has ended.");
    }
}
