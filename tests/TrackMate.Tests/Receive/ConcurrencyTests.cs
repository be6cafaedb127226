using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Many at once, on one identifier.</summary>
public sealed class ConcurrencyTests(RunningServer running) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task A_thousand_identifies_of_one_email_at_once_make_one_profile()
    {
        var shop = await running.NewShopAsync();
        var shoppers = Enumerable.Range(0, 1000).Select(_ => shop.NewShopper(RunningServer.Unique("session_1729260000_"))).ToList();
        var answers = await Task.WhenAll(shoppers.Select(async (shopper, i) =>
        {
            await TakenAsync(() => shopper.TrackAsync("page_view", at: "2025-10-18T10:00:00Z", eventId: $"e{i}"));
            return await TakenAsync(() => shopper.IdentifyAsync(i % 2 == 0 ? "sarah@example.com" : " Sarah@EXAMPLE.com ", at: $"2025-10-18T10:{i / 60 % 60:00}:{i % 60:00}Z", eventId: $"i{i}"));
        }));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var id = Assert.Single(answers.Select(answer => answer["profileId"]).Distinct());
        var profile = Assert.Single((await shop.Backend.GetAsync("/api/profiles")).Body!["profiles"]!.AsArray())!;
        Assert.Equal((id, 1001, 1000), (profile["id"]!.ToString(), (int)profile["totals"]!["events"]!, (int)profile["totals"]!["sessions"]!["client"]!));
    }

    /// <summary>As the SDK does: how fast the machine is must not show in what is stored.</summary>
    private static async Task<Answer> TakenAsync(Func<Task<Answer>> send)
    {
        var answer = await send();
        while (answer.Status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            answer = await send();
        }

        return answer;
    }

    /// <summary>An address that a back end uses for everybody makes neither one person of them nor work that grows with them.</summary>
    [Fact]
    public async Task Everybodys_address_joins_nobody_and_is_alarmed()
    {
        var shop = await running.NewShopAsync();
        var events = new System.Text.Json.Nodes.JsonArray([.. Enumerable.Range(0, 400).Select(i => (System.Text.Json.Nodes.JsonNode)new System.Text.Json.Nodes.JsonObject
        {
            ["identifier"] = new System.Text.Json.Nodes.JsonObject { ["email"] = "noreply@example.com", ["externalId"] = $"customer-{i}" },
            ["eventType"] = "order_placed",
            ["timestamp"] = $"2025-10-18T10:{i / 60:00}:{i % 60:00}Z",
        })]);
        var answer = (await shop.Backend.PostAsync("/api/webhooks/events", new System.Text.Json.Nodes.JsonObject { ["events"] = events })).AssertOk();
        var results = answer.Body!["results"]!.AsArray();
        Assert.Equal(["two_externalids"], results[50]!["warnings"]!.AsArray().Select(warning => warning!.ToString()));
        Assert.Equal(["too_many_joins"], results[399]!["warnings"]!.AsArray().Select(warning => warning!.ToString()));
        Assert.Equal(2, (await shop.Backend.ProfileOfAsync("noreply@example.com"))!["identifiers"]!.AsArray().Count);
        Assert.Single((await shop.Backend.GetAsync("/api/profiles?externalId=customer-399")).Body!["profiles"]![0]!["identifiers"]!.AsArray());
    }
}
