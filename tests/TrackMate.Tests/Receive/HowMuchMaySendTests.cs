using System.Net;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Limits per address and quotas per company, and whose address counts.</summary>
public sealed class HowMuchMaySendTests
{
    private const int Limit = 5;

    /// <summary>So many at once that no machine is slow enough for a limit of five a second to let them all pass.</summary>
    private const int Crowd = 300;

    [Fact]
    public async Task An_address_that_sends_too_much_is_told_when_to_go_on()
    {
        await using var server = await LimitedAsync();
        var answers = await CrowdAsync(server, _ => null);
        var refused = answers.Where(answer => answer.Status is HttpStatusCode.TooManyRequests).ToList();
        Assert.NotEmpty(refused);
        Assert.True(answers.Count(answer => answer.Status is HttpStatusCode.OK) >= Limit);
        foreach (var answer in refused)
        {
            answer.AssertRefused(429);
            AssertRetryAfter(answer, atMostSeconds: 60);
            Assert.Equal("*", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Contains("Retry-After", answer.Response.Headers.GetValues("Access-Control-Expose-Headers").Single());
        }

        // Nothing of what was refused is stored, all of what was taken is.
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var stored = (await backend.GetAsync($"/api/sessions/crowd?limit=1000")).Body!["events"]!.AsArray().Count;
        Assert.Equal(answers.Count(answer => answer.Status is HttpStatusCode.OK), stored);

        // A back end with its key is not a browser: no limit of its address.
        for (var i = 0; i < 3 * Limit; i++) (await backend.WebhookAsync("a", email: "a@example.com")).AssertOk();
    }

    [Fact]
    public async Task A_forwarded_address_is_believed_from_a_trusted_proxy()
    {
        await using var server = await LimitedAsync(trusted: "127.0.0.1");
        var answers = await CrowdAsync(server, i => $"198.51.{i / 250}.{i % 250}");
        Assert.All(answers, answer => answer.AssertOk());

        // Through two trusted proxies the visitor's own address counts still; what the visitor wrote before it does not.
        answers = await CrowdAsync(server, i => $"203.0.{i / 250}.{i % 250}, 127.0.0.1");
        Assert.All(answers, answer => answer.AssertOk());
        answers = await CrowdAsync(server, i => $"192.0.{i / 250}.{i % 250}, 198.18.0.1");
        Assert.Contains(answers, answer => answer.Status is HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task A_forwarded_address_is_not_believed_from_anyone_else()
    {
        await using var server = await LimitedAsync();
        var answers = await CrowdAsync(server, i => $"198.51.{i / 250}.{i % 250}");
        Assert.Contains(answers, answer => answer.Status is HttpStatusCode.TooManyRequests);
    }

    /// <summary>A household has a network of 64 bits: its addresses are one sender, and its neighbour's are another.</summary>
    [Fact]
    public async Task An_IPv6_network_counts_as_one_address()
    {
        await using var server = await LimitedAsync(trusted: "127.0.0.1");
        Assert.Contains(await CrowdAsync(server, i => $"2001:db8:0:1::{i + 1:x}"), answer => answer.Status is HttpStatusCode.TooManyRequests);
        Assert.All(await CrowdAsync(server, i => $"2001:db8:1:{i:x}::1"), answer => answer.AssertOk());
    }

    [Fact]
    public async Task A_quota_of_browsers_is_for_their_calls_and_nobody_elses()
    {
        await using var server = await ServerProcess.StartAsync();
        var shop = await Shop.OpenAsync(server, new() { BrowserEventsPerDay = 10 });
        var shopper = shop.NewShopper();
        var (taken, answer) = await UntilRefusedAsync(() => shopper.TrackAsync("page_view"));

        Assert.True(taken >= 10);
        foreach (var refused in new[] { answer, await shopper.IdentifyAsync("a@example.com") })
        {
            Assert.Contains("quota", refused.AssertRefused(429)["detail"]);
            AssertRetryAfter(refused, atMostSeconds: 86_400);
        }

        // What strangers sent uses up nothing of the back end's.
        Assert.Null(await shop.Backend.ProfileOfAsync("a@example.com"));
        (await shop.Backend.WebhookAsync("payment_processed", email: "b@example.com")).AssertOk();
        (await new Shopper(server.Http, ServerProcess.CompanyId).TrackAsync("page_view")).AssertOk();

        await shop.ChangeAsync(settings => settings with { BrowserEventsPerDay = null });
        (await shopper.TrackAsync("page_view")).AssertOk();
    }

    [Fact]
    public async Task A_quota_of_API_keys_is_for_them_and_not_for_browsers()
    {
        await using var server = await ServerProcess.StartAsync();
        var shop = await Shop.OpenAsync(server, new() { KeyEventsPerDay = 10 });
        var (taken, answer) = await UntilRefusedAsync(() => shop.Backend.WebhookAsync("a", email: "a@example.com"));

        Assert.True(taken >= 10);
        Assert.Contains("quota", answer.AssertRefused(429)["detail"]);
        AssertRetryAfter(answer, atMostSeconds: 86_400);
        (await shop.NewShopper().TrackAsync("page_view")).AssertOk();
        (await shop.NewShopper().IdentifyAsync("a@example.com")).AssertOk();
    }

    /// <summary>Settings that an earlier version wrote, or exported, have one limit of both together: it goes on for each.</summary>
    [Fact]
    public void The_one_quota_of_before_is_read_as_both()
    {
        var settings = CompanyRows.ReadSettings("""{"currency":"EUR","eventsPerDay":10}""");
        Assert.Equal((10L, 10L, "EUR"), (settings.BrowserEventsPerDay, settings.KeyEventsPerDay, settings.Currency));
        Assert.Equal(settings, CompanyRows.ReadSettings(CompanyRows.Write(settings)) with { AllowedOrigins = settings.AllowedOrigins, PaymentTypes = settings.PaymentTypes, RefundTypes = settings.RefundTypes, Placeholders = settings.Placeholders });
        Assert.Null(CompanyRows.ReadSettings("""{"eventsPerDay":null}""").KeyEventsPerDay);
    }

    /// <summary>What is stored is read again once a second, so some more are taken.</summary>
    private static async Task<(int Taken, Answer Refused)> UntilRefusedAsync(Func<Task<Answer>> send)
    {
        for (var taken = 0; taken < 100_000; taken++)
        {
            if (await send() is { Status: not HttpStatusCode.OK } refused) return (taken, refused);
        }

        throw new InvalidOperationException("The quota never came into force.");
    }

    private static Task<ServerProcess> LimitedAsync(string? trusted = null) => ServerProcess.StartAsync(settings: new Dictionary<string, string?>
    {
        ["TRACKMATE_RATE_LIMIT"] = Limit.ToString(),
        ["TRACKMATE_TRUSTED_PROXIES"] = trusted,
    });

    private static async Task<Answer[]> CrowdAsync(ServerProcess server, Func<int, string?> forwardedFor) =>
        await Task.WhenAll(Enumerable.Range(0, Crowd).Select(i => new Shopper(server.Http, ServerProcess.CompanyId, "crowd") { ForwardedFor = forwardedFor(i) }.TrackAsync("page_view")));

    private static void AssertRetryAfter(Answer answer, int atMostSeconds)
    {
        var seconds = int.Parse(answer.Response.Headers.GetValues("Retry-After").Single());
        Assert.InRange(seconds, 1, atMostSeconds);
    }
}
