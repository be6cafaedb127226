using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>Speaks to a running server as its senders and its operator do, and takes the time.</summary>
internal sealed class Sender : IDisposable
{
    private const string CompanyId = "TM-BENCH";

    private readonly HttpClient http;

    public Sender(Uri server, string apiKey)
    {
        http = new() { BaseAddress = server };
        http.DefaultRequestHeaders.Add("X-TrackMate-API-Key", apiKey);
    }

    /// <summary>Fills a session with events so far apart.</summary>
    public async Task FillAsync(string sessionId, int events, long apartMilliseconds)
    {
        for (var sent = 0; sent < events;)
        {
            var batch = new JsonArray();
            for (; batch.Count < 500 && sent < events; sent++)
                batch.Add(new JsonObject { ["eventType"] = "page_view", ["eventData"] = new JsonObject { ["address"] = "https://shop.example/" + sent }, ["timestamp"] = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_000 + (sent * apartMilliseconds)).ToString("O") });
            var answer = await PostAsync("/api/events", new JsonObject { ["company_id"] = CompanyId, ["sessionId"] = sessionId, ["events"] = batch });
            if (answer["accepted"]!.GetValue<int>() != batch.Count) throw new InvalidOperationException("Not every event was accepted.");
        }
    }

    public async Task<string> IdentifyAsync(string sessionId, string email) =>
        (await PostAsync("/api/profile", new JsonObject { ["company_id"] = CompanyId, ["sessionId"] = sessionId, ["email"] = email }))["profileId"]!.ToString();

    public async Task<JsonNode> PostAsync(string path, JsonNode body)
    {
        var answer = await http.PostAsJsonAsync(path, body);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync())! : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await ReadAsync(path))!;

    /// <summary>The answer as text: what it costs to parse it is not the server's.</summary>
    public Task<string> ReadAsync(string path) => http.GetStringAsync(path);

    public void Dispose() => http.Dispose();

    public static async Task<double> TimeAsync(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        await call();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    public static double MedianOf(List<double> times) => times.Order().ElementAt(times.Count / 2);

    /// <summary>A line with both medians, in milliseconds, and their ratio.</summary>
    public static void Print(string what, List<double> first, List<double> second) =>
        Console.WriteLine($"{what}: median {MedianOf(first):0.00} ms and {MedianOf(second):0.00} ms, {MedianOf(second) / MedianOf(first):0.00}×");
}
