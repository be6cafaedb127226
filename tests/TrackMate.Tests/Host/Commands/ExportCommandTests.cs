using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary><c>trackmate export</c> and <c>import</c>, and the call that exports one person, beside a running server.</summary>
public sealed class ExportCommandTests(RunningServer running) : IClassFixture<RunningServer>, IDisposable
{
    private readonly CommandLineRunner trackmate = new(running.Server);
    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-export-").FullName;

    public void Dispose()
    {
        trackmate.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_company_goes_to_another_store_and_keeps_its_ids_with_its_secret()
    {
        var shop = await running.NewShopAsync(new() { Currency = "EUR" });
        var profile = await TellAsync(shop);
        var file = Path.Combine(folder, "shop.ndjson");
        await trackmate.DoAsync($"export --company {shop.CompanyId} --with-secret --out {file}");
        Assert.Contains("exists already", await trackmate.FailAsync($"export --company {shop.CompanyId} --out {file}", 1));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

        await using var other = await ServerProcess.StartAsync();
        using var beside = new CommandLineRunner(other);
        var backend = new ShopBackend(other.Http, ServerProcess.ApiKey);
        Assert.Contains("5 messages stored, 0 there already", await beside.DoAsync($"import {file}"));

        // The server goes by the new secret and settings, and gives no number twice.
        var imported = await Eventually.BecomesAsync(() => backend.GetAsync($"/api/profiles/{profile}"), answer => answer.Status is HttpStatusCode.OK);
        var (before, after) = (await shop.Backend.ProfileAsync(profile), imported.AssertOk().Body!);
        after["company_id"] = before["company_id"]!.DeepClone();
        Assert.True(JsonNode.DeepEquals(before, after), $"{before}\n{after}");
        Assert.Equal(
            (await shop.Backend.TimelineAsync(profile)).Select(shown => shown.ToJsonString()),
            (await backend.TimelineAsync(profile)).Select(shown => shown.ToJsonString()));
        Assert.Contains("0 messages stored, 5 there already", await beside.DoAsync($"import {file}"));
        (await backend.WebhookAsync("order_shipped", email: "ann@shop.com", eventId: "later")).AssertOk();
        Assert.Equal(5, (await backend.TimelineAsync(profile)).Count);
        Assert.DoesNotContain("WRONG", await beside.DoAsync("doctor"));
    }

    [Fact]
    public async Task Without_the_secret_the_same_people_have_other_ids()
    {
        var shop = await running.NewShopAsync();
        var profile = await TellAsync(shop);
        var exported = await trackmate.DoAsync($"export --company {shop.CompanyId}");
        Assert.DoesNotContain("secret", exported);
        var copy = RunningServer.Unique("TM-");
        await trackmate.DoAsync($"company add {copy}");
        await trackmate.DoAsync($"import - --company {copy}", input: exported);

        var again = await trackmate.DoAsync($"export --company {copy}");
        Assert.Equal(exported.Split('\n').Skip(1), again.Split('\n').Skip(1));
        using var registry = StoreUnderTest.In(running.Server.DataFolder).MakeRegistry(TimeProvider.System);
        Assert.NotEqual(profile, Identifier.Email(registry.Find(copy)!, "ann@shop.com").Id.ToString());
    }

    [Fact]
    public async Task A_person_is_exported_by_the_call_and_the_verb_alike_and_to_nobody_else()
    {
        var shop = await running.NewShopAsync();
        var profile = await TellAsync(shop);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/profiles/{profile}/export");
        request.Headers.Add("X-TrackMate-API-Key", shop.ApiKey);
        using var answer = await running.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal($"attachment; filename=\"{profile}.ndjson\"", answer.Content.Headers.GetValues("Content-Disposition").Single());
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(["profile", "event", "identify", "event", "event"], lines.Select(line => line["type"]!.ToString()));
        Assert.DoesNotContain("bob@shop.com", text);
        Assert.Contains("\"eventData\":{ \"orderId\" : \"o1\", \"amount\":7.50 }", text);
        var verb = await trackmate.DoAsync($"export --company {shop.CompanyId} --external-id 42");
        Assert.Equal(text.Split('\n').Skip(1), verb.Split('\n').Skip(1));

        var stranger = await running.NewShopAsync();
        (await stranger.Backend.GetAsync($"/api/profiles/{profile}/export")).AssertRefused(404);
        (await new ShopBackend(running.Http, await shop.AddKeyAsync(Scopes.Read)).GetAsync($"/api/profiles/{profile}/export")).AssertRefused(403);
        Assert.Contains("has no such person", await trackmate.FailAsync($"export --company {shop.CompanyId} --email nobody@shop.com", 1));
    }

    [Theory]
    [InlineData("{\"eventType\":\"a\"}\n", "Line 1 cannot be imported")]
    [InlineData("{\"type\":\"act\",\"actId\":\"a\",\"kind\":5,\"identifier\":{\"kind\":\"email\",\"value\":\"a@b.co\"},\"atMs\":1760781600000,\"actor\":\"a\"}\n", "The first line is not that of an export")]
    [InlineData("not json\n", "Line 1 cannot be imported: it is not a line of an export")]
    public async Task What_is_no_export_is_refused_with_a_sentence(string input, string sentence)
    {
        var shop = await running.NewShopAsync();
        Assert.Contains(sentence, await trackmate.FailAsync($"import - --company {shop.CompanyId}", 1, input));
    }

    /// <returns>The profile of Ann: an event, an identify, a payment and an event by her session; somebody else has one event.</returns>
    private static async Task<string> TellAsync(Shop shop)
    {
        var ann = shop.NewShopper("session_1729260000_ann");
        (await ann.TrackAsync("page_view", new { address = "https://shop.com/" }, at: "2025-10-18T10:00:00Z", eventId: "a1")).AssertOk();
        (await ann.IdentifyAsync("ann@shop.com", name: "Ann", at: "2025-10-18T10:05:00Z", eventId: "a2")).AssertOk();
        (await shop.Backend.PostAsync("/api/webhooks/events", """
            {"identifier":{"email":"Ann@Shop.com","externalId":42},"eventType":"payment_processed","eventData":{ "orderId" : "o1", "amount":7.50 },"timestamp":"2025-10-18T10:06:00Z","eventId":"a3"}
            """)).AssertOk();
        (await shop.Backend.WebhookAsync("order_shipped", sessionId: "session_1729260000_ann", at: "2025-10-18T10:07:00Z", eventId: "a4")).AssertOk();
        (await shop.Backend.WebhookAsync("order_shipped", email: "bob@shop.com", at: "2025-10-18T10:08:00Z", eventId: "b1")).AssertOk();
        return (await shop.Backend.ProfileOfAsync("ann@shop.com"))!["id"]!.ToString();
    }
}
