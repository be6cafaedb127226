using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>
/// What it costs to bind, merge, revoke and undo where whole sessions move: a session of 100 events and one of 1,000,000, in turn. And what the hundred-thousandth
/// customer costs whom a back end names beside one address that it uses for everybody.
/// </summary>
internal static class CostOfActs
{
    private const int Short = 100;
    private const int Long = 1_000_000;
    private const int Rounds = 30;
    private const int Customers = 100_000;

    /// <summary>A million events so far apart fill thirty days.</summary>
    private const long ApartMilliseconds = 2_592;

    public static async Task<int> Run(Uri server, string apiKey)
    {
        using var sender = new Sender(server, apiKey);
        var run = Stopwatch.GetTimestamp();
        var (shortTimes, longTimes) = (new Dictionary<string, List<double>>(), new Dictionary<string, List<double>>());
        string[] sessions = [$"session_1_{run}s", $"session_1_{run}l"];
        await sender.FillAsync(sessions[0], Short, ApartMilliseconds);
        await sender.FillAsync(sessions[1], Long, ApartMilliseconds);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var session in sessions)
            {
                var times = session == sessions[0] ? shortTimes : longTimes;
                async Task<T> Timed<T>(string what, Func<Task<T>> call)
                {
                    T answer = default!;
                    var time = await Sender.TimeAsync(async () => answer = await call());
                    if (!times.TryGetValue(what, out var known)) times[what] = known = [];
                    known.Add(time);
                    return answer;
                }

                var other = await sender.IdentifyAsync($"session_1_{run}_{round}_other", $"other{run}@example.com");
                var id = await Timed("bind", () => sender.IdentifyAsync(session, $"{session}@example.com"));
                var merge = await Timed("merge", () => sender.PostAsync($"/api/profiles/{id}/merge", new JsonObject { ["profileId"] = other }));
                await Timed("un-merge", () => sender.PostAsync($"/api/profiles/{id}/unmerge", new JsonObject { ["mergeId"] = merge["mergeId"]!.ToString() }));
                var claims = await sender.GetAsync($"/api/profiles/{id}/claims?limit=1");
                var claim = claims["claims"]![0]!["id"]!.ToString();
                var revoked = await Timed("revoke", () => sender.PostAsync($"/api/claims/{claim}/revoke", new JsonObject()));
                await Timed("lift", () => sender.PostAsync($"/api/claims/{claim}/lift", new JsonObject()));
                var unbound = await Timed("un-bind", () => sender.PostAsync($"/api/sessions/{session}/unbind", new JsonObject()));
                await Timed("undo of un-bind", () => sender.PostAsync($"/api/claims/{unbound["claimId"]}/revoke", new JsonObject()));
                if (revoked["events"]!.GetValue<long>() != (session == sessions[0] ? Short : Long)) throw new InvalidOperationException("A revocation moved another number of events: " + revoked);
            }
        }

        foreach (var (what, times) in shortTimes) Sender.Print($"{what}, {Short} and {Long} events", times, longTimes[what]);
        await EverybodysAddress(sender, run);
        return 0;
    }

    /// <summary>In turn with as many webhooks whose customers have an address each: a machine that has become busier meanwhile has become so for both.</summary>
    private static async Task EverybodysAddress(Sender sender, long run)
    {
        const int Batch = 100;
        var (first, last, firstApart, lastApart) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        async Task<double> Time(int from, Func<int, string> emailOf, string kind)
        {
            var batch = new JsonArray([.. Enumerable.Range(from, Batch).Select(i => (JsonNode)new JsonObject
            {
                ["identifier"] = new JsonObject { ["email"] = emailOf(i), ["externalId"] = $"{kind}-{run}-{i}" },
                ["eventType"] = "order_placed",
            })]);
            return await Sender.TimeAsync(() => sender.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = batch }));
        }

        for (var sent = 0; sent < Customers; sent += Batch)
        {
            var (isFirst, isLast) = (sent is >= 1_000 and < 11_000, sent >= Customers - 10_000);
            var time = await Time(sent, _ => $"noreply{run}@example.com", "customer");
            if (!isFirst && !isLast) continue;
            (isFirst ? first : last).Add(time);
            (isFirst ? firstApart : lastApart).Add(await Time(sent, i => $"own{run}-{i}@example.com", "apart"));
        }

        Sender.Print($"{Batch} webhooks that name everybody's address, customers 1,000 to 11,000 and the last 10,000 of {Customers}", first, last);
        Sender.Print($"{Batch} webhooks whose customers have an address each, in turn with those", firstApart, lastApart);
        Console.WriteLine($"everybody's address against an address each: {Sender.MedianOf(first) / Sender.MedianOf(firstApart):0.00}× and {Sender.MedianOf(last) / Sender.MedianOf(lastApart):0.00}×");
        var profile = (await sender.GetAsync($"/api/profiles?email=noreply{run}@example.com"))["profiles"]![0]!;
        Console.WriteLine($"identifiers of everybody's address: {profile["identifiers"]!.AsArray().Count}");
    }
}
