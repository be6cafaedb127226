using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TrackMate.Receive;

namespace TrackMate.Tests.Browser;

/// <summary>Stands where the server's public calls are, writes down what comes, and answers as a test wants it; with the server's own cross-origin headers.</summary>
public sealed class ScriptedApi : IAsyncDisposable
{
    private readonly ConcurrentQueue<(int Status, int RetryAfterSeconds)> refusals = new();
    private readonly ConcurrentQueue<Request> requests = new();
    private readonly WebApplication app;

    private ScriptedApi()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.Run(Answer);
    }

    /// <param name="At">A time stamp of the system's time provider.</param>
    public sealed record Request(string Method, string Path, IReadOnlyDictionary<string, string> Headers, JsonNode? Body, long At)
    {
        public IEnumerable<JsonNode> Events => Body?["events"]?.AsArray().Select(each => each!) ?? [];
    }

    public string Address => app.Urls.First();

    public IReadOnlyList<Request> Requests => [.. requests];

    public static async Task<ScriptedApi> StartAsync()
    {
        var api = new ScriptedApi();
        await api.app.StartAsync();
        return api;
    }

    /// <summary>The next request is refused so; those after it, unless refused too, are taken.</summary>
    public void RefuseNext(int status, int retryAfterSeconds) => refusals.Enqueue((status, retryAfterSeconds));

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task Answer(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var text = await reader.ReadToEndAsync();
        var at = TimeProvider.System.GetTimestamp();
        requests.Enqueue(new(http.Request.Method, http.Request.Path, http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), text.Length > 0 ? JsonNode.Parse(text) : null, at));

        PublicCalls.AllowEveryOrigin(http);
        if (refusals.TryDequeue(out var refusal))
        {
            http.Response.StatusCode = refusal.Status;
            http.Response.Headers.RetryAfter = $"{refusal.RetryAfterSeconds}";
            return;
        }

        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(http.Request.Path == "/api/profile" ? """{"profileId":"0123456789abcdef01234567"}""" : """{"accepted":1,"duplicates":0}""");
    }
}
