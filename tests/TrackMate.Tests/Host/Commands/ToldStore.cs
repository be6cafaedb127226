using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary>
/// An embedded store of two companies: the journey, several sessions, a join by a webhook, a merge and a claim revoked, money, repeats, refusals, a token key, and one
/// who was erased. It is told once for a class of tests; each has a copy.
/// </summary>
public sealed class ToldStore : IAsyncLifetime
{
    public const string Other = "TM-OTHER";

    private readonly CommandLineRunner trackmate = new();

    /// <summary>Both companies as <see cref="ExportsAsync"/> has them.</summary>
    public string Exports { get; private set; } = "";

    /// <summary>What the server shows of them, as <see cref="ShownAsync"/> has it.</summary>
    public string Shown { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        trackmate.Environment["TRACKMATE_DATABASE"] = null;
        await using (var server = await ServerProcess.StartAsync(trackmate.DataFolder, new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = null }))
        {
            trackmate.Environment["TRACKMATE_URLS"] = server.Address.ToString();
            await TellAsync(server);
            Shown = await ShownAsync(server);
            await server.StopAsync();
        }

        Exports = await ExportsAsync(trackmate, trackmate.DataFolder, null);
    }

    public ValueTask DisposeAsync()
    {
        trackmate.Dispose();
        return ValueTask.CompletedTask;
    }

    public void CopyTo(string dataFolder) => Running.Commands.Run("cp", ["-a", trackmate.DataFolder, dataFolder], "copy a folder");

    /// <summary>Whole, with the secrets, but for the moment at which they were made.</summary>
    public static async Task<string> ExportsAsync(CommandLineRunner trackmate, string dataFolder, string? database)
    {
        trackmate.Environment["TRACKMATE_DATA"] = dataFolder;
        trackmate.Environment["TRACKMATE_DATABASE"] = database;
        var exports = "";
        foreach (var company in new[] { ServerProcess.CompanyId, Other })
        {
            var lines = (await trackmate.DoAsync($"export --company {company} --with-secret")).Split('\n', 2);
            var about = JsonNode.Parse(lines[0])!.AsObject();
            Assert.True(about.Remove("exportedAt"), lines[0]);
            exports += $"{about.ToJsonString()}\n{lines[1]}";
        }

        trackmate.Environment.Remove("TRACKMATE_DATABASE");
        return exports;
    }

    /// <summary>Timelines and totals of all that were named, what is refused, and what operators did.</summary>
    public static async Task<string> ShownAsync(ServerProcess server)
    {
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var shown = new List<string>();
        foreach (var profile in (await backend.GetAsync("/api/profiles?limit=100")).AssertOk().Body!["profiles"]!.AsArray())
        {
            shown.Add(profile!.ToJsonString());
            shown.AddRange((await backend.TimelineAsync(profile["id"]!.ToString())).Select(line => line.ToJsonString()));
            shown.Add((await backend.GetAsync($"/api/profiles/{profile["id"]}/claims")).Text);
        }

        shown.Add((await backend.GetAsync("/api/events/a1")).AssertOk().Text);
        shown.Add((await backend.GetAsync("/api/audit")).AssertOk().Text);
        return string.Join('\n', shown);
    }

    private async Task TellAsync(ServerProcess server)
    {
        await trackmate.DoAsync($"demo --company {ServerProcess.CompanyId} --api-key {ServerProcess.ApiKey}");
        await trackmate.DoAsync($"company add {Other} --name \"Änother\"");
        await trackmate.DoAsync($"token-key add --company {Other} --kid first");
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var browser = new Shopper(server.Http, ServerProcess.CompanyId, "session_1729260000_ann") { UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" };
        (await browser.TrackAsync("page_view", new { title = "Grüße 🎧" }, "2025-10-19T10:00:00Z", "a1")).AssertOk();
        (await browser.TrackAsync("page_view", new { title = "Grüße 🎧" }, "2025-10-19T10:00:00Z", "a1")).AssertOk();
        (await browser.IdentifyAsync("ann@shop.com", "Ann", at: "2025-10-19T10:01:00Z", eventId: "a2")).AssertOk();
        (await browser.IdentifyAsync("bob@shop.com", "Bob", at: "2025-10-19T10:30:00Z", eventId: "a3")).AssertOk();
        (await backend.WebhookAsync("payment_processed", new { orderId = "o1", amount = 7.50, currency = "EUR" }, email: "ann@shop.com", externalId: "42", at: "2025-10-19T10:02:00Z", eventId: "a4")).AssertOk();
        (await backend.WebhookAsync("payment_refunded", new { orderId = "o1", amount = "2.25", currency = "EUR" }, externalId: "42", at: "2025-10-19T11:02:00Z", eventId: "a5")).AssertOk();
        (await backend.WebhookAsync("order_shipped", sessionId: "session_1729260000_ann", at: "2025-10-19T10:04:00Z", eventId: "a6")).AssertOk();
        (await backend.WebhookAsync("order_shipped", userId: "0123456789abcdef01234567", eventId: "a7")).AssertOk();
        (await backend.WebhookAsync("order_shipped", email: "gone@shop.com", eventId: "a8")).AssertOk();
        (await browser.TrackAsync("")).AssertRefused(422);
        (await backend.WebhookAsync("order_shipped", email: "nobody")).AssertRefused(422);
        var (ann, bob) = ((await backend.ProfileOfAsync("ann@shop.com"))!["id"]!.ToString(), (await backend.ProfileOfAsync("bob@shop.com"))!["id"]!.ToString());
        (await backend.PostAsync($"/api/profiles/{ann}/merge", new JsonObject { ["profileId"] = bob })).AssertOk();
        var claims = (await backend.GetAsync($"/api/profiles/{bob}/claims")).AssertOk().Body!["claims"]!.AsArray();
        (await backend.PostAsync($"/api/claims/{claims[0]!["id"]}/revoke", new JsonObject())).AssertOk();
        var key = (await trackmate.DoAsync($"key add --company {Other} --scopes all")).Trim();
        await Eventually.TrueAsync(async () => (await new ShopBackend(server.Http, key).WebhookAsync("order_shipped", email: "ann@shop.com", eventId: "a1")).Status is HttpStatusCode.OK, () => server.Output);
        await trackmate.DoAsync($"erase --company {ServerProcess.CompanyId} --email gone@shop.com --suppress --yes");
        (await backend.WebhookAsync("order_shipped", email: "gone@shop.com", eventId: "a9")).AssertRefused(422);
    }
}
