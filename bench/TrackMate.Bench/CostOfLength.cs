using System.Diagnostics;

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

    public static async Task<int> Run(Uri server, string apiKey)
    {
        using var sender = new Sender(server, apiKey);
        var run = Stopwatch.GetTimestamp();

        var identify = (Short: new List<double>(), Long: new List<double>());
        var timeline = (Short: new List<double>(), Long: new List<double>());
        var (shortSession, longSession) = ($"session_1_{run}s", $"session_1_{run}l");
        await sender.FillAsync(shortSession, Short, apartMilliseconds: 10);
        await sender.FillAsync(longSession, Long, apartMilliseconds: 10);
        for (var round = 0; round < Rounds; round++)
        {
            // Two people take turns, so each identify cuts the session anew.
            var email = $"{(round % 2 == 0 ? "a" : "b")}{run}@example.com";
            identify.Short.Add(await Sender.TimeAsync(() => sender.IdentifyAsync(shortSession, "s" + email)));
            identify.Long.Add(await Sender.TimeAsync(() => sender.IdentifyAsync(longSession, "l" + email)));
        }

        var shortProfile = await sender.IdentifyAsync(shortSession, $"sa{run}@example.com");
        var longProfile = await sender.IdentifyAsync(longSession, $"la{run}@example.com");
        for (var round = 0; round < Rounds; round++)
        {
            timeline.Short.Add(await Sender.TimeAsync(() => sender.ReadAsync($"/api/profiles/{shortProfile}/timeline")));
            timeline.Long.Add(await Sender.TimeAsync(() => sender.ReadAsync($"/api/profiles/{longProfile}/timeline")));
        }

        var profile = await sender.GetAsync($"/api/profiles/{longProfile}");
        Sender.Print($"identify, {Short} and {Long} events", identify.Short, identify.Long);
        Sender.Print($"first timeline page, {Short} and {Long} events", timeline.Short, timeline.Long);
        Console.WriteLine($"events counted on the long profile: {profile["totals"]!["events"]}");
        return 0;
    }
}
