using System.Net;
using System.Text.Json.Nodes;

namespace TrackMate.Tests.Running;

/// <summary>Senders of batches that keep a ledger of every event that was acknowledged: many events in little time. Each run of a server has sessions of its own.</summary>
public sealed class BatchLedger(int senders, int eventsPerBatch)
{
    private readonly List<Line> lines = [];
    private long acknowledged;

    /// <summary>Batches of one session: the first <see cref="Acknowledged"/> were acknowledged, the one after them may have been stored.</summary>
    private sealed class Line(string sessionId)
    {
        private volatile int acknowledged;

        public string SessionId { get; } = sessionId;

        public int Acknowledged
        {
            get => acknowledged;
            set => acknowledged = value;
        }

        /// <summary>So many are owed: all that were acknowledged, or those up to <see cref="Settle"/>.</summary>
        public int? Owed { get; set; }
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
            while (true)
            {
                var status = (await shopper.TrackManyAsync(Batch(line))).Status;
                if (status is HttpStatusCode.OK)
                {
                    line.Acknowledged++;
                    Interlocked.Add(ref acknowledged, eventsPerBatch);
                }
                else if (status is HttpStatusCode.ServiceUnavailable && line.Owed is null)
                {
                    // A machine that is busy with other things; the same batch is sent again.
                    await Task.Delay(100, TestContext.Current.CancellationToken);
                }
                else
                {
                    return;
                }
            }
        }
        catch (HttpRequestException)
        {
            // The server is gone.
        }
    }));

    /// <summary>
    /// What is acknowledged up to now is owed, and nothing after. A power cut that is simulated takes a moment, in which the file system may still say that it has synced
    /// what it then drops; a machine without power says nothing any more.
    /// </summary>
    public void Settle()
    {
        foreach (var line in lines) line.Owed ??= line.Acknowledged;
    }

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
            var batches = seen.Count / eventsPerBatch;
            var owed = line.Owed ?? line.Acknowledged;
            Assert.True(seen.Count % eventsPerBatch == 0 && batches >= owed && batches <= line.Acknowledged + 1, $"{line.SessionId} has {seen.Count} events; {owed} batches of {eventsPerBatch} are owed, and {line.Acknowledged} were acknowledged in the end.");
            Assert.Equal(Enumerable.Range(0, batches).SelectMany(batch => Ids(line, batch)).Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
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
