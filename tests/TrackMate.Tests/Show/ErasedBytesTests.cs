using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>After an erasure no file of the data folder holds a byte of the person, while a server runs and after.</summary>
[EmbeddedOnly]
public sealed class ErasedBytesTests : IAsyncLifetime
{
    private const string Session = "session_1729260000_victoriasbrowser";
    private const string Email = "victoria.erased@example.com";
    private const string ExternalId = "crm-victoria-4711";

    /// <summary>Whatever is known of her and nobody else.</summary>
    private static readonly string[] Traces = [Email, "victoria", "Erasmus-Gone", ExternalId, Session, "vic_evt_", "SECRETGIFT", "secretorder", "blush-plan"];

    private ServerProcess? server;

    private ServerProcess Server => server!;

    private ShopBackend Backend => new(Server.Http, ServerProcess.ApiKey);

    public async ValueTask InitializeAsync() => server = await ServerProcess.StartAsync();

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();

    [Fact]
    public async Task No_file_holds_a_byte_of_whom_the_API_erased()
    {
        await FillAsync(1, 300);
        await LetVictoriaLiveAsync(1);
        await FillAsync(2, 300);
        await LetVictoriaLiveAsync(2);
        Assert.All(Traces, trace => Assert.Contains(Found(), found => found.EndsWith(": " + trace, StringComparison.Ordinal)));
        var profile = (await Backend.ProfileOfAsync(Email))!["id"]!.ToString();

        var preview = await DeleteAsync($"/api/profiles/{profile}?dryRun=true");
        Assert.Equal("true", preview.AssertOk()["dryRun"]);
        Assert.NotNull(await Backend.ProfileOfAsync(Email));
        var answer = (await DeleteAsync($"/api/profiles/{profile}")).AssertOk();

        Assert.Equal("clean", answer["files"]);
        Assert.True(JsonNode.DeepEquals(preview.Body!["erased"], answer.Body!["erased"]), preview.Text + answer.Text);
        AssertNoTraces();
        Assert.Equal(HttpStatusCode.NotFound, (await Backend.GetAsync($"/api/profiles/{profile}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Backend.GetAsync($"/api/sessions/{Session}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await DeleteAsync($"/api/profiles/{profile}")).Status);

        // What the writer remembers must not bring anything back, and what is sent again is new.
        await FillAsync(3, 40);
        AssertNoTraces();
        var again = await Backend.WebhookAsync("order_shipped", email: Email, eventId: "vic_evt_w1");
        Assert.Equal((profile, "false"), (again.AssertOk()["profileId"], again["duplicate"]));
        Assert.Equal(1, (int)(await Backend.ProfileAsync(profile))["totals"]!["events"]!);
        Assert.Equal("clean", (await DeleteAsync($"/api/profiles/{profile}")).AssertOk()["files"]);
        await Server.StopAsync();
        AssertNoTraces();
    }

    [Fact]
    public async Task No_file_holds_a_byte_of_whom_the_command_line_erased_beside_the_server()
    {
        await FillAsync(1, 60);
        await LetVictoriaLiveAsync(1);
        await FillAsync(2, 60);
        using var trackmate = new CommandLineRunner(Server);

        Assert.Contains("USD", await trackmate.DoAsync($"erase --email {Email} --dry-run"));
        Assert.Contains("--yes", await trackmate.FailAsync($"erase --external-id {ExternalId}", 2));
        Assert.NotNull(await Backend.ProfileOfAsync(Email));
        Assert.Contains("no row and no byte", await trackmate.DoAsync($"erase --external-id {ExternalId} --yes"));

        AssertNoTraces();
        Assert.Null(await Backend.ProfileOfAsync(Email));

        // The server's writer has forgotten the numbers that are gone: the same session and e-mail are new ones.
        await new Shopper(Server.Http, ServerProcess.CompanyId, Session).TrackAsync("page_view", eventId: "vic_evt_again");
        await Backend.WebhookAsync("order_shipped", email: Email, eventId: "vic_evt_w1");
        await FillAsync(3, 20);
        Assert.Equal(1, (int)(await Backend.ProfileOfAsync(Email))!["totals"]!["events"]!);
        Assert.Single((await Backend.SessionAsync(Session)).AssertOk().Body!["events"]!.AsArray());
        Assert.Contains("has no such person", await trackmate.FailAsync("erase --email nobody@example.com --yes", 1));
        Assert.DoesNotContain("WRONG", await trackmate.DoAsync("doctor"));
    }

    [Fact]
    public async Task Whoever_is_to_stay_away_does_not_come_back_until_they_are_let()
    {
        await LetVictoriaLiveAsync(1);
        var profile = (await Backend.ProfileOfAsync(Email))!["id"]!.ToString();
        Assert.Equal("clean", (await DeleteAsync($"/api/profiles/{profile}?suppress=true")).AssertOk()["files"]);

        // A browser is answered as ever: who was erased is nobody's to learn.
        var shopper = new Shopper(Server.Http, ServerProcess.CompanyId, Session);
        Assert.Equal(profile, (await shopper.IdentifyAsync(Email, name: "Victoria Erasmus-Gone")).AssertOk()["profileId"]);
        foreach (var refused in new[] { await Backend.WebhookAsync("order_shipped", email: Email.ToUpperInvariant()), await Backend.WebhookAsync("order_shipped", externalId: ExternalId), await Backend.WebhookAsync("order_shipped", userId: profile) })
            Assert.Equal("urn:trackmate:problem:suppressed", refused.AssertRefused(422)["type"]);
        var batch = (await Backend.PostAsync("/api/webhooks/events", $$"""{"events":[{"identifier":{"email":"other@example.com"},"eventType":"a"},{"identifier":{"email":"{{Email}}"},"eventType":"a"}]}""")).AssertOk();
        Assert.Equal([false, true], batch.Body!["results"]!.AsArray().Select(result => result!["type"] is not null));
        (await Backend.PostAsync("/api/webhooks/events", $$"""{"identifier":{"email":" {{Email.ToUpperInvariant()}}"},"eventType":""}""")).AssertRefused(422);
        (await Backend.PostAsync("/api/webhooks/events", $$"""{"identifier":{"externalId":"{{ExternalId}}"},"eventType":""}""")).AssertRefused(422);
        (await shopper.SendAsync("/api/profile", $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"","email":"{{Email}}"}""")).AssertRefused(422);
        Assert.Null(await Backend.ProfileOfAsync(Email));
        AssertNoTraces();

        using var trackmate = new CommandLineRunner(Server);
        await trackmate.DoAsync($"erase --lift --email {Email}");
        (await Eventually.BecomesAsync(() => Backend.WebhookAsync("order_shipped", email: Email), answer => answer.Status is HttpStatusCode.OK)).AssertOk();
        Assert.Contains("does not suppress such a person", await trackmate.FailAsync($"erase --lift --email {Email}", 1));
    }

    [Fact]
    public async Task A_reader_that_holds_the_log_back_is_waited_for()
    {
        await FillAsync(1, 20);
        await LetVictoriaLiveAsync(1);
        var profile = (await Backend.ProfileOfAsync(Email))!["id"]!.ToString();
        Answer answer;
        using (var reader = TrackMate.Store.Sql.Sqlite.SqliteDatabase.Open(TrackMate.Store.Sql.Sqlite.SqliteEngine.PathIn(Server.DataFolder), readOnly: true))
        {
            reader.Execute("BEGIN");
            using (var row = reader.Use("SELECT COUNT(*) FROM message")) row.Next();
            answer = (await DeleteAsync($"/api/profiles/{profile}")).AssertOk();
            Assert.Equal("later", answer["files"]);
            Assert.Equal(HttpStatusCode.NotFound, (await Backend.GetAsync($"/api/profiles/{profile}")).Status);
            reader.Execute("COMMIT");
        }

        await Eventually.TrueAsync(() => Task.FromResult(Found().Count == 0), () => string.Join('\n', Found()));
    }

    private async Task<Answer> DeleteAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path);
        request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
        return await Answer.OfAsync(await Server.Http.SendAsync(request));
    }

    private async Task LetVictoriaLiveAsync(int round)
    {
        var shopper = new Shopper(Server.Http, ServerProcess.CompanyId, Session);
        for (var i = 0; i < 30; i++) (await shopper.TrackAsync("page_view", new { address = $"https://shop.com/{i}?gift=SECRETGIFT{new string('x', i * 20)}" }, eventId: $"vic_evt_{round}_{i}")).AssertOk();
        (await shopper.SendAsync("/api/profile", new JsonObject
        {
            ["company_id"] = ServerProcess.CompanyId,
            ["sessionId"] = Session,
            ["email"] = round == 1 ? " Victoria.Erased@Example.com" : Email,
            ["name"] = "Victoria Erasmus-Gone",
            ["traits"] = new JsonObject { ["plan"] = "blush-plan" },
            ["eventId"] = $"vic_evt_identify{round}",
        })).AssertOk();
        (await Backend.WebhookAsync("payment_processed", new { orderId = "secretorder", amount = 7.5, currency = "USD" }, email: Email, externalId: ExternalId, eventId: $"vic_evt_w{round}")).AssertOk();
        (await Backend.WebhookAsync("order_shipped", new { orderId = "secretorder" }, sessionId: Session, eventId: $"vic_evt_s{round}")).AssertOk();

        // Refused, and so among the rejected: in capitals, in escapes, cut, and in her session.
        (await Backend.PostAsync("/api/webhooks/events", """{"identifier":{"email":"VICTORIA.ERASED@example.com"}}""")).AssertRefused(422);
        (await Backend.PostAsync("/api/webhooks/events", """{"identifier":{"email":"victoria\u002eerased\u0040example.com"},"eventType":""}""")).AssertRefused(422);
        (await Backend.PostAsync("/api/webhooks/events", """{"eventType":"a","eventData":{"text":"TEXT","to":"EMAIL"},"identifier":{}}""".Replace("TEXT", new string('y', 4040)).Replace("EMAIL", Email))).AssertRefused(422);
        (await shopper.SendAsync("/api/events", $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{Session}}","eventType":""}""")).AssertRefused(422);
    }

