using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TrackMate.Bench;

/// <summary>
/// What one company's flood does to another company: single events of a quiet company, some 70 a second on connections of their own, before a flood of batches of
/// 500 and in it. The flood sends again at once, whatever it is answered.
/// </summary>
internal static class Flood
{
    private const int EventsABatch = 500, QuietSenders = 4;

    public static async Task<int> Run(Uri server, string company, int connections, int seconds)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var (answers, batch) = (new int[600], Batch(company));
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => Send(server, batch, answers, stop.Token))));
        Console.WriteLine($"  the flood: {connections} connections, {string.Join(", ", answers.Index().Where(answer => answer.Item > 0).Select(answer => $"{answer.Item} × {(answer.Index == 0 ? "no answer" : answer.Index)}"))}");
        return 0;
    }

    /// <summary>Measures the other company, in a process of its own, before a flood that begins meanwhile and in it.</summary>
    public static async Task<int> Watch(Uri server, string company, int quietSeconds, int floodedSeconds)
    {
        // The first requests of a process are slow on both sides.
        await Measure(server, company, 2);
        var quiet = await Measure(server, company, quietSeconds);
        Console.WriteLine("quiet is measured");
        await Task.Delay(TimeSpan.FromSeconds(2));
        var flooded = await Measure(server, company, floodedSeconds);
        Console.WriteLine($"  another company's event: quiet p50 {At(quiet.Times, 0.5):0.0} p99 {At(quiet.Times, 0.99):0.0} ms, flooded p50 {At(flooded.Times, 0.5):0.0} p99 {At(flooded.Times, 0.99):0.0} max {flooded.Times.Max():0.0} ms "
            + $"({At(flooded.Times, 0.5) / At(quiet.Times, 0.5):0.0}× and {At(flooded.Times, 0.99) / At(quiet.Times, 0.99):0.0}×), failed {flooded.Failed}");
        return 0;
    }

    private static double At(List<double> times, double share) => times[Math.Min(times.Count - 1, (int)(times.Count * share))];

    private static async Task<(List<double> Times, int Failed)> Measure(Uri server, string company, int seconds)
    {
        var measured = await Task.WhenAll(Enumerable.Range(0, QuietSenders).Select(async sender =>
        {
            using var http = new HttpClient(From("127.0.0.2")) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(30) };
            var (times, failed, run) = (new List<double>(), 0, Stopwatch.GetTimestamp());
            for (var started = run; Stopwatch.GetElapsedTime(run).TotalSeconds < seconds;)
            {
                using var body = Json($"{{\"company_id\":\"{company}\",\"sessionId\":\"session_1_{sender}\",\"eventType\":\"page_view\",\"eventData\":{{\"n\":{times.Count}}},\"eventId\":\"{run}-{sender}-{times.Count}\"}}");
                started = Stopwatch.GetTimestamp();
                try
                {
                    using var answer = await http.PostAsync("/api/events", body);
                    if (!answer.IsSuccessStatusCode) failed++;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    failed++;
                }

                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                await Task.Delay(50);
            }

            return (times, failed);
        }));
        return ([.. measured.SelectMany(one => one.times).Order()], measured.Sum(one => one.failed));
    }

    /// <summary>Bodies without eventIds are the same each time, so the flood costs the machine they share little beside what the server pays for it.</summary>
    private static async Task Send(Uri server, byte[] batch, int[] answers, CancellationToken stop)
    {
        using var http = new HttpClient(From("127.0.0.1")) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(60) };
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var body = new ByteArrayContent(batch);
                using var answer = await http.PostAsync("/api/events", body, stop);
                Interlocked.Increment(ref answers[(int)answer.StatusCode]);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                if (!stop.IsCancellationRequested) Interlocked.Increment(ref answers[0]);
            }
        }
    }

    private static byte[] Batch(string company)
    {
        var json = new StringBuilder($"{{\"company_id\":\"{company}\",\"sessionId\":\"session_1_flood\",\"events\":[");
        for (var i = 0; i < EventsABatch; i++)
            json.Append(i == 0 ? "" : ",").Append("{\"eventType\":\"page_view\",\"eventData\":{\"address\":\"https://shop.example/product/headphones\",\"productInfos\":[{\"productId\":\"PROD-001\",\"productName\":\"Wireless Headphones\",\"price\":79.99}]}}");
        return Encoding.UTF8.GetBytes(json.Append("]}").ToString());
    }

    /// <summary>All of 127.0.0.0/8 is this machine: the quiet company's visitors have another address than the flood.</summary>
    private static SocketsHttpHandler From(string address) => new()
    {
        ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
