using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;

namespace TrackMate.Tests.Running;

/// <summary>
/// Senders that keep a server busy with all that it takes: single events, batches, identifies and webhooks, each message with its own eventId. They remember what
/// they sent and what was acknowledged, so that it can be counted afterwards by reading.
/// </summary>
public sealed class Traffic(int senders)
{
    private readonly ConcurrentDictionary<string, Request> requests = new(StringComparer.Ordinal);
    private int acknowledged;
    private int last;

    /// <summary>One request and the eventIds in it.</summary>
    private sealed record Request(string Path, JsonObject Body, string Holder, IReadOnlyList<string> EventIds)
    {
        public bool IsAcknowledged { get; set; }
    }

    /// <summary>As many at once when it is counted as when it was sent.</summary>
    private ParallelOptions AsMany => new() { MaxDegreeOfParallelism = senders, CancellationToken = TestContext.Current.CancellationToken };

    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Sends until the server is gone; whatever it answers until then has to be a success, or "come again".</summary>
    public Task SendAsync(HttpClient http) => Task.WhenAll(Enumerable.Range(0, senders).Select(async sender =>
    {
        while (true)
        {
            var request = Next(sender);
            foreach (var eventId in request.EventIds) requests[eventId] = request;
            try
            {
                (await TakenAsync(http, request)).AssertOk();
            }
            catch (HttpRequestException)
            {
                return;
            }

            request.IsAcknowledged = true;
            Interlocked.Increment(ref acknowledged);
        }
    }));

    /// <summary>Returns when so many requests are acknowledged; the senders may not end before.</summary>
    public async Task AcknowledgedAsync(int count, Task sending)
    {
        await Eventually.TrueAsync(() => Task.FromResult(Acknowledged >= count || sending.IsCompleted), () => $"Only {Acknowledged} of {count} requests were acknowledged.");
        if (!sending.IsCompleted) return;
        await sending;
        Assert.Fail($"The senders ended after {Acknowledged} of {count} requests.{(sending is Task<IReadOnlyCollection<string>> wrong ? "\n" + string.Join('\n', await wrong) : "")}");
    }

    /// <summary>Sends until there is enough, as a good sender does: what a server refuses for now, or breaks off, is sent again to the next one until it is acknowledged.</summary>
    /// <param name="servers">Several over one store. One that is started again has another address: put it in the place of the old one.</param>
    /// <returns>What was answered besides success and "come again": nothing, if all is well.</returns>
    public async Task<IReadOnlyCollection<string>> SendToAsync(HttpClient[] servers, Func<bool> isEnough)
    {
        var wrong = new ConcurrentQueue<string>();
        await Task.WhenAll(Enumerable.Range(0, senders).Select(async sender =>
        {
            for (var turn = sender; !isEnough() && wrong.IsEmpty; turn++)
            {
                var request = Next(sender);
                foreach (var eventId in request.EventIds) requests[eventId] = request;
                while (wrong.IsEmpty && !request.IsAcknowledged)
                {
                    try
                    {
                        var answer = await DeliverAsync(servers[turn % servers.Length], request);
                        request.IsAcknowledged = answer.Status is HttpStatusCode.OK;
                        if (!request.IsAcknowledged && !(answer.Status is HttpStatusCode.ServiceUnavailable && answer.Response.Headers.RetryAfter is not null))
                            wrong.Enqueue($"{request.Path}: {(int)answer.Status} {answer.Text}");
                    }
                    catch (HttpRequestException)
                    {
                        // Nobody is there, or is no more: whether it was stored is not known.
                    }
                    catch (TaskCanceledException)
                    {
                        wrong.Enqueue($"{request.Path}: no answer");
                    }

                    if (request.IsAcknowledged) break;
                    turn++;
                    await Task.Delay(TimeSpan.FromMilliseconds(50));
                }

                if (request.IsAcknowledged) Interlocked.Increment(ref acknowledged);
            }
        }));
        return wrong;
    }

    /// <summary>Sends everything once more, and asserts that what had been acknowledged is known and that nothing is refused.</summary>
    /// <param name="allKnown">Everything has been acknowledged by now.</param>
    public async Task SendAgainAsync(HttpClient http, bool allKnown)
    {
        await Parallel.ForEachAsync(requests.Values.Distinct(), AsMany, async (request, _) =>
        {
            var answer = await TakenAsync(http, request);
            answer.AssertOk();
            if ((request.IsAcknowledged || allKnown) && DuplicatesIn(answer) is { } duplicates) Assert.Equal(request.EventIds.Count, duplicates);
            request.IsAcknowledged = true;
        });
    }

