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
        await using var schema = await PostgresSchema.CreateAsync();
        var settings = new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = schema.Connection };
        await using var one = await ServerProcess.StartAsync(settings: settings);
        await using var other = await ServerProcess.StartAsync(settings: settings);

        // One device that many people share. Each is known by nothing but this: what is written of one waits for nothing that is written of another.
        var guests = await Task.WhenAll(Enumerable.Range(0, Many).Select(i => TakeAsync(() =>
            new Shopper((i % 2 == 0 ? one : other).Http, ServerProcess.CompanyId, "session_1729260000_tablet").IdentifyAsync($"guest{i}@example.com", at: TimeOf(i), eventId: $"guest {i}"))));
        Assert.All(guests, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));

        var answers = await Task.WhenAll(Enumerable.Range(0, Many).SelectMany(i => new[]
        {
            // Each session begins on one server and is identified on the other; each event comes to both, as after an answer that was lost.
            TakeAsync(async () =>
            {
                var session = $"session_1729260000_{i}";
                await new Shopper(one.Http, ServerProcess.CompanyId, session).TrackAsync("page_view", at: TimeOf(i), eventId: $"view {i}");
                await new Shopper(other.Http, ServerProcess.CompanyId, session).TrackAsync("page_view", at: TimeOf(i), eventId: $"view {i}");
                return await new Shopper(other.Http, ServerProcess.CompanyId, session).IdentifyAsync("sarah@example.com", at: TimeOf(i), eventId: $"identify {i}");
            }),
            // And what a back end says of the same person.
            TakeAsync(() => new ShopBackend((i % 2 == 0 ? other : one).Http, ServerProcess.ApiKey)
                .WebhookAsync("order_placed", email: "sarah@example.com", externalId: "42", at: TimeOf(i), eventId: $"order {i}")),
        }));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var backend = new ShopBackend(other.Http, ServerProcess.ApiKey);
        var sarah = (await backend.ProfileOfAsync("sarah@example.com"))!;
        Assert.Equal(2, sarah["identifiers"]!.AsArray().Count);
        // Her page views and orders, and that she registered.
        Assert.Equal((2 * Many) + 1, (int)sarah["totals"]!["events"]!);
        Assert.Equal(Many, (int)sarah["totals"]!["sessions"]!["client"]!);

        using var trackmate = new CommandLineRunner(one);
        trackmate.Environment["TRACKMATE_DATABASE"] = schema.Connection;
        Assert.DoesNotContain("WRONG", await trackmate.DoAsync("doctor"));
    }

    private static Task<Answer> TakeAsync(Func<Task<Answer>> take) => Task.Run(take);

    private static string TimeOf(int i) => $"2025-10-18T10:{i / 60:00}:{i % 60:00}Z";
}