    /// <summary>Others, so that pages of the store are split and written again around her rows.</summary>
    private async Task FillAsync(int round, int persons)
    {
        var random = new Random(round);
        for (var i = 0; i < persons; i++)
        {
            var name = $"{random.Next():x8}";
            var shopper = new Shopper(Server.Http, ServerProcess.CompanyId, $"session_17292{random.Next(10000, 99999)}_{name}");
            (await shopper.TrackManyAsync([.. Enumerable.Range(0, 5).Select(number => (JsonNode)new JsonObject
            {
                ["eventType"] = "page_view",
                ["eventId"] = $"{name}_{number}",
                ["eventData"] = new JsonObject { ["address"] = new string('a', random.Next(1, 300)) },
            })])).AssertOk();
            (await shopper.IdentifyAsync($"{name}@example.com", name: $"Person {name}")).AssertOk();
            (await Backend.WebhookAsync("payment_processed", new { orderId = name, amount = 1 }, email: $"{name}@example.com", externalId: name)).AssertOk();
        }
    }

    private void AssertNoTraces() => Assert.Equal("", string.Join('\n', Found()));

    /// <summary>Which traces which files hold, in UTF-8 or UTF-16, in any case.</summary>
    private List<string> Found()
    {
        var forms = Traces.SelectMany(trace => new[] { Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode }.Select(encoding => (Trace: trace, Bytes: encoding.GetBytes(trace.ToLowerInvariant())))).ToList();
        var found = new List<string>();

        // The lock's file is empty, and not to be opened by another process.
        foreach (var file in new DirectoryInfo(Server.DataFolder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Length > 0))
        {
            using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            var bytes = copy.ToArray();
            for (var i = 0; i < bytes.Length; i++)
            {
                if (bytes[i] is >= (byte)'A' and <= (byte)'Z') bytes[i] += 32;
            }

            found.AddRange(forms.Where(form => bytes.AsSpan().IndexOf(form.Bytes) >= 0).Select(form => $"{file.Name}: {form.Trace}"));
        }

        return found;
    }
}
