using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Two servers that take what is about the same persons and sessions at the same moment derive what one alone would.</summary>
[OwnStore]
public sealed class SharedConcurrencyTests
{
    private const int Many = 200;

    [Fact]
    public async Task What_two_servers_take_at_once_of_one_person_is_one_person()
    {
        await using var servers = await SharedServers.StartAsync();
        var (one, other) = (servers[0], servers[1]);

        // One device that many people share. Each is known by nothing but this: what is written of one waits for nothing that is written of another.
        await Task.WhenAll(Enumerable.Range(0, Many).Select(i => TakeAsync(() =>
            new Shopper((i % 2 == 0 ? one : other).Http, ServerProcess.CompanyId, "session_1729260000_tablet").IdentifyAsync($"guest{i}@example.com", at: TimeOf(i), eventId: $"guest {i}"))));

        await Task.WhenAll(Enumerable.Range(0, Many).SelectMany(i => new[]
        {
            // Each session begins on one server and is identified on the other; each event comes to both, as after an answer that was lost.
            Task.Run(async () =>
            {
                var session = $"session_1729260000_{i}";
                await TakeAsync(() => new Shopper(one.Http, ServerProcess.CompanyId, session).TrackAsync("page_view", at: TimeOf(i), eventId: $"view {i}"));
                await TakeAsync(() => new Shopper(other.Http, ServerProcess.CompanyId, session).TrackAsync("page_view", at: TimeOf(i), eventId: $"view {i}"));
                await TakeAsync(() => new Shopper(other.Http, ServerProcess.CompanyId, session).IdentifyAsync("sarah@example.com", at: TimeOf(i), eventId: $"identify {i}"));
            }),
            // And what a back end says of the same person.
            TakeAsync(() => new ShopBackend((i % 2 == 0 ? other : one).Http, ServerProcess.ApiKey)
                .WebhookAsync("order_placed", email: "sarah@example.com", externalId: "42", at: TimeOf(i), eventId: $"order {i}")),
        }));

        var backend = new ShopBackend(other.Http, ServerProcess.ApiKey);
        var sarah = (await backend.ProfileOfAsync("sarah@example.com"))!;
        Assert.Equal(2, sarah["identifiers"]!.AsArray().Count);
        // Her page views and orders, and that she registered.
        Assert.Equal((2 * Many) + 1, (int)sarah["totals"]!["events"]!);
        Assert.Equal(Many, (int)sarah["totals"]!["sessions"]!["client"]!);

        using var trackmate = servers.Beside(one);
        Assert.DoesNotContain("WRONG", await trackmate.DoAsync("doctor"));
    }

    /// <summary>As a good sender does: transactions that met more often than they are tried again are told to come again.</summary>
    private static async Task TakeAsync(Func<Task<Answer>> send) => (await Eventually.BecomesAsync(send, answer => answer.Status is not HttpStatusCode.ServiceUnavailable)).AssertOk();

    private static string TimeOf(int i) => $"2025-10-18T10:{i / 60:00}:{i % 60:00}Z";
}
