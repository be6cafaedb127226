using System.Text.RegularExpressions;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary>The journey played against a running server, and drawn from what the server answers.</summary>
public sealed partial class DemoCommandTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Drawing = """
        Profile: Sarah Johnson (sarah@example.com)
        ID: <id>
        Company: TM-SHOP99

        ┌─────────────────────────────────────────────────────┐
        │ CLIENT-SIDE EVENTS (Browser - session_172926...)    │
        ├─────────────────────────────────────────────────────┤
        │ 10:00  page_view           Homepage                 │
        │ 10:05  add_to_cart         Wireless Headphones      │
        │ 10:08  user_registered     Account created          │
        │ 10:10  checkout_started    Cart: $79.99             │
        └─────────────────────────────────────────────────────┘

        ┌─────────────────────────────────────────────────────┐
        │ SERVER-SIDE EVENTS (Webhooks - webhook_17607...)    │
        ├─────────────────────────────────────────────────────┤
        │ 10:12  payment_processed   Stripe - $79.99          │
        │ 10:15  order_shipped       USPS - Track: 12345      │
        │ 10:16  email_delivered     Order confirmation       │
        └─────────────────────────────────────────────────────┘

        Total Revenue: $79.99
        Total Events: 7
        Sessions: 2 (1 client, 1 server)
        Last Active: 10:16 AM

        """;

    private readonly CommandLineRunner trackmate = new(running.Server);

    [Fact]
    public async Task Twice_is_as_good_as_once_and_leaves_no_key_behind()
    {
        Assert.Equal(Drawing, WithoutId(await trackmate.DoAsync("demo")));
        Assert.Equal(Drawing, WithoutId(await trackmate.DoAsync("demo")));

        var keys = (await trackmate.DoAsync("key list --company TM-SHOP99 --json")).Split("\"number\"").Skip(1).ToList();
        Assert.All(keys.Where(key => key.Contains("demo", StringComparison.Ordinal)), key => Assert.Matches("\"revokedAt\": \"20", key));
        Assert.Equal(2, keys.Count(key => key.Contains("demo", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_a_key_it_needs_no_data_folder()
    {
        using var elsewhere = new CommandLineRunner();

        var drawn = await elsewhere.DoAsync($"demo --url {running.Server.Address} --company {ServerProcess.CompanyId} --api-key {ServerProcess.ApiKey}");

        Assert.Equal(Drawing, WithoutId(drawn));
        Assert.False(Directory.Exists(elsewhere.DataFolder));
    }

    [NoStore]
    [Fact]
    public async Task What_goes_wrong_is_said_in_a_sentence()
    {
        using var elsewhere = new CommandLineRunner();
        await elsewhere.DoAsync("company add TM-SHOP99");

        Assert.StartsWith("No server answers at http://127.0.0.1:9/", await elsewhere.FailAsync("demo --url http://127.0.0.1:9", 1));
        Assert.Contains("does not work on", await elsewhere.FailAsync($"demo --url {running.Server.Address}", 1));
        Assert.StartsWith("/api/events was rejected with 401: company_id is unknown", await elsewhere.FailAsync($"demo --url {running.Server.Address} --company TM-NOBODY --api-key {ServerProcess.ApiKey}", 1));
        Assert.StartsWith("--url: 'nowhere' is not the address of a server", await elsewhere.FailAsync("demo --url nowhere", 2));
    }

    /// <summary>What a shop has sent about the same person stays out of the drawing, and the journey out of the shop's company.</summary>
    [Fact]
    public async Task It_plays_into_a_company_of_its_own()
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_COMPANY"] = "TM-MYSHOP" });
        (await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("payment_processed", new { amount = 1, currency = "EUR" }, email: "sarah@example.com")).AssertOk();
        var beside = new CommandLineRunner(server) { Environment = { ["TRACKMATE_API_KEY"] = ServerProcess.ApiKey } };

        Assert.Equal(Drawing, WithoutId(await beside.DoAsync("demo")));

        var mine = (await new ShopBackend(server.Http, ServerProcess.ApiKey).ProfileOfAsync("sarah@example.com"))!;
        Assert.Equal(1, (int)mine["totals"]!["events"]!);
    }

    private static string WithoutId(string drawn) => IdLine().Replace(drawn, "ID: <id>");

    [GeneratedRegex("ID: [0-9a-f]{24}")]
    private static partial Regex IdLine();
}
