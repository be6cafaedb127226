using Npgsql;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Manage;

/// <summary>The doctor looks a database over as it does a folder: it derives everything anew beside what is there, and writes nothing.</summary>
[OwnStore]
public sealed class PostgresDoctorTests
{
    [Fact]
    public async Task What_is_derived_is_compared_with_a_rebuild()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        await using var servers = await SharedServers.StartAsync(1, schema.Connection);
        var server = servers[0];
        using var trackmate = servers.Beside(server);
        await trackmate.DoAsync($"demo --url {server.Address} --company {ServerProcess.CompanyId} --api-key {ServerProcess.ApiKey}");
        await trackmate.DoAsync($"company set {ServerProcess.CompanyId} --max-emails 20");
        foreach (var number in Enumerable.Range(0, 12)) await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("order_placed", email: $"{number}@example.com", externalId: "many");
        await schema.AskAsync("DELETE FROM alarm");

        var healthy = await trackmate.DoAsync("doctor");
        Assert.Contains("ok    The derived data", healthy);
        Assert.DoesNotContain("WRONG", healthy);
        Assert.Equal(healthy, await trackmate.DoAsync("doctor"));
        Assert.Equal(0L, await schema.AskAsync("SELECT count(*) FROM alarm"));

        await schema.AskAsync("UPDATE span SET to_ms = 0; UPDATE session SET identified = 0");
        var (exitCode, output, _) = await trackmate.RunAsync("doctor");
        Assert.Equal(1, exitCode);
        Assert.Contains("of span", output);
        Assert.Contains("of session", output);
    }

    [Fact]
    public async Task What_the_database_does_not_promise_is_reported_with_what_to_do()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        await using var servers = await SharedServers.StartAsync(1, schema.Connection);
        using var trackmate = servers.Beside(servers[0]);
        Assert.Contains(" is PostgreSQL ", await trackmate.DoAsync("doctor --quick"));

        trackmate.Environment["TRACKMATE_DATABASE"] = new NpgsqlConnectionStringBuilder(schema.Connection) { Options = "-c synchronous_commit=off" }.ConnectionString;
        var (exitCode, output, _) = await trackmate.RunAsync("doctor --quick");
        Assert.Equal(1, exitCode);
        Assert.Contains("has synchronous_commit off, so a power cut takes what was acknowledged. Set it to on for this role and database.", output);
    }

    [Fact]
    public async Task A_database_that_does_not_keep_text_as_UTF8_is_reported()
    {
        var server = await PostgresServer.Shared;
        var name = RunningServer.Unique("ascii_");
        await server.ExecuteAsync($"CREATE DATABASE {name} OWNER {PostgresServer.User} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
        try
        {
            await using var servers = await SharedServers.StartAsync(1, new NpgsqlConnectionStringBuilder(server.Connection) { Database = name }.ConnectionString);
            using var trackmate = servers.Beside(servers[0]);
            var (exitCode, output, _) = await trackmate.RunAsync("doctor --quick");
            Assert.Equal(1, exitCode);
            Assert.Contains("WRONG The database has the encoding SQL_ASCII.", output);
        }
        finally
        {
            await server.ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
        }
    }
}
