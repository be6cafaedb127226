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
    public async Task A_wrong_method_is_a_405_that_names_the_right_ones(string method, string path, string allowed)
    {
        using var request = new HttpRequestMessage(new(method), path);
        var answer = await Answer.OfAsync(await running.Http.SendAsync(request));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.Status);
        Assert.Equal(allowed, string.Join(", ", answer.Response.Content.Headers.Allow.Order()));
        Assert.Equal("application/problem+json", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Contains($"{path} does not take {method} but ", answer["detail"]);
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
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/api/profiles")]
    public async Task HEAD_is_GET_without_the_body(string path)
    {
        using var head = await SendAsync(HttpMethod.Head, path);
        using var get = await SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.NotEmpty(await get.Content.ReadAsByteArrayAsync());
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
        return await running.Http.SendAsync(request);
    }
}
