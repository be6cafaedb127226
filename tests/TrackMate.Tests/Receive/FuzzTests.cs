using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>
/// Requests of every call, broken at random in their framing, their headers, their addresses and their bodies: whatever is sent, the fault is the sender's, and
/// nothing that is kept of it stands in the way of an erasure.
/// </summary>
public sealed class FuzzTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>With <c>./test.sh --long</c> as many as took other systems down.</summary>
    private static readonly int Requests = Environment.GetEnvironmentVariable("TRACKMATE_LONG") == "1" ? 500_000 : 4_000;

    private const int Senders = 8;

    private static readonly string[] Calls =
    [
        "POST /api/events", "POST /api/profile", "POST /api/webhooks/events", "POST /api/events", "POST /api/profile", "POST /api/webhooks/events",
        "POST /api/claims/client:EVENT/revoke", "POST /api/claims/client:EVENT/lift", "POST /api/sessions/SESSION/unbind", "POST /api/profiles/ID/merge", "POST /api/profiles/ID/unmerge", "POST /login", "POST /logout",
        "GET /api/profiles?limit=5&q=PIECE&cursor=PIECE", "GET /api/profiles?email=PIECE", "GET /api/profiles/ID/timeline?limit=PIECE&from=PIECE&source=PIECE&cursor=PIECE", "GET /api/sessions/SESSION?cursor=PIECE", "GET /api/events/EVENT",
        "GET /api/profiles/PIECE", "GET /trackmate.js", "OPTIONS /api/events", "GET /login?returnUrl=PIECE", "PUT /api/events", "GET /c/PIECE/people/PIECE",
    ];

    /// <summary>What has broken parsers before.</summary>
    private static readonly string[] Pieces =
    [
        "", "\\u", "\\u12", "\\ud800", "\\udc00\\ud800", "\\u0000", "\"", "\\", "{", "}", "[", "]", ",", ":", "null", "true", "NaN", "1e309", "-", "1e131071", "99999999999999999999999999999999999999999",
        "[[[[[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":", "\u00e9", "\ud83d\ude00", "\u202e", "%00", "%ff", "%ud800", "../..", "\0", "\u001f", "'; DROP TABLE message; --", "<script>", "{}", "2025-02-30T00:00:00Z", "9999-12-31T23:59:60+99:99", "-1", "0", "1001", "2147483648",
        "undefined", "a@b", "@", "a@xn--", "a@\u00df.de", "/*", "\r\n", "\t", "\u2028", "\ufeff", "__proto__", "session_1_", "webhook_1_0000000000000000", "reg_000000000000000000000000", "000000000000000000000000",
    ];

    [Fact]
    public async Task Nothing_that_is_sent_is_our_fault_or_stops_an_erasure()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TRACKMATE_FUZZ_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        var counts = new int[600];
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => SendAsync(new Random(seed + sender), Requests / Senders, counts, $"seed {seed}, sender {sender}")));

        TestContext.Current.TestOutputHelper?.WriteLine($"Seed {seed} (TRACKMATE_FUZZ_SEED): " + string.Join(", ", counts.Index().Where(count => count.Item > 0).Select(count => $"{count.Item} × {(count.Index == 0 ? "closed" : count.Index)}")));
        Assert.True(counts[200] > 0 && counts[400] > 0 && counts[422] > 0, "It sends nothing that is taken, or nothing that is not.");
        var failed = running.Server.Output.Split('\n').FirstOrDefault(line => line.Contains("\"LogLevel\":\"Error\"", StringComparison.Ordinal));
        Assert.True(failed is null, $"Seed {seed}: {failed}");

        var victim = (await running.Backend.ProfileOfAsync("sarah@example.com"))!["id"]!.ToString();
        using var erase = new HttpRequestMessage(HttpMethod.Delete, $"/api/profiles/{victim}");
        erase.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
        (await Answer.OfAsync(await running.Http.SendAsync(erase, TestContext.Current.CancellationToken))).AssertOk();
        Assert.Null(await running.Backend.ProfileOfAsync("sarah@example.com"));
    }

    private async Task SendAsync(Random random, int count, int[] counts, string who)
    {
        TcpClient? client = null;
        try
        {
            for (var i = 0; i < count; i++)
            {
                var (bytes, isFramed) = Request(random);
                if (client is null)
                {
                    client = new TcpClient { NoDelay = true };
                    await client.ConnectAsync(running.Server.Address.Host, running.Server.Address.Port, TestContext.Current.CancellationToken);
                }

                var (status, stays, mayRetry) = await AnswerAsync(client.GetStream(), bytes, isFramed);
                Interlocked.Increment(ref counts[status]);
                // Of another version of HTTP Kestrel says 505 by itself; a machine that is busy with other things says when to send it again.
                Assert.True(status is < 500 or 505 || (status == 503 && mayRetry), $"{status} for request {i} of {who}:\n{Encoding.Latin1.GetString(bytes)}");
                if (stays && isFramed) continue;
                client.Dispose();
                client = null;
            }
        }
        finally
        {
            client?.Dispose();
        }
    }

    /// <returns>The status, or 0 where the connection was closed without an answer; whether another request may follow; and whether it may be sent again.</returns>
    private static async Task<(int Status, bool Stays, bool MayRetry)> AnswerAsync(NetworkStream stream, byte[] request, bool isFramed)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            await stream.WriteAsync(request, limit.Token);
            // Who waits for more of what is never sent waits for nobody.
            if (!isFramed) stream.Socket.Shutdown(SocketShutdown.Send);
            while (true)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length), limit.Token);
                length += read;
                var text = Encoding.Latin1.GetString(buffer, 0, length);
                var status = text.Length >= 12 && text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;
                var mayRetry = text.Contains("\r\nRetry-After: ", StringComparison.Ordinal);
                if (read == 0 || length == buffer.Length) return (status, false, mayRetry);
                if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end && IsWhole(text, end + 4)) return (status, !text.Contains("Connection: close", StringComparison.OrdinalIgnoreCase), mayRetry);
            }
        }
        catch (IOException)
        {
            return (0, false, false);
        }
    }

    private static bool IsWhole(string answer, int bodyAt)
    {
        if (answer.StartsWith("HTTP/1.1 204", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 304", StringComparison.Ordinal)) return true;
        var head = answer[..bodyAt];
        if (head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
            return answer.Length - bodyAt >= int.Parse(head[(at + 16)..head.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        return !head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase) || answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal) || answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
    }

    private static (byte[] Bytes, bool IsFramed) Request(Random random)
    {
        var call = Pick(random, Calls).Split(' ');
        var path = call[1].Replace("ID", random.Next(2) == 0 ? "000000000000000000000000" : Escaped(random)).Replace("EVENT", "e" + random.Next(50)).Replace("SESSION", random.Next(2) == 0 ? "s" + random.Next(9) : Escaped(random));
        while (path.IndexOf("PIECE", StringComparison.Ordinal) is >= 0 and var at) path = path[..at] + Escaped(random) + path[(at + 5)..];

        var body = call[0] == "POST" ? Encoding.UTF8.GetBytes(Broken(random, Body(random, call[1]))) : [];
        if (body.Length > 0 && random.Next(10) == 0) body[random.Next(body.Length)] = (byte)random.Next(256);
        var headers = new StringBuilder($"{call[0]} {path} HTTP/1.1\r\nHost: {(random.Next(30) == 0 ? Token(random) : "localhost")}\r\n");
        if (random.Next(8) != 0) headers.Append(CultureInfo.InvariantCulture, $"X-TrackMate-API-Key: {(random.Next(20) == 0 ? Token(random) : ServerProcess.ApiKey)}\r\n");
        if (random.Next(6) == 0) headers.Append(CultureInfo.InvariantCulture, $"{Pick(random, ["Origin", "User-Agent", "Accept-Encoding", "If-None-Match", "X-Forwarded-For", "X-Forwarded-Proto", "Cookie", "Content-Type", "Accept", "Sec-Fetch-Site", "Access-Control-Request-Headers"])}: {Token(random)}\r\n");
        if (call[1].StartsWith("/log", StringComparison.Ordinal) && random.Next(2) == 0) headers.Append("Content-Type: application/x-www-form-urlencoded\r\n");
        if (random.Next(12) == 0)
        {
            var zipped = random.Next(3) != 0;
            if (zipped) body = Gzip(body);
            if (zipped && random.Next(3) == 0) body = body[..random.Next(body.Length)];
            headers.Append(CultureInfo.InvariantCulture, $"Content-Encoding: {(random.Next(5) == 0 ? Token(random) : "gzip")}\r\n");
        }

        return random.Next(12) == 0 ? (Unframed(random, headers, body), false) : ([.. Encoding.Latin1.GetBytes(headers.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n").ToString()), .. body], true);
    }

    /// <summary>A body whose length or chunks are not what they say.</summary>
    private static byte[] Unframed(Random random, StringBuilder headers, byte[] body)
    {
        byte[] Framed(string head, string tail = "") => [.. Encoding.Latin1.GetBytes(headers + head), .. body, .. Encoding.Latin1.GetBytes(tail)];
        return random.Next(5) switch
        {
            0 => Framed($"Content-Length: {body.Length + random.Next(1, 2000)}\r\n\r\n"),
            1 => Framed($"Content-Length: {Pick(random, ["-1", "abc", "99999999999999999999", "1e3", "0x10", "+5", " ", "5, 5", "5\r\nContent-Length: 6"])}\r\n\r\n"),
            2 => Framed($"Transfer-Encoding: chunked\r\n\r\n{Pick(random, ["FFFFFFFFFFFFFFFFF", "FFFFFFFF", "7FFFFFFFFFFFFFFF", "-1", "xyz", "", "0", "1;ext=\"", "00000000000000000000001", " 5", "80000000"])}\r\n", "\r\n0\r\n\r\n"),
            3 => Framed($"Transfer-Encoding: {Pick(random, ["gzip", "chunked, gzip", "identity", "Chunked", "chunked\r\nContent-Length: 3", "x"])}\r\n\r\n{body.Length:x}\r\n", "\r\n0\r\n\r\n"),
            _ => Framed($"Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n", Pick(random, ["", "\r\n", "x", "\r\n0\r\n", "\r\n0\r\nTrailer: x\r\n\r\n", "\r\n0\r\nbroken\r\n\r\n"])),
        };
    }

    private static string Body(Random random, string path)
    {
        var (session, eventId, email) = ("s" + random.Next(9), "e" + random.Next(50), random.Next(3) == 0 ? "sarah@example.com" : $"p{random.Next(20)}@example.com");
        var one = $$"""{"eventType":"page_view","eventId":"{{eventId}}","eventData":{"a":"{{email}}","n":{{random.Next()}},"l":[1,{"b":null}]},"timestamp":"2025-10-18T10:00:00Z"}""";
        return path switch
        {
            "/api/events" when random.Next(3) == 0 => $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{session}}","context":{"page":"/"},"events":[{{one}},{{one}}]}""",
            "/api/events" => $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{session}}",{{one[1..]}}""",
            "/api/profile" => $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{session}}","email":"{{email}}","externalId":"{{random.Next(9)}}","name":"Sarah","eventId":"{{eventId}}","traits":{"plan":"pro"} }""",
            "/api/webhooks/events" => $$"""{"identifier":{"email":"{{email}}","externalId":"{{random.Next(9)}}"},{{one[1..]}}""",
            "/login" => $"_handler=login&name={session}&password={eventId}&returnUrl={email}",
            _ => $$"""{"profileId":"000000000000000000000000","from":"2025-10-18T10:00:00Z","to":"2025-10-19T10:00:00Z","dryRun":true,"mergeId":"{{eventId}}"}""",
        };
    }

    /// <summary>Up to three things are done to it; one in six is left whole.</summary>
    private static string Broken(Random random, string text)
    {
        for (var times = random.Next(6) switch { 0 => 0, < 4 => 1, var more => more - 2 }; times > 0 && text.Length > 2; times--)
        {
            var at = random.Next(text.Length);
            var end = Math.Min(text.Length, at + random.Next(1, 20));
            text = random.Next(7) switch
            {
                0 => text[..at],
                1 => text[..at] + text[end..],
                2 => text[..at] + text[at..end] + text[at..],
                3 => text[..at] + Pick(random, Pieces) + text[end..],
                4 => text[..at] + new string(text[at], random.Next(1, 40_000)) + text[at..],
                5 => InAString(text, random),
                _ => text[..at] + Pick(random, Pieces) + text[at..],
            };
        }

        return text;
    }

    /// <summary>Puts something where a text, and so what is searched later, begins.</summary>
    private static string InAString(string text, Random random)
    {
        var at = text.IndexOf(":\"", random.Next(text.Length), StringComparison.Ordinal);
        return at < 0 ? text : text[..(at + 2)] + Pick(random, Pieces) + text[(at + 2)..];
    }

    private static string Escaped(Random random) => random.Next(3) == 0 ? "%" + random.Next(256).ToString("x2", CultureInfo.InvariantCulture) : Uri.EscapeDataString(Pick(random, Pieces));

    private static string Token(Random random) => Pick(random, Pieces).Replace("\r\n", " ").Replace('\0', ' ');

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];

    private static byte[] Gzip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest)) gzip.Write(bytes);
        return zipped.ToArray();
    }
}
