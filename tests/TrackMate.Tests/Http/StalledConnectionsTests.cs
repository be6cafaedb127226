using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Http;

/// <summary>Somebody holds as many connections as there may be, in every phase of a request: the server stays within its memory and goes on answering others.</summary>
[NoStore]
public sealed partial class StalledConnectionsTests
{
    /// <summary>With <c>./test.sh --long</c> as many as the server takes by default, in each phase.</summary>
    private static readonly bool Long = Environment.GetEnvironmentVariable("TRACKMATE_LONG") == "1";

    private static readonly int Cap = Long ? 2000 : 300;
    private static readonly int Stalled = Long ? 2000 : 330;
    private const long MaxResidentBytes = 512L << 20;

    /// <summary>No verdict takes longer.</summary>
    private static readonly TimeSpan Verdict = TimeSpan.FromSeconds(5);

    /// <param name="heapMebibytes">Of the heap at most; 0 for no bound. None of it ends the process.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(384)]
    public async Task Connections_stalled_in_any_phase_make_room_for_honest_ones(int heapMebibytes)
    {
        await using var server = await StartAsync(heapMebibytes);
        foreach (var phase in Enum.GetValues<Phase>().Where(phase => phase is not Phase.InTheHandshake))
        {
            using var attacker = new StalledConnections(server.Address);

            var answered = await HonestAsync(server, () => attacker.StallAsync(phase, Stalled));

            await AssertBoundedAsync(server, phase, answered);
        }

        using var mixed = new StalledConnections(server.Address);
        var answers = await HonestAsync(server, () => Task.WhenAll(Enum.GetValues<Phase>().Select(phase => mixed.StallAsync(phase, Stalled / 5))));
        await AssertBoundedAsync(server, null, answers);
    }

    /// <summary>What TLS takes for a connection is bounded with the connections.</summary>
    [Fact]
    public async Task Over_TLS_stalled_connections_make_room_too()
    {
        using var folder = new TemporaryFolder();
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, TimeProvider.System.GetUtcNow().AddDays(1));
        var file = Path.Combine(folder.Path, "certificate.pfx");
        await File.WriteAllBytesAsync(file, certificate.Export(X509ContentType.Pfx, "x"), TestContext.Current.CancellationToken);

