using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using TrackMate.Manage;

namespace TrackMate.Show;

/// <summary>The stream by which an open page learns of new data. It carries no data: the page reloads itself.</summary>
internal static class LiveStream
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static IResult Handle(string companyId, HttpContext http, Registry registry, LiveFeed feed, Members members, IHostApplicationLifetime lifetime)
    {
        if (registry.Find(companyId) is not { } company) return Results.NotFound();
        if (HeadRequests.Is(http)) return Results.Text("", "text/event-stream");
        if (feed.Open(company.Number) is not { } watch)
        {
            http.Response.Headers.RetryAfter = "30";
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }

        // Without this a proxy would buffer the stream.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Response.Headers.CacheControl = "no-store";
        var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        http.Response.RegisterForDispose(watch);
        http.Response.RegisterForDispose(ended);
        return TypedResults.ServerSentEvents(Items(watch, http.User, members, ended.Token));
    }

    private static async IAsyncEnumerable<SseItem<string>> Items(LiveFeed.Watch watch, ClaimsPrincipal member, Members members, [EnumeratorCancellation] CancellationToken ended)
    {
        yield return new("", "ready");
        while (true)
        {
            var changed = await NextAsync(watch, ended);
            // The stream ends if the member was logged out meanwhile by a new password.
            if (ended.IsCancellationRequested || !members.IsCurrent(member)) yield break;
            yield return new("", changed ? "changed" : "heartbeat");
        }
    }

    private static async Task<bool> NextAsync(LiveFeed.Watch watch, CancellationToken ended)
    {
        using var beat = CancellationTokenSource.CreateLinkedTokenSource(ended);
        beat.CancelAfter(Heartbeat);
        try
        {
            return await watch.Changed.ReadAsync(beat.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