    /// <summary>Asserts by reading that what was acknowledged is there once, and the rest once or not at all, a request whole or not at all.</summary>
    /// <returns>How many requests are stored.</returns>
    public async Task<int> AssertKeptAsync(HttpClient http)
    {
        var seen = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(requests.Values.Select(request => request.Holder).Distinct(), AsMany, async (holder, _) =>
        {
            foreach (var eventId in await ReadAsync(http, holder)) seen.AddOrUpdate(eventId, 1, (_, times) => times + 1);
        });

        Assert.All(seen, shown => Assert.True(shown.Value == 1 && requests.ContainsKey(shown.Key), $"{shown.Key} is there {shown.Value} times."));
        var stored = 0;
        foreach (var request in requests.Values.Distinct())
        {
            var there = request.EventIds.Count(seen.ContainsKey);
            Assert.True(there == request.EventIds.Count || there == 0, $"Of the {request.EventIds.Count} messages of one request {there} are stored.");
            Assert.True(there > 0 || !request.IsAcknowledged, $"{request.EventIds[0]} was acknowledged and is not there.");
            if (there > 0) stored++;
        }

        return stored;
    }

    private Request Next(int sender)
    {
        var number = Interlocked.Increment(ref last);
        var name = $"{sender}-{number}";
        var session = $"session_{sender}";
        var email = $"sender{sender}@shop.com";
        return (number % 5) switch
        {
            0 => new("/api/events", Browser(session, Event(name)), session, [name]),
            1 => new("/api/events", Browser(session, new() { ["events"] = new JsonArray([.. Enumerable.Range(0, 10).Select(i => Event($"{name}-{i}"))]) }), session, [.. Enumerable.Range(0, 10).Select(i => $"{name}-{i}")]),

            // An identify shows as the registration of a person of its own.
            2 => new("/api/profile", Browser($"session_{name}", new() { ["email"] = $"{name}@shop.com", ["eventId"] = name, ["timestamp"] = "2025-10-18T10:00:00Z" }), $"registered:{name}", [name]),
            3 => new("/api/webhooks/events", Webhook(email, name), email, [name]),
            _ => new("/api/webhooks/events", new() { ["events"] = new JsonArray([.. Enumerable.Range(0, 5).Select(i => Webhook(email, $"{name}-{i}"))]) }, email, [.. Enumerable.Range(0, 5).Select(i => $"{name}-{i}")]),
        };
    }

    private static JsonObject Event(string eventId) => new() { ["eventType"] = "page_view", ["eventId"] = eventId, ["timestamp"] = "2025-10-18T10:00:00Z" };

    private static JsonObject Webhook(string email, string eventId) => new(Event(eventId).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))) { ["identifier"] = new JsonObject { ["email"] = email } };

    private static JsonObject Browser(string session, JsonObject message)
    {
        message["company_id"] = ServerProcess.CompanyId;
        message["sessionId"] = session;
        return message;
    }

    /// <summary>Delivers it again while the store is slow, as on a busy machine: it says so instead of keeping its senders waiting.</summary>
    private static async Task<Answer> TakenAsync(HttpClient http, Request request)
    {
        var answer = await DeliverAsync(http, request);
        for (var times = 1; times < 60 && answer.Status is HttpStatusCode.ServiceUnavailable; times++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            answer = await DeliverAsync(http, request);
        }

        return answer;
    }

    private static Task<Answer> DeliverAsync(HttpClient http, Request request) =>
        request.Path == "/api/webhooks/events"
            ? new ShopBackend(http, ServerProcess.ApiKey).PostAsync(request.Path, request.Body)
            : new Shopper(http, ServerProcess.CompanyId).SendAsync(request.Path, request.Body);

    /// <summary>How many of a request's messages were repeats; null where the answer never tells (identify).</summary>
    private static int? DuplicatesIn(Answer answer) => answer.Body switch
    {
        { } body when body["duplicates"] is { } duplicates => (int)duplicates,
        { } body when body["results"] is JsonArray results => results.Count(result => (bool)result!["duplicate"]!),
        { } body when body["duplicate"] is { } duplicate => (bool)duplicate ? 1 : 0,
        _ => null,
    };

    private static async Task<IReadOnlyList<string>> ReadAsync(HttpClient http, string holder)
    {
        var backend = new ShopBackend(http, ServerProcess.ApiKey);
        if (holder.StartsWith("registered:", StringComparison.Ordinal))
        {
            var name = holder["registered:".Length..];
            return await backend.ProfileOfAsync(name + "@shop.com") is { } registered ? [.. Enumerable.Repeat(name, (int)registered["totals"]!["events"]!)] : [];
        }

        if (holder.Contains('@', StringComparison.Ordinal))
            return await backend.ProfileOfAsync(holder) is { } profile ? [.. (await backend.TimelineAsync(profile["id"]!.ToString(), limit: 1000)).Select(shown => shown["eventId"]!.ToString())] : [];

        var eventIds = new List<string>();
        string? cursor = null;
        do
        {
            var page = await backend.GetAsync($"/api/sessions/{holder}?limit=1000" + (cursor is null ? "" : $"&cursor={cursor}"));
            if (page.Status is HttpStatusCode.NotFound) return [];
            eventIds.AddRange(page.Body!["events"]!.AsArray().Select(shown => shown!["eventId"]!.ToString()));
            cursor = page["nextCursor"];
        }
        while (cursor is not null);

        return eventIds;
    }
}
