using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Show;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Log-ins of a crowd, of somebody who logged out, and by another name of the server: none of it is trusted, and none keeps others waiting.</summary>
public sealed class LoginCrowdTests
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";

    private static readonly string Hash = FirstStart.HashPassword(ServerProcess.AdminPassword);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Under names that nobody has, and under the admin's own.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_admin_gets_in_while_a_crowd_elsewhere_logs_in(bool underTheAdminsName)
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_TRUSTED_PROXIES"] = "127.0.0.1" });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var answers = new List<HttpStatusCode>[30];
        var crowd = Task.WhenAll(Enumerable.Range(0, answers.Length).Select(async i =>
        {
            answers[i] = [];
            using var stranger = new DashboardClient("198.51.100.7");
            while (!over.IsCancellationRequested) answers[i].Add(await stranger.LogInAsync(server, "not the password", underTheAdminsName ? "admin" : $"nobody{i}-{answers[i].Count}"));
        }));
        await Eventually.TrueAsync(() => Task.FromResult(answers.All(answer => answer is { Count: > 0 })), () => "The crowd does not come in.");

        using var admin = new DashboardClient("203.0.113.9");
        var started = Stopwatch.GetTimestamp();
        // On a machine that is busy with other tests a check may take longer than anybody is left waiting; then it is said, and a person tries again.
        Assert.Equal(HttpStatusCode.Redirect, await Eventually.BecomesAsync(() => admin.LogInAsync(server), status => status is not HttpStatusCode.ServiceUnavailable));
        TestContext.Current.TestOutputHelper?.WriteLine($"The admin took {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms, the crowd was answered {answers.Sum(answer => answer.Count)} times.");

        await over.CancelAsync();
        await crowd;
        Assert.Subset(new HashSet<HttpStatusCode> { HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable }, answers.SelectMany(answer => answer).ToHashSet());
        Assert.Contains(HttpStatusCode.TooManyRequests, answers.SelectMany(answer => answer));
    }

    [Fact]
    public async Task One_address_has_a_few_log_ins_under_way_and_others_are_not_kept_waiting()
    {
        var checks = new PasswordChecks(new FakeTimeProvider());
        var crowd = Enumerable.Range(0, 40).Select(_ => TryAsync(checks, "198.51.100.7", ServerProcess.AdminPassword)).ToList();
        var elsewhere = TryAsync(checks, "203.0.113.9", ServerProcess.AdminPassword);

        Assert.True(await elsewhere);
        var answers = await Task.WhenAll(crowd);
        Assert.InRange(answers.Count(answer => answer is true), 1, PasswordChecks.MostOfAddress);
        Assert.Contains(null, answers);
        Assert.False(await TryAsync(checks, "198.51.100.7", "wrong"));
    }

    /// <summary>From as many addresses as one likes: who would wait too long is told so at once, and all that are let in are answered.</summary>
    [Fact]
    public async Task Who_would_wait_too_long_is_told_so()
    {
        var checks = new PasswordChecks(new FakeTimeProvider());
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => TryAsync(checks, $"198.51.100.{i}", ServerProcess.AdminPassword)));

        Assert.DoesNotContain(false, answers);
        Assert.Contains(true, answers);
        Assert.Contains(null, answers);
        Assert.True(await TryAsync(checks, "198.51.100.200", ServerProcess.AdminPassword));
    }

    [Fact]
    public async Task A_name_that_nobody_has_waits_for_nobody_and_delays_nobody()
    {
        var checks = new PasswordChecks(TimeProvider.System);
        var invented = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () =>
        {
            try
            {
                return await checks.IsRightAsync(IPAddress.Parse($"198.51.100.{i}"), $"nobody{i}", hash: null, "x");
            }
            catch (RejectionException)
            {
                return true;
            }
        })));

        Assert.DoesNotContain(true, invented);
        Assert.True(await TryAsync(checks, "203.0.113.9", ServerProcess.AdminPassword));
    }

    [Fact]
    public async Task Logging_out_ends_every_copy_of_the_cookie_and_no_other_login()
    {
        await using var server = await ServerProcess.StartAsync();
        using var person = new DashboardClient();
        using var colleague = new DashboardClient();
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(server));
        Assert.Equal(HttpStatusCode.Redirect, await colleague.LogInAsync(server));
        using var thief = person.Copy();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(thief, server));

        using var left = await person.LogOutAsync(server, server, People);
        Assert.Equal(HttpStatusCode.Redirect, left.StatusCode);

        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(thief, server));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(colleague, server));
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(server));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(person, server));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://trackmate.shop.com/")]
    public async Task The_host_that_a_request_names_is_neither_shown_nor_redirected_to(string? publicUrl)
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_PUBLIC_URL"] = publicUrl });
        using var person = new DashboardClient { Host = "evil.example" };

        foreach (var path in new[] { "/", People, "/login?returnUrl=" + People })
        {
            using var page = await person.GetAsync(server, path);
            if (page.StatusCode is HttpStatusCode.Redirect) Assert.StartsWith("/login", page.Headers.Location!.OriginalString);
            Assert.DoesNotContain("evil.example", await page.Content.ReadAsStringAsync(Cancel));
        }

        using var loggedIn = await person.SubmitAsync(server, server, "/login", ("_handler", "login"), ("name", "admin"), ("password", ServerProcess.AdminPassword), ("returnUrl", People));
        Assert.Equal(People, loggedIn.Headers.Location!.OriginalString);
        using var started = await person.GetAsync(server, $"/c/{ServerProcess.CompanyId}/get-started");
        var shown = await started.Content.ReadAsStringAsync(Cancel);
        Assert.DoesNotContain("evil.example", shown);
        Assert.Contains(publicUrl is null ? server.Address.ToString() + "trackmate.js" : "https://trackmate.shop.com/trackmate.js", shown);
        Assert.Equal(publicUrl is null, shown.Contains("data-address", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> StatusAsync(DashboardClient client, ServerProcess server)
    {
        using var page = await client.GetAsync(server, People);
        return page.StatusCode;
    }

    /// <returns>Whether the password was right; null where it was not looked at.</returns>
    private static Task<bool?> TryAsync(PasswordChecks checks, string address, string password) => Task.Run<bool?>(async () =>
    {
        try
        {
            return await checks.IsRightAsync(IPAddress.Parse(address), "admin", Hash, password);
        }
        catch (RejectionException refused) when (refused.Status is 429 or 503 && refused.RetryAfterSeconds is not null)
        {
            return null;
        }
    });
}