        await using var server = await StartAsync(("TRACKMATE_URLS", "https://127.0.0.1:0"), ("Kestrel__Certificates__Default__Path", file), ("Kestrel__Certificates__Default__Password", "x"));
        foreach (var phase in new[] { Phase.BeforeAnything, Phase.InTheHandshake, Phase.InTheHeaders, Phase.InTheBody, Phase.AfterAnAnswer })
        {
            using var attacker = new StalledConnections(server.Address);

            var answered = await HonestAsync(server, () => attacker.StallAsync(phase, Stalled));

            await AssertBoundedAsync(server, phase, answered);
        }
    }

    /// <summary>Each has an address of its own as a trusted proxy says, so that no bound of an address holds.</summary>
    [Fact]
    public async Task Addresses_behind_a_proxy_make_room_for_honest_ones()
    {
        await using var server = await StartAsync(("TRACKMATE_TRUSTED_PROXIES", "127.0.0.1"), ("TRACKMATE_RATE_LIMIT", "100"));
        using var attacker = new StalledConnections(server.Address);

        var answered = await HonestAsync(server, () => attacker.StallAsync(Phase.InTheBody, Stalled, i => $"198.51.{i / 250}.{i % 250}"));

        await AssertBoundedAsync(server, Phase.InTheBody, answered);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_address_holds_no_more_than_its_share(bool behindAProxy)
    {
        const int Share = 20;
        await using var server = await StartAsync(
            ("TRACKMATE_TRUSTED_PROXIES", behindAProxy ? "127.0.0.1" : null), ("TRACKMATE_RATE_LIMIT", "100000"), ("TRACKMATE_MAX_CONNECTIONS_PER_ADDRESS", "20"), ("TRACKMATE_BODY_MEMORY_PER_ADDRESS", "4"));
        using var attacker = new StalledConnections(server.Address);
        await attacker.StallAsync(Phase.InTheBody, 60, behindAProxy ? _ => "198.51.100.7" : null);

        var metrics = await Eventually.BecomesAsync(() => MetricsAsync(server), metrics => metrics["trackmate_connections"] <= Share + 1);
        Assert.True(metrics["trackmate_connections"] <= Share + 1, $"It holds {metrics["trackmate_connections"]} connections.");
        Assert.InRange(metrics["trackmate_held_bytes"], 1, 4 << 20);
        Assert.True(metrics["trackmate_connections_closed_total"] > 0);
    }

    [Fact]
    public async Task A_body_has_a_time_as_a_whole_however_fast_it_begins()
    {
        await using var server = await StartAsync(("TRACKMATE_BODY_SECONDS", "1"));
        var answer = await BeginAsync(server, "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + new string(' ', 500_000));

        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("within 1 seconds", answer);
        Assert.DoesNotContain("\"LogLevel\":\"Error\"", server.Output);
        Assert.Equal(0, (await MetricsAsync(server))["trackmate_held_bytes"]);
    }

    /// <summary>Whether the body is read, read through a decoder, or not at all.</summary>
    [Theory]
    [InlineData("POST /api/events", "", "400")]
    [InlineData("POST /api/events", "Content-Encoding: gzip\r\n", "400")]
    [InlineData("POST /api/nothing", "", "404")]
    [InlineData("HEAD /trackmate.js", "", "200")]
    public async Task A_trailer_that_is_no_text_is_the_senders_fault(string call, string header, string status)
    {
        await using var server = await StartAsync();
        var answer = await BeginAsync(server, $"{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nX-Trailer: \0\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.DoesNotContain("\"LogLevel\":\"Error\"", server.Output);
    }

    /// <summary>A body that names a company which is not here is not read to its end.</summary>
    [Fact]
    public async Task An_unknown_sender_is_refused_at_the_beginning_of_a_large_body()
    {
        await using var server = await StartAsync();
        var begun = """{"company_id":"TM-NOBODY","sessionId":"s","eventType":"x" """.PadRight(40_000);
        var answer = await BeginAsync(server, "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + begun);

        Assert.StartsWith("HTTP/1.1 401 ", answer);
        Assert.Contains("company_id", answer);
    }

    private static Task<ServerProcess> StartAsync(params (string Name, string? Value)[] settings) => StartAsync(0, settings);

    private static Task<ServerProcess> StartAsync(int heapMebibytes, params (string Name, string? Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["TRACKMATE_MAX_CONNECTIONS"] = Cap.ToString(), ["DOTNET_GCHeapHardLimit"] = heapMebibytes == 0 ? null : (heapMebibytes << 20).ToString("x") };
        foreach (var (name, value) in settings) all[name] = value;
        return ServerProcess.StartAsync(settings: all);
    }

    /// <summary>Sends events on fresh and on kept connections from before the attack until after it.</summary>
    /// <returns>How long each took.</returns>
    private static async Task<List<TimeSpan>> HonestAsync(ServerProcess server, Func<Task> attack)
    {
        var times = new List<TimeSpan>();
        using var kept = ClientOf(server);
        var attacking = attack();
        for (var more = 20; more > 0; more -= attacking.IsCompleted ? 1 : 0)
        {
            using var fresh = ClientOf(server);
            times.Add(await TrackAgainAsync(fresh));
            times.Add(await TrackAgainAsync(kept));
        }

        await attacking;
        return times;

        // A connection that is idle, or that a busy machine has not come to yet, may have been closed to make room; a browser sends again on a new one.
        static async Task<TimeSpan> TrackAgainAsync(HttpClient http)
        {
            var started = Stopwatch.GetTimestamp();
            for (var tries = 1; ; tries++)
            {
                try
                {
                    (await new Shopper(http, ServerProcess.CompanyId) { ForwardedFor = "203.0.113.9" }.TrackAsync("page_view")).AssertOk();
                    return Stopwatch.GetElapsedTime(started);
                }
                catch (HttpRequestException) when (tries < 3)
                {
                }
            }
        }
    }

#pragma warning disable MA0039 // The server is this test's own, and so is its certificate: nobody else signs it.
    private static HttpClient ClientOf(ServerProcess server) =>
        new(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" }) { BaseAddress = server.Address };
#pragma warning restore MA0039

    private static async Task AssertBoundedAsync(ServerProcess server, Phase? phase, List<TimeSpan> answered)
    {
        var metrics = await MetricsAsync(server);
        Assert.True(metrics["trackmate_connections"] <= Cap, $"{metrics["trackmate_connections"]} connections are open.");
        Assert.True(metrics["trackmate_held_bytes"] <= 64 << 20, $"{metrics["trackmate_held_bytes"]} bytes are held.");
        var resident = ResidentBytes(server.ProcessId);
        TestContext.Current.TestOutputHelper?.WriteLine($"{phase}: {resident >> 20} MiB resident, {metrics["trackmate_held_bytes"] / 1e6:0.0} MB held, {metrics["trackmate_connections"]} open, slowest answer {answered.Max().TotalMilliseconds:0} ms of {answered.Count}");
        Assert.True(resident < MaxResidentBytes, $"{resident >> 20} MiB are resident.");
        // Beside other tests a machine may be slow; what never comes fails by itself.
        if (Long) Assert.True(answered.Max() < Verdict, $"An honest event took {answered.Max()}.");
        var errors = server.Output.Split('\n').Where(line => line.Contains("\"LogLevel\":\"Error\"", StringComparison.Ordinal)).ToList();
        Assert.True(errors.Count == 0, $"{errors.Count} errors are in the log, such as {errors.FirstOrDefault()}");
    }

    private static async Task<Dictionary<string, double>> MetricsAsync(ServerProcess server)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal) { ["trackmate_connections_closed_total"] = 0 };
        foreach (Match line in MetricLine().Matches(await TextOfMetricsAsync(server)))
            values[line.Groups["name"].Value] = values.GetValueOrDefault(line.Groups["name"].Value) + double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture);
        return values;
    }

    /// <summary>At the bounds a new connection of the same address may be the one that is closed; the next is taken.</summary>
    private static async Task<string> TextOfMetricsAsync(ServerProcess server)
    {
        var text = await Eventually.BecomesAsync<string?>(
            async () =>
            {
                using var http = ClientOf(server);
                try
                {
                    return await http.GetStringAsync("/metrics");
                }
                catch (HttpRequestException)
                {
                    return null;
                }
            },
            text => text is not null);
        return text ?? throw new InvalidOperationException("The metrics cannot be read.");
    }

    private static long ResidentBytes(int process) =>
        1024 * long.Parse(File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    /// <summary>Sends what a request begins with, and no more.</summary>
    /// <returns>All that is answered until the server closes the connection.</returns>
    private static async Task<string> BeginAsync(ServerProcess server, string begun)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port, limit.Token);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(begun), limit.Token);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, limit.Token) is > 0 and var read) answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // What is left of the body is not waited for without end.
        }

        return answer.ToString();
    }

    [GeneratedRegex(@"^(?<name>trackmate_\w+)(\{[^}]*\})? (?<value>[0-9.eE+-]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex MetricLine();
}
