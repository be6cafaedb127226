using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>
/// What a stranger could read off the clock: identifies of an e-mail that is known and of one that is not, in turn, each on a session of its own. Which of a pair
/// goes first changes from pair to pair, so that neither has the other's warm caches.
/// </summary>
internal static class Strangers
{
    private const int Pairs = 10_000;
    private const string CompanyId = "TM-BENCH";

    public static async Task<int> Run(Uri server, string apiKey)
    {
        using var http = new HttpClient { BaseAddress = server };
        var run = Stopwatch.GetTimestamp();
        await Know(http, apiKey, run);

        var (known, unknown) = (new List<double>(), new List<double>());
        for (var pair = 0; pair < Pairs; pair++)
        {
            foreach (var isKnown in pair % 2 == 0 ? new[] { true, false } : [false, true])
                (isKnown ? known : unknown).Add(await Time(http, $"session_1_{run}{pair}{isKnown}", isKnown ? EmailOf(run, pair) : $"nobody{run}{pair:00000}@example.com"));
        }

        double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
        Console.WriteLine($"identify of a known and of an unknown e-mail, {Pairs} pairs: median {Median(known):0.000} ms and {Median(unknown):0.000} ms, {Median(unknown) / Median(known):0.000}×");
        return 0;
    }

    private static string EmailOf(long run, int person) => $"people{run}{person:00000}@example.com";

    /// <summary>Half of them have paid, half have identified themselves in another browser.</summary>
    private static async Task Know(HttpClient http, string apiKey, long run)
    {
        for (var from = 0; from < Pairs; from += 500)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/webhooks/events")
            {
                Content = JsonContent.Create(new JsonObject
                {
                    ["events"] = new JsonArray([.. Enumerable.Range(from, 500).Where(person => person % 2 == 0).Select(person => new JsonObject { ["identifier"] = new JsonObject { ["email"] = EmailOf(run, person) }, ["eventType"] = "order_shipped" })]),
                }),
            };
            request.Headers.Add("X-TrackMate-API-Key", apiKey);
            (await http.SendAsync(request)).EnsureSuccessStatusCode();
        }

        for (var person = 1; person < Pairs; person += 2) await Time(http, $"session_1_{run}{person}theirs", EmailOf(run, person));
    }

    private static async Task<double> Time(HttpClient http, string sessionId, string email)
    {
        var body = new JsonObject { ["company_id"] = CompanyId, ["sessionId"] = sessionId, ["email"] = email, ["name"] = "Somebody" };
        var started = Stopwatch.GetTimestamp();
        (await http.PostAsJsonAsync("/api/profile", body)).EnsureSuccessStatusCode();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }
}
