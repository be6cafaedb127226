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
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = schema.Connection });
        using var trackmate = new CommandLineRunner(server);
        trackmate.Environment["TRACKMATE_DATABASE"] = schema.Connection;
        await trackmate.DoAsync($"demo --url {server.Address} --company {ServerProcess.CompanyId} --api-key {ServerProcess.ApiKey}");
        await trackmate.DoAsync($"company set {ServerProcess.CompanyId} --max-emails 20");
        foreach (var number in Enumerable.Range(0, 12)) await new ShopBackend(server.Http, ServerProcess.ApiKey).WebhookAsync("order_placed", email: $"{number}@example.com", externalId: "many");
        await AskAsync(schema, "DELETE FROM alarm");

        var healthy = await trackmate.DoAsync("doctor");
        Assert.Contains("ok    What is derived", healthy);
        Assert.DoesNotContain("WRONG", healthy);
        Assert.Equal(healthy, await trackmate.DoAsync("doctor"));
        Assert.Equal(0L, await AskAsync(schema, "SELECT count(*) FROM alarm"));

        await AskAsync(schema, "UPDATE span SET to_ms = 0; UPDATE session SET identified = 0");
        var (exitCode, output, _) = await trackmate.RunAsync("doctor");
        Assert.Equal(1, exitCode);
        Assert.Contains("of span", output);
        Assert.Contains("of session", output);
    }

    private static async Task<object?> AskAsync(PostgresSchema schema, string sql)
    {
        await using var connection = new NpgsqlConnection(schema.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
