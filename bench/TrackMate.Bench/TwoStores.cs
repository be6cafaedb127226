using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>What a back end waits for, of two servers in turn: the second is compared with the first. Of each the median is printed, and the ratio of their speeds.</summary>
internal static class TwoStores
{
    private const int Batch = 100;
    private const int People = 2000;

    public static async Task<int> Run(Uri first, Uri second, string apiKey)
    {
        using var left = new Sender(first, apiKey);
        using var right = new Sender(second, apiKey);
        Sender[] both = [left, right];
        var run = Environment.TickCount64;

        var numbers = new Dictionary<Sender, int> { [left] = 0, [right] = 0 };
        foreach (var sender in both)
        {
            for (var from = 0; from < People; from += Batch) await SendAsync(sender, i => Event($"known{run}_{from + i}@example.com", $"known-{run}-{from + i}"));
        }

        await Compare("webhooks of known people", 60, sender => SendAsync(sender, i => Event($"known{run}_{Next(sender) % People}@example.com", $"known-{run}-{Last(sender) % People}")));
        await Compare("each joining two identifiers", 40, sender => SendAsync(sender, i => Event($"new{run}_{Next(sender)}@example.com", $"new-{run}-{Last(sender)}")));
        await Compare("one address named by all", 20, sender => SendAsync(sender, i => Event($"noreply{run}@example.com", $"order-{run}-{Next(sender)}")));

        var ids = new Dictionary<Sender, string>();
        foreach (var sender in both)
        {
            ids[sender] = await sender.IdentifyAsync($"session_1760000000_{run}", $"reader{run}@example.com");
            await sender.FillAsync($"session_1760000000_{run}", 2000, 1000);
        }

        await Compare("profile list of 50", 60, sender => sender.ReadAsync("/api/profiles?limit=50"));
        await Compare("profile", 100, sender => sender.ReadAsync($"/api/profiles/{ids[sender]}"));
        await Compare("timeline of 50", 100, sender => sender.ReadAsync($"/api/profiles/{ids[sender]}/timeline?limit=50"));
        return 0;

        int Next(Sender sender) => ++numbers[sender];
        int Last(Sender sender) => numbers[sender];

        async Task Compare(string what, int times, Func<Sender, Task> call)
        {
            var taken = new Dictionary<Sender, List<double>> { [left] = [], [right] = [] };
            for (var i = 0; i < times + 3; i++)
            {
                foreach (var sender in both)
                {
                    var time = await Sender.TimeAsync(() => call(sender));
                    if (i >= 3) taken[sender].Add(time);
                }
            }

            var (one, other) = (Sender.MedianOf(taken[left]), Sender.MedianOf(taken[right]));
            Console.WriteLine($"{what}: median {one:0.00} and {other:0.00} ms, slowest {taken[left].Max():0} and {taken[right].Max():0} ms; speed {one / other:0.00} of the first's, time {other / one:0.00}×");
        }
    }

    private static async Task SendAsync(Sender sender, Func<int, JsonObject> eventOf) =>
        await sender.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = new JsonArray([.. Enumerable.Range(0, Batch).Select(i => (JsonNode)eventOf(i))]) });

    private static JsonObject Event(string email, string externalId) => new()
    {
        ["identifier"] = new JsonObject { ["email"] = email, ["externalId"] = externalId },
        ["eventType"] = "order_shipped",
        ["eventData"] = new JsonObject { ["carrier"] = "USPS" },
    };
}
