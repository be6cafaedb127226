using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>
/// What a back end costs that names people who have nothing to do with each other: call-centre agents beside every customer they talk to, one address beside everybody,
/// and chains that come in the reverse order of time. Each shape is sent in batches; then one message at a time, of which the slowest is printed.
/// </summary>
internal static class CostOfJoins
{
    private const int Batch = 500;
    private const int Alone = 500;

    public static async Task<int> Run(Uri server, string apiKey)
    {
        using var sender = new Sender(server, apiKey);
        var run = Stopwatch.GetTimestamp();
        var random = new Random(7);
        await Shape(sender, "12 agents × 400 customers at random", 500 + Alone, i => Event(random.Next(), $"customer{run}_{random.Next(400)}@example.com", $"agent-{run}-{random.Next(12)}"));
        await Shape(sender, "200 agents × 20,000 customers at random", 10_000 + Alone, i => Event(random.Next(), $"caller{run}_{random.Next(20_000)}@example.com", $"desk-{run}-{random.Next(200)}"));
        await Shape(sender, "noreply@ beside everybody", 10_000 + Alone, i => Event(i, $"noreply{run}@example.com", $"order-{run}-{i}"));
        await Shape(sender, "noreply@ beside everybody, the latest first", 10_000 + Alone, i => Event(-i, $"no-reply{run}@example.com", $"invoice-{run}-{i}"));
        await Shape(sender, "a chain, the latest link first", 5_000 + Alone, i => Event(-i, $"link{run}_{i / 2}@example.com", $"chain-{run}-{(i + 1) / 2}"));
        return 0;
    }

    private static async Task Shape(Sender sender, string what, int events, Func<int, JsonObject> eventOf)
    {
        var sent = 0;
        var (batches, alone) = (new List<double>(), new List<double>());
        for (; sent < events - Alone; sent += Batch)
        {
            var batch = new JsonArray([.. Enumerable.Range(sent, Math.Min(Batch, events - Alone - sent)).Select(i => (JsonNode)eventOf(i))]);
            batches.Add(await Sender.TimeAsync(() => sender.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = batch })));
        }

        for (; sent < events; sent++)
        {
            var message = eventOf(sent);
            alone.Add(await Sender.TimeAsync(() => sender.PostAsync("/api/webhooks/events", message)));
        }

        Console.WriteLine($"{what}: {batches.Count} batches of {Batch}, median {Sender.MedianOf(batches):0} ms, slowest {batches.Max():0} ms; then one at a time, median {Sender.MedianOf(alone):0.00} ms, slowest {alone.Max():0.00} ms");
    }

    private static JsonObject Event(long at, string email, string externalId) => new()
    {
        ["identifier"] = new JsonObject { ["email"] = email, ["externalId"] = externalId },
        ["eventType"] = "call_taken",
        ["timestamp"] = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_000 + (at % 1_000_000_000)).ToString("O"),
    };
}
