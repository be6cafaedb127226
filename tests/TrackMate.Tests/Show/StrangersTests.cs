using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>What a stranger, who knows only the public company_id, can make of a customer whom a back end knows.</summary>
public sealed class StrangersTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static string Email => RunningServer.Unique() + "@example.com";

    private static Task<Answer> ClaimAsync(Shop shop, Shopper stranger, string email, string? externalId = null, string? name = null, string at = "2025-10-18T12:00:00Z", string? eventId = null)
    {
        var body = new JsonObject { ["company_id"] = shop.CompanyId, ["sessionId"] = stranger.SessionId, ["email"] = email, ["timestamp"] = at };
        if (externalId is not null) body["externalId"] = externalId;
        if (name is not null) body["name"] = name;
        if (eventId is not null) body["eventId"] = eventId;
        return stranger.SendAsync("/api/profile", body);
    }

    private static async Task<JsonNode> ProfileAsync(Shop shop, string email) => (await shop.Backend.ProfileOfAsync(email))!;

    [Fact]
    public async Task A_name_says_who_stands_behind_it_and_a_back_end_when_it_saw_the_person()
    {
        var shop = await running.NewShopAsync();
        var email = Email;
        await shop.Backend.WebhookAsync("order_shipped", email: email, at: "2025-10-18T10:00:00Z");
        await shop.Backend.WebhookAsync("order_shipped", email: email, at: "2025-10-18T15:00:00Z");
        var stranger = shop.NewShopper();
        (await ClaimAsync(shop, stranger, email, name: "Mallory", at: "2000-01-02T00:00:00Z")).AssertOk();
        await stranger.TrackAsync("page_view", at: "2000-01-03T00:00:00Z");

        var profile = await ProfileAsync(shop, email);

        Assert.Equal(("Mallory", """{"name":"claimed"}"""), (profile["name"]!.ToString(), profile["traitTrust"]!.ToJsonString()));
        Assert.Equal("""{"firstSeen":"2025-10-18T10:00:00Z","lastActive":"2025-10-18T15:00:00Z"}""", profile["verified"]!.ToJsonString());
        Assert.Null((await ProfileAsync(shop, await OnlyClaimedAsync(shop)))["verified"]);
    }

    private static async Task<string> OnlyClaimedAsync(Shop shop)
    {
        var email = Email;
        await ClaimAsync(shop, shop.NewShopper(), email);
        return email;
    }

    [Fact]
    public async Task Bounds_keep_old_and_too_many_events_out_of_the_totals_of_whom_a_back_end_knows()
    {
        await using var server = await ServerProcess.StartAsync();
        using var trackmate = new CommandLineRunner(server);
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var (email, unknown) = (Email, Email);
        var today = TimeProvider.System.GetUtcNow().Date;
        string At(int minute) => $"{today:yyyy-MM-dd}T00:{minute:00}:00Z";
        await backend.WebhookAsync("order_shipped", email: email, at: At(0));
        foreach (var customer in new[] { email, unknown })
        {
            var stranger = new Shopper(server.Http, ServerProcess.CompanyId);
            await stranger.IdentifyAsync(customer, at: "2001-01-01T00:00:00Z");
            await stranger.TrackAsync("page_view", at: "2001-01-02T00:00:00Z");
            for (var i = 1; i <= 5; i++) await stranger.TrackAsync("page_view", at: At(i));
        }

        var before = (await backend.ProfileOfAsync(email))!;
        Assert.Equal(("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z", 8), (before["createdAt"]!.ToString(), before["firstSeen"]!.ToString(), (int)before["totals"]!["events"]!));
        await trackmate.DoAsync($"company set {ServerProcess.CompanyId} --max-event-age 30 --max-session-events 3");
        var after = await Eventually.BecomesAsync(async () => (await backend.ProfileOfAsync(email))!, profile => (int)profile["totals"]!["events"]! == 4);

        Assert.Equal((At(0), At(0), At(3)), (after["createdAt"]!.ToString(), after["firstSeen"]!.ToString(), after["lastActive"]!.ToString()));
        var timeline = await backend.TimelineAsync(after["id"]!.ToString());
        string[] Marked(string mark) => [.. timeline.Where(shown => shown["notCounted"]?.ToString() == mark).Select(shown => shown["timestamp"]!.ToString()).Order(StringComparer.Ordinal)];
        Assert.Equal(8, timeline.Count);
        Assert.Equal(["2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z"], Marked("too_old"));
        Assert.Equal([At(4), At(5)], Marked("too_many"));
        // Whom only browsers know is not bounded, and off again all counts.
        Assert.Equal(7, (int)(await backend.ProfileOfAsync(unknown))!["totals"]!["events"]!);
        Assert.Contains("at most 30 days old and 3 of a session on a day count", await trackmate.DoAsync($"company show {ServerProcess.CompanyId}"));
        await trackmate.DoAsync($"company set {ServerProcess.CompanyId} --max-event-age none --max-session-events none");
        await Eventually.BecomesAsync(async () => (await backend.ProfileOfAsync(email))!.ToJsonString(), profile => profile == before.ToJsonString());
        Assert.Contains("--max-event-age", await trackmate.FailAsync($"company set {ServerProcess.CompanyId} --max-event-age 0", 2));
    }

    [Fact]
    public async Task Claims_that_contradict_what_a_back_end_knows_are_warned_of_once()
    {
        var shop = await running.NewShopAsync();
        var (email, known, strange) = (Email, RunningServer.Unique(), RunningServer.Unique());
        await shop.Backend.WebhookAsync("order_shipped", email: email, externalId: known, at: "2025-10-18T10:00:00Z");
        var stranger = shop.NewShopper();
        (await ClaimAsync(shop, stranger, email, known, eventId: "agrees")).AssertOk();
        (await ClaimAsync(shop, stranger, email, strange, eventId: "contradicts")).AssertOk();
        (await ClaimAsync(shop, stranger, email, strange, eventId: "again", at: "2025-10-18T12:30:00Z")).AssertOk();
        // Nobody knows these.
        var other = Email;
        (await ClaimAsync(shop, stranger, other, RunningServer.Unique())).AssertOk();
        (await ClaimAsync(shop, stranger, other, RunningServer.Unique(), eventId: "unknown")).AssertOk();

        using var dashboard = new DashboardClient();
        await dashboard.LogInAsync(running.Server);
        using var answer = await dashboard.GetAsync(running.Server, $"/c/{shop.CompanyId}/ingestion?tab=warnings");
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Contains("contradicts", page);
        Assert.DoesNotContain("agrees", page);
        Assert.DoesNotContain(">again<", page);
        Assert.DoesNotContain(">unknown<", page);
    }
}
