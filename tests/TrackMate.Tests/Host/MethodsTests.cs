using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>What a known path does with methods it was not made for.</summary>
public sealed class MethodsTests(RunningServer running) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData("GET", "/api/events", "OPTIONS, POST")]
    [InlineData("PUT", "/api/profile", "OPTIONS, POST")]
    [InlineData("GET", "/api/webhooks/events", "POST")]
    [InlineData("POST", "/api/profiles", "GET, HEAD")]
    [InlineData("DELETE", "/api/sessions/s", "GET, HEAD")]
    [InlineData("PUT", "/api/profiles/000000000000000000000000", "DELETE, GET, HEAD")]
    [InlineData("OPTIONS", "/api/profiles", "GET, HEAD")]
    [InlineData("HEAD", "/api/webhooks/events", "POST")]
    [InlineData("GET", "/t/events", "OPTIONS, POST")]
    public async Task A_wrong_method_is_a_405_that_names_the_right_ones(string method, string path, string allowed)
    {
        using var request = new HttpRequestMessage(new(method), path);
        var answer = await Answer.OfAsync(await running.Http.SendAsync(request));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.Status);
        Assert.Equal(allowed, string.Join(", ", answer.Response.Content.Headers.Allow.Order()));
        Assert.Equal("application/problem+json", answer.Response.Content.Headers.ContentType?.MediaType);
        if (method == "HEAD") return;
        Assert.Contains($"{path} does not take {method} but ", answer["detail"]);
    }

    [Theory]
    [InlineData("PUT", "/login", "GET, HEAD, POST")]
    [InlineData("DELETE", "/", "GET, HEAD")]
    [InlineData("POST", "/trackmate.js", "GET, HEAD, OPTIONS")]
    [InlineData("POST", "/openapi/v1.json", "GET, HEAD")]
    [InlineData("POST", "/health/live", "GET, HEAD")]
    public async Task So_it_is_at_every_other_address(string method, string path, string allowed)
    {
        using var answer = await SendAsync(new(method), path);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(allowed, string.Join(", ", answer.Content.Headers.Allow.Order()));
    }

    [Fact]
    public async Task An_unknown_path_of_the_API_is_a_404_with_a_problem()
    {
        var answer = await Answer.OfAsync(await running.Http.GetAsync("/api/nothing/here"));

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.Equal("There is nothing at /api/nothing/here; see /docs.", answer["detail"]);
    }

    [Theory]
    [InlineData("/trackmate.js")]
    [InlineData("/t/script.js")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    [InlineData("/api/profiles")]
    [InlineData("/api/audit")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    [InlineData("/docs/scalar.js")]
    [InlineData("/login")]
    [InlineData("/")]
    [InlineData("/c/TM-SHOP99/people")]
    [InlineData("/c/TM-SHOP99/live/events")]
    [InlineData("/c/TM-SHOP99/act/do")]
    [InlineData("/api/profiles/000000000000000000000000")]
    [InlineData("/api/nothing")]
    [InlineData("/nowhere")]
    [InlineData("/assets/nothing.css")]
    public async Task HEAD_is_GET_without_the_body(string path)
    {
        using var head = await SendAsync(HttpMethod.Head, path);
        using var get = await SendAsync(HttpMethod.Get, path);

        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.NotEqual(HttpStatusCode.MethodNotAllowed, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(get.Headers.Location, head.Headers.Location);
        Assert.Equal(get.Headers.CacheControl, head.Headers.CacheControl);
        // What was sent, not what the client makes of it.
        if (head.Content.Headers.NonValidated.TryGetValues("Content-Length", out var announced)) Assert.Equal(get.Content.Headers.NonValidated["Content-Length"].ToString(), announced.ToString());
    }

    [Fact]
    public async Task HEAD_of_the_live_stream_ends()
    {
        using var member = new DashboardClient();
        await member.LogInAsync(running.Server);
        using var answer = await member.HeadAsync(running.Server, "/c/TM-SHOP99/live/events");
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        foreach (var page in new[] { "/", "/c/TM-SHOP99/people", "/c/TM-SHOP99/get-started", "/c/TM-SHOP99/live" })
        {
            using var head = await member.HeadAsync(running.Server, page);
            using var get = await member.GetAsync(running.Server, page);
            Assert.Equal((get.StatusCode, get.Headers.Location, get.Content.Headers.ContentType), (head.StatusCode, head.Headers.Location, head.Content.Headers.ContentType));
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
        return await running.Http.SendAsync(request);
    }
}
