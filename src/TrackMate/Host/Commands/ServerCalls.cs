using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Sql;

namespace TrackMate.Host.Commands;

/// <summary>Calls a running server over HTTP. If the server rejects a call, the command ends with the server's own sentence.</summary>
/// <param name="engine">The store that the server is expected to use.</param>
internal sealed class ServerCalls(Uri address, Engine engine) : IDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };

    /// <exception cref="CommandFailedException">Nothing answers at the address, or it is not TrackMate.</exception>
    public async Task CheckAsync(CancellationToken cancel)
    {
        using var answer = await CallAsync(new(HttpMethod.Get, "/health/live"), cancel);
        if (!answer.IsSuccessStatusCode) throw new CommandFailedException($"The server at {address} is not TrackMate; give the address of your server with --url.");
    }

    /// <summary>Waits until the server accepts a key that this command has just created.</summary>
    /// <exception cref="CommandFailedException">The server does not accept the key, so it uses another store.</exception>
    public async Task AwaitKeyAsync(string key, TimeSpan patience, CancellationToken cancel)
    {
        for (var waited = TimeSpan.Zero; waited < patience; waited += Again)
        {
            using var answer = await CallAsync(WithKey(new(HttpMethod.Get, "/api/profiles?limit=1"), key), cancel);
            if (answer.StatusCode is not HttpStatusCode.Unauthorized) return;
            await Task.Delay(Again, TimeProvider.System, cancel);
        }

        if (patience > TimeSpan.Zero)
            throw new CommandFailedException($"The server at {address} does not work on {engine.Place}; {engine.HowToFind}, or give --api-key.");
    }

    /// <exception cref="CommandFailedException">The server rejected the call.</exception>
    public async Task SendAsync(string path, string json, string? key, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using var answer = await CallAsync(key is null ? request : WithKey(request, key), cancel);
        await TakeAsync(answer, path, cancel);
    }

    /// <exception cref="CommandFailedException">The server rejected the call.</exception>
    public async Task<T> ReadAsync<T>(string path, string key, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var answer = await CallAsync(WithKey(new(HttpMethod.Get, path), key), cancel);
        return JsonSerializer.Deserialize(await TakeAsync(answer, path, cancel), type)!;
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage WithKey(HttpRequestMessage request, string key)
    {
        request.Headers.TryAddWithoutValidation(ApiKey.Header, key);
        return request;
    }

    private async Task<HttpResponseMessage> CallAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                return await http.SendAsync(request, cancel);
            }
            catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
            {
                throw new CommandFailedException($"No server answers at {address} ({e.Message.TrimEnd('.')}); start one with: trackmate serve");
            }
        }
    }

    private static async Task<string> TakeAsync(HttpResponseMessage answer, string path, CancellationToken cancel)
    {
        var body = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? body : throw new CommandFailedException($"{path} was rejected with {(int)answer.StatusCode}: {DetailOf(body)}");
    }

    private static string DetailOf(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, JsonAnswer.Problems.Problem)?.Detail ?? body;
        }
        catch (JsonException)
        {
            return body;
        }
    }
}
