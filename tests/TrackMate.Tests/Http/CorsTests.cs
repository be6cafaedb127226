using System.Net;
using System.Text;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Http;

/// <summary>What a browser asks before it sends for a page, and what the page may read of each answer.</summary>
[NoStore]
public sealed class CorsTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>The public calls, and their aliases with neutral names.</summary>
    public static TheoryData<string> Paths => ["/api/events", "/api/profile", "/t/events", "/t/profile"];

    /// <summary>Headers that tracing, monitoring and proxies add to every request of a page, and some that nobody has thought of.</summary>
    public static TheoryData<string> Headers =>
    [
        "content-type", "content-encoding,content-type", "traceparent", "tracestate", "traceparent,tracestate", "baggage,sentry-trace", "sentry-trace, baggage, content-type",
        "newrelic,traceparent,tracestate", "x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id", "b3", "x-b3-traceid,x-b3-spanid,x-b3-sampled", "elastic-apm-traceparent", "x-instana-t,x-instana-s,x-instana-l",
        "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "request-id,request-context", "x-requested-with", "authorization", "x-csrf-token,x-xsrf-token", "cache-control,pragma", "dnt", "idempotency-key", "range",
        "x-trackmate-api-key", "Content-Type, X-Some-Header", "x-!#$%&'*+.^_`|~", string.Join(',', Enumerable.Range(0, 100).Select(n => $"x-header-{n}")), string.Join(',', Enumerable.Range(0, 900).Select(n => $"x-header-{n}")),
    ];

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task Every_request_header_passes(string headers)
    {
        foreach (var path in Paths.Select(row => row.Data))
        {
            using var answer = await PreflightAsync(path, "POST", headers);
            var allowed = HeaderOf(answer, "Access-Control-Allow-Headers");
            Assert.True(allowed.Length <= 4096, $"{allowed.Length} characters of headers are allowed.");
            foreach (var header in headers.Split(',', StringSplitOptions.TrimEntries)) Assert.True(Allows(allowed, header), $"{header} is not in {allowed}");
            Assert.Equal("86400", HeaderOf(answer, "Access-Control-Max-Age"));
            AssertReadableByPages(answer);
        }
    }

    /// <summary>The page then learns from the answer itself that the call takes another method.</summary>
    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("GET")]
    [InlineData("SOMETHING")]
    public async Task Every_method_passes_and_what_is_not_taken_is_a_405_that_the_page_can_read(string method)
    {
        foreach (var path in Paths.Select(row => row.Data))
        {
            using var preflight = await PreflightAsync(path, method, "traceparent");
            Assert.Contains(method, HeaderOf(preflight, "Access-Control-Allow-Methods").Split(", "));
            Assert.Contains("POST", HeaderOf(preflight, "Access-Control-Allow-Methods").Split(", "));
            AssertReadableByPages(preflight);
            if (method == "POST") continue;

            using var request = new HttpRequestMessage(new(method), path);
            request.Headers.Add("Origin", "https://shop.com");
            using var response = await running.Http.SendAsync(request);
            var answer = await Answer.OfAsync(response);
            answer.AssertRefused(405);
            Assert.Equal(["OPTIONS", "POST"], response.Content.Headers.Allow.Order());
            AssertReadableByPages(response);
        }
    }

    [Theory]
    [InlineData("https://a.b")]
    [InlineData("null")]
    [InlineData("capacitor://localhost")]
    [InlineData("http://[::1]:3000")]
    [InlineData(null)]
    public async Task Every_origin_passes(string? origin)
    {
        using var answer = await PreflightAsync("/api/events", "POST", "content-type", origin);
        AssertReadableByPages(answer);
    }

    [Fact]
    public async Task A_preflight_that_asks_for_nothing_passes()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/events");
        using var answer = await running.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("OPTIONS, POST", string.Join(", ", answer.Content.Headers.Allow.Order()));
        AssertReadableByPages(answer);
    }

    /// <summary>What is no list of headers is not echoed into an answer.</summary>
    [Theory]
    [InlineData("a\"b")]
    [InlineData("a;b")]
    [InlineData("<script>")]
    public async Task What_is_no_header_is_not_echoed(string headers)
    {
        using var answer = await PreflightAsync("/api/events", headers, headers);
        Assert.Equal("*, Authorization, Content-Type, Content-Encoding", HeaderOf(answer, "Access-Control-Allow-Headers"));
        Assert.Equal("POST", HeaderOf(answer, "Access-Control-Allow-Methods"));
    }

    [Fact]
    public async Task A_public_page_may_send_into_a_private_network()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/events");
        request.Headers.Add("Origin", "https://shop.com");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Private-Network", "true");
        using var answer = await running.Http.SendAsync(request);
        Assert.Equal("true", HeaderOf(answer, "Access-Control-Allow-Private-Network"));

        using var other = await PreflightAsync("/api/events", "POST", "content-type");
        Assert.False(other.Headers.Contains("Access-Control-Allow-Private-Network"));
    }

    [Fact]
    public async Task A_page_can_read_that_it_sends_too_much()
    {
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_RATE_LIMIT"] = "1" });
        foreach (var path in Paths.Select(row => row.Data))
        {
            var shopper = new Shopper(server.Http, ServerProcess.CompanyId) { Origin = "https://shop.com" };
            for (var sent = 0; ; sent++)
            {
                var answer = await shopper.SendAsync(path, "{}");
                AssertReadableByPages(answer.Response);
                if (answer.Status is HttpStatusCode.TooManyRequests) break;
                Assert.True(sent < 1000, "Nothing limits it.");
            }
        }
    }

    /// <summary>Back ends have no origin, and nobody gives their key to a page.</summary>
    [Fact]
    public async Task No_preflight_passes_for_the_calls_with_a_key()
    {
        foreach (var path in new[] { "/api/webhooks/events", "/api/profiles", "/api/audit" })
        {
            using var answer = await PreflightAsync(path, "POST", "x-trackmate-api-key");
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        }
    }

    /// <summary>Names that blockers do not list, for a path of the shop's own site.</summary>
    [Fact]
    public async Task The_aliases_are_the_same_calls()
    {
        var shopper = running.NewShopper();
        string Body(string more) => $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}",{{more}}}""";
        Assert.Equal("1", (await shopper.SendAsync("/t/events", Body("\"eventType\":\"page_view\",\"eventId\":\"" + RunningServer.Unique() + "\""))).AssertOk()["accepted"]);
        var email = RunningServer.Unique() + "@example.com";
        var profileId = (await shopper.SendAsync("/t/profile", Body($"\"email\":\"{email}\""))).AssertOk()["profileId"]!;
        Assert.Equal(2, (await running.Backend.TimelineAsync(profileId)).Count);
        (await shopper.SendAsync("/t/events", "{}")).AssertRefused(422, "company_id");

        var script = await running.Http.GetByteArrayAsync("/t/script.js");
        Assert.Equal(await running.Http.GetByteArrayAsync("/trackmate.js"), script);
        Assert.Contains("trackmate", Encoding.UTF8.GetString(script), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<HttpResponseMessage> PreflightAsync(string path, string method, string headers, string? origin = "https://shop.com")
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        if (origin is not null) request.Headers.Add("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", method);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", headers);
        return await running.Http.SendAsync(request);
    }

    /// <summary>As the Fetch standard reads it, without credentials: a name, or <c>*</c> for all but Authorization.</summary>
    private static bool Allows(string allowed, string header)
    {
        var names = allowed.Split(',', StringSplitOptions.TrimEntries);
        return names.Contains(header, StringComparer.OrdinalIgnoreCase) || (names.Contains("*") && !header.Equals("authorization", StringComparison.OrdinalIgnoreCase));
    }

    private static string HeaderOf(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));

    private static void AssertReadableByPages(HttpResponseMessage response)
    {
        Assert.Equal("*", HeaderOf(response, "Access-Control-Allow-Origin"));
        Assert.Equal("Retry-After", HeaderOf(response, "Access-Control-Expose-Headers"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }
}
