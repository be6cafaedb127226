using Microsoft.Data.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Manage;

/// <summary>What the doctor sees, beside a running server and in folders that something happened to.</summary>
[EmbeddedOnly]
public sealed class DoctorTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static readonly (string Sql, string Table)[] Damages =
    [
        ("UPDATE server_run SET events = events + 1", "server_run"),
        ("UPDATE span SET to_ms = to_ms - 1", "span"),
        ("UPDATE session SET identified = 1 - identified", "session"),
        ("UPDATE session SET first_day = first_day + 1", "session"),
        ("UPDATE session SET first_day = NULL", "session"),
        ("DELETE FROM session_day", "session_day"),
        ("UPDATE ledger_entry SET amount = '80.00'", "ledger_entry"),
        ("DELETE FROM payment_key", "payment_key"),
    ];

    private readonly CommandLineRunner trackmate = new(running.Server);

    [Fact]
    public async Task A_busy_server_is_well()
    {
        await PlayAsync();

        var said = await trackmate.DoAsync("doctor");

        Assert.All(said.Trim().Split('\n'), line => Assert.StartsWith("ok ", line));
        Assert.Contains("SQLite 3.", said);
        Assert.Contains("are free on the disk", said);
        Assert.Contains("write-ahead log", said);
        Assert.Contains("schema is this program's", said);
        Assert.Contains("matches a rebuild", said);
    }

    /// <summary>Alarms are raised of one of so many: not by the doctor, who only looks.</summary>
    [Fact]
    public async Task So_is_one_with_a_person_of_many_identifiers()
    {
        await trackmate.DoAsync($"company set {ServerProcess.CompanyId} --max-emails 20");
        foreach (var number in Enumerable.Range(0, 12)) await running.Backend.WebhookAsync("order_placed", email: $"one-of-many-{number}@example.com", externalId: "many");
        Assert.Equal(13, (await running.Backend.ProfileOfAsync("one-of-many-3@example.com"))!["identifiers"]!.AsArray().Count);

        var said = await trackmate.DoAsync("doctor");

        Assert.All(said.Trim().Split('\n'), line => Assert.StartsWith("ok ", line));
    }

    [Fact]
    public async Task What_is_derived_wrongly_is_found()
    {
        await PlayAsync();
        using var folder = new TemporaryFolder();
        using var restored = new CommandLineRunner();
        await trackmate.DoAsync($"backup {folder.PathOf("backup")}");
        await restored.DoAsync($"restore {folder.PathOf("backup")}");
        await restored.DoAsync("doctor");

        await Assert.AllAsync(Damages, async damage =>
        {
            using var copy = new CommandLineRunner();
            Commands.Run("cp", ["-a", restored.DataFolder, copy.DataFolder], "copy a folder");
            Run(copy, damage.Sql);

            var (exitCode, output, errors) = await copy.RunAsync("doctor");
            Assert.Equal(1, exitCode);
            Assert.Matches($"WRONG The derived data differs from a rebuild: [0-9,]+ rows? of {damage.Table}", output);
            Assert.Single(errors.Trim().Split('\n'));
        });
    }

    [Fact]
    public async Task A_damaged_file_and_a_newer_schema_are_found()
    {
        using var copy = new CommandLineRunner();
        await copy.DoAsync("company add TM-SHOP99");
        Run(copy, "PRAGMA user_version = 99");
        Assert.Contains($"WRONG The data folder {copy.DataFolder} was written by a newer TrackMate (schema 99", (await copy.RunAsync("doctor")).Output);
        Assert.StartsWith($"The data folder {copy.DataFolder} was written by a newer TrackMate", await copy.FailAsync("company list", 1));

        await File.WriteAllTextAsync(Path.Combine(copy.DataFolder, "trackmate.db"), new string('x', 9000));
        var (exitCode, output, _) = await copy.RunAsync("doctor");
        Assert.Equal(1, exitCode);
        Assert.Contains("WRONG ", output);
    }

    private async Task PlayAsync()
    {
        var shopper = running.NewShopper();
        var email = $"{Guid.CreateVersion7()}@example.com";
        await shopper.TrackAsync("page_view", new { address = "/" });
        await shopper.IdentifyAsync(email);
        await running.Backend.WebhookAsync("payment_processed", new { amount = 5, orderId = email }, email: email);
        await running.Backend.WebhookAsync("support_call", sessionId: shopper.SessionId);
    }

    private static void Run(CommandLineRunner copy, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(copy.DataFolder, "trackmate.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
