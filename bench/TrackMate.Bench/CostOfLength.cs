using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>
/// What a long history costs: an identify of a session, and the first page of a timeline, with 100 events and with many. The two are measured in turn, so that a
/// drift of the machine meets both.
/// </summary>
internal static class CostOfLength
{
    private const int Short = 100;
    private const int Long = 100_000;
    private const int Rounds = 200;
    private const string CompanyId = "TM-BENCH";

    public static async Task<int> Run(Uri server, string apiKey)
    {
        using var http = new HttpClient { BaseAddress = server };
        http.DefaultRequestHeaders.Add("X-TrackMate-API-Key", apiKey);
        var run = Stopwatch.GetTimestamp();

        var identify = (Short: new List<double>(), Long: new List<double>());
        var timeline = (Short: new List<double>(), Long: new List<double>());
        var (shortSession, longSession) = ($"session_1_{run}s", $"session_1_{run}l");
        await Fill(http, shortSession, Short);
        await Fill(http, longSession, Long);
        for (var round = 0; round < Rounds; round++)
        {
            // Two people take turns, so each identify cuts the session anew.
            var email = $"{(round % 2 == 0 ? "a" : "b")}{run}@example.com";
            identify.Short.Add(await Time(() => Identify(http, shortSession, "s" + email)));
            identify.Long.Add(await Time(() => Identify(http, longSession, "l" + email)));
        }

        var shortProfile = await Identify(http, shortSession, $"sa{run}@example.com");
        var longProfile = await Identify(http, longSession, $"la{run}@example.com");
        for (var round = 0; round < Rounds; round++)
        {
            timeline.Short.Add(await Time(() => http.GetStringAsync($"/api/profiles/{shortProfile}/timeline")));
            timeline.Long.Add(await Time(() => http.GetStringAsync($"/api/profiles/{longProfile}/timeline")));
        }

        var profile = JsonNode.Parse(await http.GetStringAsync($"/api/profiles/{longProfile}"))!;
        Print($"identify, {Short} and {Long} events", identify.Short, identify.Long);
        Print($"first timeline page, {Short} and {Long} events", timeline.Short, timeline.Long);
        Console.WriteLine($"events counted on the long profile: {profile["totals"]!["events"]}");
        return 0;
    }

    private static async Task Fill(HttpClient http, string sessionId, int events)
    {
        for (var sent = 0; sent < events;)
        {
            var batch = new JsonArray();
            for (; batch.Count < 500 && sent < events; sent++)
                batch.Add(new JsonObject { ["eventType"] = "page_view", ["eventData"] = new JsonObject { ["address"] = "https://shop.example/" + sent }, ["timestamp"] = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_000 + (sent * 10L)).ToString("O") });
            var answer = await http.PostAsJsonAsync("/api/events", new JsonObject { ["company_id"] = CompanyId, ["sessionId"] = sessionId, ["events"] = batch });
            if (JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["accepted"]!.GetValue<int>() != batch.Count) throw new InvalidOperationException("Not every event was accepted.");
        }
    }

    private static async Task<string> Identify(HttpClient http, string sessionId, string email)
    {
        var answer = await http.PostAsJsonAsync("/api/profile", new JsonObject { ["company_id"] = CompanyId, ["sessionId"] = sessionId, ["email"] = email });
        answer.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["profileId"]!;
    }

    private static async Task<double> Time(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        await call();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static void Print(string what, List<double> shorter, List<double> longer)
    {
        double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
        Console.WriteLine($"{what}: median {Median(shorter):0.00} ms and {Median(longer):0.00} ms, {Median(longer) / Median(shorter):0.00}×");
    }
}
