using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>What an operator sees of a server, and what nobody ever sees in its logs.</summary>
public sealed class TelemetryTests
{
    private static readonly Dictionary<string, string?> BehindProxy = new() { ["TRACKMATE_TRUSTED_PROXIES"] = "127.0.0.1" };

    [Fact]
    public async Task Metrics_count_what_came_what_was_refused_and_what_it_cost()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await shopper.TrackAsync("page_view", eventId: "m_1");
        await shopper.TrackAsync("page_view", eventId: "m_1");
        await shopper.TrackAsync("");
        await new Shopper(server.Http, "TM-NOBODY").TrackAsync("page_view");
        await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("paid", email: "m@example.com");

        var metrics = await server.Http.GetStringAsync("/metrics");

        Assert.Equal(1, ValueOf(metrics, "trackmate_messages_accepted", "origin=\"browser\""));
        Assert.Equal(1, ValueOf(metrics, "trackmate_messages_accepted", "origin=\"server\""));
        Assert.Equal(1, ValueOf(metrics, "trackmate_messages_duplicates", "origin=\"browser\""));
        Assert.Equal(1, ValueOf(metrics, "trackmate_messages_refused", "reason=\"unknown_company\""));
        Assert.Equal(1, metrics.Split('\n').Where(line => line.StartsWith("trackmate_messages_refused", StringComparison.Ordinal) && !line.Contains("unknown_company", StringComparison.Ordinal)).Sum(Value));
        Assert.Equal(0, ValueOf(metrics, "trackmate_queue_length", "sender=\"browsers\""));
        Assert.True(ValueOf(metrics, "trackmate_commit_duration_seconds_count") >= 3);
        Assert.True(ValueOf(metrics, "trackmate_commit_messages_sum") >= 2);
    }

    [Fact]
    public async Task The_stitch_rate_is_the_share_of_sessions_that_are_somebodys_and_none_where_there_was_none()
    {
        await using var server = await ServerProcess.StartAsync();
        var quiet = await Shop.OpenAsync(server);
        for (var i = 0; i < 5; i++)
        {
            var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
            await shopper.TrackAsync("page_view");
            if (i < 2) await shopper.IdentifyAsync("m@example.com");
        }

        // It is read beside the scrape that asks for it.
        var metrics = await Eventually.BecomesAsync(() => server.Http.GetStringAsync("/metrics"), text => text.Contains("trackmate_stitch_rate{", StringComparison.Ordinal));

        Assert.Equal(0.4, ValueOf(metrics, "trackmate_stitch_rate", $"company=\"{ServerProcess.CompanyId}\""));
        Assert.DoesNotContain(quiet.CompanyId, metrics);
    }

    [Fact]
    public async Task Metrics_are_for_this_machine_or_a_key_that_may_read()
    {
        await using var server = await ServerProcess.StartAsync(settings: BehindProxy);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, address: null, key: null));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "203.0.113.7", key: null));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "203.0.113.7", key: new string('x', 40)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "203.0.113.7", ServerProcess.ApiKey));
    }

    [Fact]
    public async Task A_proxy_that_is_not_trusted_does_not_make_strangers_local()
    {
        await using var server = await ServerProcess.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "127.0.0.1", key: null));
    }

    [Fact]
    public async Task Logs_are_JSON_without_bodies_or_secrets()
    {
        const string secret = "hunter2-do-not-log";
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["Logging__LogLevel__Default"] = "Trace" });
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await shopper.TrackAsync("login", new { password = secret });
        await shopper.TrackAsync(secret + "\n");
        await shopper.IdentifyAsync($"{secret}@@example.com");
        await server.Http.PostAsync("/api/events", new StringContent("{\"" + secret));
        await new ShopBackend(server.Http, secret + new string('x', 30)).GetAsync("/api/profiles?q=" + secret);
        await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/profiles/" + secret);
        await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/" + secret);
        await server.StopAsync();

        Assert.DoesNotContain(secret, server.Output);
        Assert.DoesNotContain(ServerProcess.ApiKey, server.Output);
        Assert.DoesNotContain(ServerProcess.AdminPassword, server.Output);
        foreach (var line in server.Output.Split('\n').Where(line => line.StartsWith('{'))) JsonNode.Parse(line);
    }

    [Fact]
    public async Task Traces_go_where_an_endpoint_is_set()
    {
        var (collector, address) = Listen();
        using var listening = collector;
        var received = collector.GetContextAsync();
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        });

        await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/profiles?q=sarah@example.com");

        var call = await received.WaitAsync(TimeSpan.FromSeconds(30));
        using var body = new MemoryStream();
        await call.Request.InputStream.CopyToAsync(body);
        call.Response.Close();
        var trace = Encoding.UTF8.GetString(body.ToArray());
        Assert.Equal("/v1/traces", call.Request.Url!.AbsolutePath);
        Assert.Contains("trackmate", trace);
        Assert.Contains("/api/profiles", trace);
        Assert.DoesNotContain("sarah", trace);
        Assert.DoesNotContain(ServerProcess.ApiKey, trace);
    }

    private static async Task<HttpStatusCode> StatusAsync(ServerProcess server, string? address, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (address is not null) request.Headers.Add("X-Forwarded-For", address);
        if (key is not null) request.Headers.Add("X-TrackMate-API-Key", key);
        using var response = await server.Http.SendAsync(request);
        return response.StatusCode;
    }

    private static double ValueOf(string metrics, string name, string label = "") =>
        metrics.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal)).Select(Value).FirstOrDefault(-1);

    private static double Value(string line) => double.Parse(line.Split(' ')[1]);

    private static (HttpListener Listener, string Address) Listen()
    {
        while (true)
        {
            int port;
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                port = ((IPEndPoint)free.LocalEndpoint).Port;
            }

            var (listener, address) = (new HttpListener(), $"http://127.0.0.1:{port}");
            try
            {
                listener.Prefixes.Add(address + "/");
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException)
            {
                // Somebody was faster.
                listener.Close();
            }
        }
    }
}
