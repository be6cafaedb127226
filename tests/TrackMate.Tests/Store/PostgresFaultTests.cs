using System.Net;
using Npgsql;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>
/// Whatever becomes of a database or of a server on it: senders are told to come again, servers recover by themselves, and what was acknowledged is there once, for ever.
/// </summary>
[OwnStore]
public sealed class PostgresFaultTests
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_database_that_goes_away_is_a_503_until_it_is_back(bool isKilled)
    {
        await using var database = await PostgresServer.StartAsync();
        await using var server = await StartAsync(database.Connection);
        using var person = new DashboardClient();
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(server));
        var traffic = new Traffic(senders: 4);
        var isEnough = false;
        var sending = traffic.SendToAsync([server.Http], () => Volatile.Read(ref isEnough));
        await traffic.AcknowledgedAsync(40, sending);

        await (isKilled ? database.KillAsync() : database.StopAsync(immediately: true));
        for (var i = 0; i < 3; i++) await AssertUnavailableAsync(server, person);

        // The registry is asked four times a second.
        await server.PrintsAsync("registry of companies and keys cannot be read");
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
        foreach (var told in new[] { "The registry of companies and keys cannot be read", $"The database trackmate at 127.0.0.1:{database.Port} cannot be read", $"The database trackmate at 127.0.0.1:{database.Port} cannot be written" })
            Assert.Matches("\"Timestamp\":\"20[0-9-]+T[0-9:.]+Z\"", Assert.Single(server.Output.Split('\n'), line => line.Contains(told, StringComparison.Ordinal)));

        await database.StartAgainAsync();
        await AssertRecoversAsync(server, person);
        await traffic.AcknowledgedAsync(traffic.Acknowledged + 20, sending);
        Volatile.Write(ref isEnough, true);
        Assert.Empty(await sending);
        await traffic.AssertKeptAsync(server.Http);
        await traffic.SendAgainAsync(server.Http, allKnown: true);
        await traffic.AssertKeptAsync(server.Http);
        await AssertNoFaultOfOursAsync(server);
    }

    [Fact]
    public async Task What_the_replica_has_not_confirmed_is_not_acknowledged()
    {
        await using var database = await PostgresServer.StartAsync(new() { Fsync = false });
        await using var server = await StartAsync(database.Connection + ";Command Timeout=1");
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        (await backend.WebhookAsync("order_shipped", email: "sarah@shop.com", eventId: "before")).AssertOk();

        // The one that is to confirm is away: PostgreSQL itself takes it for done once nobody waits any more.
        await database.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'away'");
        await database.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => (await backend.WebhookAsync("order_shipped", email: "sarah@shop.com", eventId: $"asked-{Guid.CreateVersion7()}")).Response.StatusCode is HttpStatusCode.ServiceUnavailable, () => server.Output);
        var unsure = await backend.WebhookAsync("order_shipped", email: "sarah@shop.com", eventId: "unsure");
        AssertComeAgain(unsure.Response);
        Assert.Contains("has not answered whether it stored this", $"{unsure.Body}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync(server, "ready"));
        using var trackmate = new CommandLineRunner();
        trackmate.Environment["TRACKMATE_DATABASE"] = database.Connection + ";Command Timeout=1";
        Assert.Contains("); look before you try it again.", await trackmate.FailAsync("key add", 1));

        await database.ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names");
        await database.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK, () => server.Output);
        (await backend.WebhookAsync("order_shipped", email: "sarah@shop.com", eventId: "unsure")).AssertOk();
        await AssertNoFaultOfOursAsync(server);
    }

    [Fact]
    public async Task A_role_that_may_not_read_the_tables_is_told_so_and_not_that_there_are_none()
    {
        await using var database = await PostgresServer.StartAsync(new() { Fsync = false });
        await using (await StartAsync(database.Connection))
        {
        }

        await database.ExecuteAsync("CREATE ROLE stranger LOGIN");
        using var trackmate = new CommandLineRunner();
        trackmate.Environment["TRACKMATE_DATABASE"] = new NpgsqlConnectionStringBuilder(database.Connection) { Username = "stranger" }.ConnectionString;
        Assert.Contains("permission denied for table schema_version", await trackmate.FailAsync("company list", 1));
    }

    [Fact]
    public async Task A_start_or_a_verb_without_the_database_says_where_it_was_looked_for_and_why_in_vain()
    {
        await using var database = await PostgresServer.StartAsync(new() { Fsync = false });
        await database.StopAsync();
        using var trackmate = new CommandLineRunner();
        trackmate.Environment["TRACKMATE_DATABASE"] = database.Connection;
        trackmate.Environment["TRACKMATE_URLS"] = "http://127.0.0.1:0";
        foreach (var verb in new[] { "serve", "company list", "company add TM-NEW", "erase --email a@b.co", "doctor", $"move --from {database.Connection} --to {trackmate.DataFolder}" })
        {
            Assert.Equal(
                $"The database trackmate at 127.0.0.1:{database.Port} cannot be used: Failed to connect to 127.0.0.1:{database.Port}: Connection refused. Check that it is running there and accepts connections from this machine.",
                await trackmate.FailAsync(verb, 1));
        }
    }

    [Fact]
    public async Task A_database_without_a_schema_for_the_role_says_so_and_what_to_do()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var trackmate = new CommandLineRunner();
        trackmate.Environment["TRACKMATE_DATABASE"] = schema.Url.Replace(schema.Name, "nowhere", StringComparison.Ordinal);
        foreach (var verb in new[] { "serve", "company list", "company add TM-NEW" })
            Assert.EndsWith("cannot be used: there is no schema in it that the role trackmate may use; make the one that the connection's search_path names, or where it names none: CREATE SCHEMA AUTHORIZATION trackmate.", await trackmate.FailAsync(verb, 1));
    }

    [Fact]
    public async Task A_database_that_hangs_is_a_503_after_the_time_out_and_those_who_ask_nothing_of_it_are_answered_at_once()
    {
        await using var database = await PostgresServer.StartAsync();
        await using var server = await StartAsync(new NpgsqlConnectionStringBuilder(database.Connection) { CommandTimeout = 5, Timeout = 2 }.ConnectionString);
        using var person = new DashboardClient();
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(server));
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        (await backend.WebhookAsync("order_shipped", email: "before@shop.com", eventId: "before")).AssertOk();
        (await backend.GetAsync("/api/profiles?limit=1")).AssertOk();

        var hanging = database.Processes;
        Signal("STOP", hanging);
        try
        {
            var asked = Enumerable.Range(0, 40).Select(_ => backend.GetAsync("/api/profiles?limit=1")).Append(backend.WebhookAsync("order_shipped", email: "during@shop.com", eventId: "during")).ToList();
            var live = server.Http.GetAsync("/health/live", Cancel);
            Assert.Same(live, await Task.WhenAny([live, .. asked]));
            Assert.Equal(HttpStatusCode.OK, (await live).StatusCode);
            foreach (var answer in await Task.WhenAll(asked)) AssertComeAgain(answer.Response);
            await AssertUnavailableAsync(server, person);
        }
        finally
        {
            Signal("CONT", hanging);
        }

        await AssertRecoversAsync(server, person);
        (await backend.WebhookAsync("order_shipped", email: "during@shop.com", eventId: "during")).AssertOk();
        Assert.Equal(2, (await backend.GetAsync("/api/profiles?limit=10")).Body!["profiles"]!.AsArray().Count);
        await AssertNoFaultOfOursAsync(server);
    }

    [Fact, PlainPostgres]
    public async Task Connections_that_were_ended_while_they_lay_idle_are_noticed_by_nobody()
    {
        var name = RunningServer.Unique("trackmate-");
        await using var schema = await PostgresSchema.CreateAsync();
        await using var server = await StartAsync(new NpgsqlConnectionStringBuilder(schema.Connection) { ApplicationName = name }.ConnectionString);
        using var person = new DashboardClient();
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(server));
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        for (var round = 0; round < 3; round++)
        {
            // Many readers at once, until several of their connections lie idle.
            await Eventually.TrueAsync(
                async () =>
                {
                    await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => backend.GetAsync("/api/profiles?limit=1")));
                    return await IdleReadersAsync(name) > 1;
                },
                () => "Nothing lay idle.");
            Assert.True(await EndConnectionsAsync(name) > 1);
            (await backend.WebhookAsync("order_shipped", email: "idle@shop.com", eventId: $"idle-{round}")).AssertOk();
            await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => (await backend.GetAsync("/api/profiles?limit=1")).AssertOk()));
            using var page = await person.GetAsync(server, People);
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }

        await AssertNoFaultOfOursAsync(server);
    }

    [Fact]
    public async Task A_server_that_is_killed_under_load_takes_nothing_with_it_that_was_acknowledged()
    {
        await using var servers = await SharedServers.StartAsync(3);
        var traffic = new Traffic(senders: 6);
        var isEnough = false;
        var sending = traffic.SendToAsync([.. servers.All.Select(server => server.Http)], () => Volatile.Read(ref isEnough));
        await traffic.AcknowledgedAsync(80, sending);
        await servers[0].KillAsync();
        await traffic.AcknowledgedAsync(traffic.Acknowledged + 80, sending);
        Volatile.Write(ref isEnough, true);

        Assert.Empty(await sending);
        Assert.True(await traffic.AssertKeptAsync(servers[1].Http) >= 160);
        await traffic.SendAgainAsync(servers[2].Http, allKnown: true);
        await traffic.AssertKeptAsync(servers[2].Http);
        await AssertNoFaultOfOursAsync(servers.All);
    }

    [Fact]
    public async Task Servers_that_are_restarted_one_after_the_other_fail_nobody_who_comes_again()
    {
        await using var servers = await SharedServers.StartAsync(3);
        var clients = servers.All.Select(server => server.Http).ToArray();
        var traffic = new Traffic(senders: 6);
        var isEnough = false;
        var sending = traffic.SendToAsync(clients, () => Volatile.Read(ref isEnough));
        for (var i = 0; i < 3; i++)
        {
            await traffic.AcknowledgedAsync(traffic.Acknowledged + 40, sending);
            Assert.Equal(0, await servers[i].StopAsync());
            clients[i] = (await servers.AddAsync()).Http;
        }

        await traffic.AcknowledgedAsync(traffic.Acknowledged + 40, sending);
        Volatile.Write(ref isEnough, true);
        Assert.Empty(await sending);
        await traffic.AssertKeptAsync(clients[0]);
        await traffic.SendAgainAsync(clients[1], allKnown: true);
        await traffic.AssertKeptAsync(clients[2]);
        await AssertNoFaultOfOursAsync(servers.All);
    }

    [Fact]
    public async Task A_replica_that_takes_the_place_of_its_primary_has_all_that_was_acknowledged()
    {
        await using var primary = await PostgresServer.StartAsync();
        await using var replica = await primary.StartReplicaAsync();
        var both = new NpgsqlConnectionStringBuilder(primary.Connection) { Host = $"127.0.0.1:{primary.Port},127.0.0.1:{replica.Port}" }.ConnectionString;
        await using var servers = await SharedServers.StartAsync(2, both);
        var traffic = new Traffic(senders: 4);
        var isEnough = false;
        var sending = traffic.SendToAsync([.. servers.All.Select(server => server.Http)], () => Volatile.Read(ref isEnough));
        await traffic.AcknowledgedAsync(60, sending);
        await primary.KillAsync();
        await replica.PromoteAsync();

        await traffic.AcknowledgedAsync(traffic.Acknowledged + 60, sending);
        Volatile.Write(ref isEnough, true);
        Assert.Empty(await sending);
        // A server may have found the store away in between, and then one reader at a time finds out that it is back.
        foreach (var server in servers.All) Assert.Equal(HttpStatusCode.OK, await Eventually.BecomesAsync(() => HealthAsync(server, "ready"), status => status is HttpStatusCode.OK));
        await traffic.AssertKeptAsync(servers[0].Http);
        await traffic.SendAgainAsync(servers[1].Http, allKnown: true);
        await traffic.AssertKeptAsync(servers[1].Http);
        foreach (var server in servers.All) Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "ready"));
        await AssertNoFaultOfOursAsync(servers.All);
    }

    [Theory, PlainPostgres]
    [InlineData("40001")]
    [InlineData("40P01")]
    public async Task A_transaction_that_only_met_another_one_is_done_again_and_nobody_notices(string sqlState)
    {
        await using var schema = await PostgresSchema.CreateAsync();
        await using var server = await StartAsync(schema.Connection);
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        await FailFirstAsync(schema, sqlState, times: 3);

        var answer = (await shopper.TrackAsync("page_view", eventId: "met")).AssertOk();
        Assert.Equal("0", answer["duplicates"] ?? "0");
        // Numbers of a sequence are not taken back: three transactions failed, and the fourth did not.
        Assert.Equal(4L, await schema.AskAsync("SELECT last_value FROM fault"));

        await FailFirstAsync(schema, sqlState, times: 1_000_000);
        AssertComeAgain((await shopper.TrackAsync("page_view", eventId: "again")).Response);
        await schema.AskAsync("DROP TRIGGER fail_first ON message");
        (await shopper.TrackAsync("page_view", eventId: "again")).AssertOk();
        Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "ready"));
        var session = await new ShopBackend(server.Http, ServerProcess.ApiKey).SessionAsync(shopper.SessionId);
        Assert.Equal(["again", "met"], session.AssertOk().Body!["events"]!.AsArray().Select(shown => shown!["eventId"]!.ToString()).Order(StringComparer.Ordinal));
    }

    private static Task<ServerProcess> StartAsync(string connection) => ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = connection });

    private static async Task AssertUnavailableAsync(ServerProcess server, DashboardClient person)
    {
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        AssertComeAgain((await new Shopper(server.Http, ServerProcess.CompanyId).TrackAsync("page_view")).Response);
        AssertComeAgain((await backend.WebhookAsync("order_shipped", email: "away@shop.com")).Response);
        AssertComeAgain((await backend.GetAsync("/api/profiles?limit=1")).Response);
        // What nobody may do is told as that, not as a fault: keys are known without the database.
        Assert.Equal(HttpStatusCode.Unauthorized, (await new ShopBackend(server.Http, "tm_test_nobody_has_this_key_0123456789").GetAsync("/api/profiles")).Status);
        foreach (var path in new[] { People, $"/c/{ServerProcess.CompanyId}/get-started", "/" })
        {
            using var page = await person.GetAsync(server, path);
            AssertComeAgain(page);
        }

        using (var key = await person.SubmitAsync(server, server, "/login", ("_handler", "login"), ("name", "admin"), ("password", "not the password")))
            Assert.NotEqual(HttpStatusCode.InternalServerError, key.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync(server, "ready"));
        Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "live"));
    }

    private static async Task AssertRecoversAsync(ServerProcess server, DashboardClient person)
    {
        await Eventually.TrueAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK, () => server.Output);
        (await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/profiles?limit=1")).AssertOk();
        using var page = await person.GetAsync(server, People);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        // What changes in the registry is heard again.
        await server.PrintsAsync("registry of companies and keys can be read again");
    }

    private static void AssertComeAgain(HttpResponseMessage answer)
    {
        Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable, $"{(int)answer.StatusCode} instead of 503: {answer.RequestMessage!.RequestUri}");
        Assert.Matches("^[1-9][0-9]*$", answer.Headers.GetValues("Retry-After").Single());
    }

    /// <summary>Ends them first, for what a server printed is all read only then.</summary>
    private static async Task AssertNoFaultOfOursAsync(params IEnumerable<ServerProcess> servers)
    {
        foreach (var server in servers)
        {
            await server.StopAsync();
            Assert.DoesNotContain("got a 500", server.Output);
            Assert.DoesNotContain("could not be shown.\"", server.Output);
            Assert.DoesNotContain("cannot be written, whatever", server.Output);
        }
    }

    private static async Task<HttpStatusCode> HealthAsync(ServerProcess server, string what)
    {
        using var answer = await server.Http.GetAsync("/health/" + what, Cancel);
        return answer.StatusCode;
    }

    private static void Signal(string name, IEnumerable<int> processes) => Commands.Run("kill", ["-" + name, .. processes.Select(id => id.ToString())], "signal a server");

    /// <summary>Those whose last word ended a transaction, but for the one writer that this company has.</summary>
    private static async Task<long> IdleReadersAsync(string name) =>
        (long)(await (await PostgresServer.Shared).ScalarAsync($"SELECT count(*) - 1 FROM pg_stat_activity WHERE application_name = '{name}' AND state = 'idle' AND query = 'COMMIT'"))!;

    private static async Task<long> EndConnectionsAsync(string name) =>
        (long)(await (await PostgresServer.Shared).ScalarAsync($"SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = '{name}'"))!;

    private static async Task FailFirstAsync(PostgresSchema schema, string sqlState, int times) => await schema.AskAsync($$"""
        DROP TRIGGER IF EXISTS fail_first ON message;
        DROP SEQUENCE IF EXISTS fault;
        CREATE SEQUENCE fault;
        CREATE OR REPLACE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $fail$
        BEGIN
          IF nextval('fault') <= {{times}} THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{{sqlState}}'; END IF;
          RETURN NEW;
        END $fail$;
        CREATE TRIGGER fail_first BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION fail_first();
        """);
}
