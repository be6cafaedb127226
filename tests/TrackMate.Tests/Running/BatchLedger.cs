using System.Net;
using System.Text.Json.Nodes;

namespace TrackMate.Tests.Running;

/// <summary>Senders of batches that keep a ledger of every event that was acknowledged: many events in little time. Each run of a server has sessions of its own.</summary>
public sealed class BatchLedger(int senders, int eventsPerBatch)
{
    private readonly List<Line> lines = [];
    private long acknowledged;

    /// <summary>Batches of one session: those before <see cref="Acknowledged"/> were acknowledged, the one after them may have been stored.</summary>
    private sealed record Line(string SessionId)
    {
        public int Acknowledged { get; set; }
    }

    /// <summary>Events that were acknowledged.</summary>
    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>Sends until the server is gone, or its disk: whatever else it answers until then has to be a success.</summary>
    /// <param name="run">A number of this run of the server.</param>
    public Task SendAsync(HttpClient http, int run) => Task.WhenAll(Enumerable.Range(0, senders).Select(async sender =>
    {
        var line = new Line($"session_{run}_{sender}");
        lock (lines) lines.Add(line);
        var shopper = new Shopper(http, ServerProcess.CompanyId, line.SessionId);
        try
        {
            while ((await shopper.TrackManyAsync(Batch(line))).Status is HttpStatusCode.OK)
            {
                line.Acknowledged++;
                Interlocked.Add(ref acknowledged, eventsPerBatch);
            }
        }
        catch (HttpRequestException)
        {
            // The server is gone.
        }
    }));

    /// <summary>Returns when so many events are acknowledged.</summary>
    public async Task AcknowledgedAsync(long count, Task sending)
    {
        while (Acknowledged < count && !sending.IsCompleted) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.False(sending.IsCompleted, $"The senders ended after {Acknowledged} of {count} events.");
    }

    /// <summary>Asserts by reading that each acknowledged event is there once, and each other batch whole or not at all.</summary>
    /// <param name="run">The run whose sessions are read; null for all.</param>
    /// <returns>How many events there are.</returns>
    public async Task<long> AssertKeptAsync(HttpClient http, int? run = null)
    {
        var stored = 0L;
        foreach (var line in lines.Where(line => run is null || line.SessionId.StartsWith($"session_{run}_", StringComparison.Ordinal)))
        {
            var seen = await ReadAsync(http, line.SessionId);
            Assert.Equal(seen.Count, seen.Distinct(StringComparer.Ordinal).Count());
            var expected = Enumerable.Range(0, line.Acknowledged).SelectMany(batch => Ids(line, batch)).ToList();
            var withLast = expected.Concat(Ids(line, line.Acknowledged)).ToHashSet(StringComparer.Ordinal);
            Assert.True(seen.Count == expected.Count || seen.Count == withLast.Count, $"{line.SessionId} has {seen.Count} events; {expected.Count} were acknowledged, in batches of {eventsPerBatch}.");
            Assert.Empty(expected.Except(seen, StringComparer.Ordinal));
            Assert.Empty(seen.Except(withLast, StringComparer.Ordinal));
            stored += seen.Count;
        }

        return stored;
    }

    private JsonArray Batch(Line line) =>
        [.. Ids(line, line.Acknowledged).Select(eventId => new JsonObject { ["eventType"] = "page_view", ["eventId"] = eventId, ["timestamp"] = "2025-10-18T10:00:00Z" })];

    private IEnumerable<string> Ids(Line line, int batch) => Enumerable.Range(0, eventsPerBatch).Select(i => $"{line.SessionId}-{batch}-{i}");

    private static async Task<List<string>> ReadAsync(HttpClient http, string sessionId)
    {
        var backend = new ShopBackend(http, ServerProcess.ApiKey);
        var eventIds = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = await backend.GetAsync($"/api/sessions/{sessionId}?limit=1000" + (cursor is null ? "" : $"&cursor={cursor}"));
            if (page.Status is HttpStatusCode.NotFound) return eventIds;
            page.AssertOk();
            eventIds.AddRange(page.Body!["events"]!.AsArray().Select(shown => shown!["eventId"]!.ToString()));
            cursor = page["nextCursor"];
            if (cursor is null) return eventIds;
        }
    }
}
