using System.Diagnostics;
using System.Text.Json.Nodes;
using Npgsql;
using TrackMate.Store.Move;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary><c>trackmate move</c>: the embedded store into PostgreSQL and back.</summary>
[OwnStore]
public sealed class MoveCommandTests(ToldStore told) : IClassFixture<ToldStore>, IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly CommandLineRunner trackmate = new();
    private PostgresSchema? schema;

    private PostgresSchema Schema => schema ?? throw new InvalidOperationException("There is no schema yet.");

    private string Embedded => folder.PathOf("data");

    public async ValueTask InitializeAsync()
    {
        schema = await PostgresSchema.CreateAsync();
        told.CopyTo(Embedded);
        trackmate.Environment["TRACKMATE_DATA"] = Embedded;
    }

    public async ValueTask DisposeAsync()
    {
        trackmate.Dispose();
        await Schema.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_store_goes_into_PostgreSQL_and_back_and_is_what_it_was()
    {
        var there = await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");
        Assert.Matches(@"Moved \d+ rows of \d+ tables from .+ into the database .+ the same: every row, and the exports of 2 companies\.", there);
        Assert.Contains("set TRACKMATE_DATABASE", there);
        Assert.Contains($"sealed with {Path.Combine(Embedded, "keys", "token.key")}", there);
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, Embedded, Schema.Connection));
        await using (var server = await StartAsync(folder.PathOf("node"), Schema.Connection)) Assert.Equal(told.Shown, await ToldStore.ShownAsync(server));

        var back = folder.PathOf("back");
        trackmate.Environment["TRACKMATE_DATA"] = Embedded;
        Assert.Contains("was copied to " + Path.Combine(back, "keys", "token.key"), await trackmate.DoAsync($"move --from {Schema.Url} --to {back}"));
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, back, null));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(Embedded, "keys", "token.key")), await File.ReadAllBytesAsync(Path.Combine(back, "keys", "token.key")));
        trackmate.Environment["TRACKMATE_DATA"] = back;
        Assert.DoesNotContain("WRONG", await trackmate.DoAsync("doctor"));

        // What comes later has numbers of its own, on either.
        await using (var server = await StartAsync(back, null))
        {
            Assert.Equal(told.Shown, await ToldStore.ShownAsync(server));
            await GoOnAsync(server, back, null);
        }

        await using (var server = await StartAsync(folder.PathOf("node"), Schema.Connection)) await GoOnAsync(server, folder.PathOf("node"), Schema.Connection);
    }

    [Fact]
    public async Task A_store_goes_from_one_database_into_another()
    {
        await using var other = await PostgresSchema.CreateAsync();
        await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");

        var there = await trackmate.DoAsync($"move --from {Schema.Url} --to {other.Url}");

        Assert.Contains("the same: every row, and the exports of 2 companies.", there);
        Assert.Contains("set TRACKMATE_DATABASE", there);
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, Embedded, other.Connection));
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, Embedded, Schema.Connection));
        await using (var server = await StartAsync(folder.PathOf("node"), other.Connection))
        {
            Assert.Equal(told.Shown, await ToldStore.ShownAsync(server));
            await GoOnAsync(server, folder.PathOf("node"), other.Connection);
        }

        Assert.Contains("There is data in the database", await trackmate.FailAsync($"move --from {Schema.Url} --to {other.Url}", 1));
    }

    [Fact]
    public async Task While_a_move_goes_on_no_server_starts_on_either_side()
    {
        await using var other = await PostgresSchema.CreateAsync();
        await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");
        using (var engine = PostgresEngine.Of(other.Connection)) engine.Upgrade();
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(other.Connection) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);

        // The move cannot end: it waits where this row would be in its way.
        await DoAsync(connection, "BEGIN; INSERT INTO message (company, id, at, received_ms, origin, event_id, data) VALUES (1, 4, 0, 0, 0, 'in the way', '{}')");
        using var move = Start($"move --from {Schema.Url} --to {other.Url}");
        await Eventually.TrueAsync(
            async () => await other.AskAsync("SELECT to_regclass('move_progress') IS NOT NULL") is true,
            () => $"The move did not begin.{(move.HasExited ? move.StandardError.ReadToEnd() : "")}");

        trackmate.Environment["TRACKMATE_DATABASE"] = other.Connection;
        Assert.Contains("is not finished; run it again with the same arguments", await trackmate.FailAsync("serve", 1));
        trackmate.Environment["TRACKMATE_DATABASE"] = Schema.Connection;
        Assert.Contains("a move from or to it is under way; start the server when that is done", await trackmate.FailAsync("serve", 1));

        trackmate.Environment.Remove("TRACKMATE_DATABASE");
        await DoAsync(connection, "ROLLBACK");
        await move.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, move.ExitCode);
    }

    [Fact]
    public async Task Killed_in_the_middle_of_a_table_it_goes_on_from_there()
    {
        using (var engine = PostgresEngine.Of(Schema.Connection)) engine.Upgrade();
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Schema.Connection) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);

        // The move waits where this row would be in its way, until it is known whether it will be there.
        await DoAsync(connection, "BEGIN; INSERT INTO message (company, id, at, received_ms, origin, event_id, data) VALUES (1, 4, 0, 0, 0, 'in the way', '{}')");
        using (var move = Start($"move --from {Embedded} --to {Schema.Url} --chunk 2"))
        {
            await Eventually.TrueAsync(
                async () => await Schema.AskAsync("SELECT to_regclass('move_progress') IS NOT NULL") is true && await Schema.AskAsync("SELECT copied FROM move_progress WHERE name = 'message'") is 2L,
                () => $"The move did not come to the second part.{(move.HasExited ? move.StandardError.ReadToEnd() : "")}");
            move.Kill();
            await move.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await DoAsync(connection, "ROLLBACK");
        Assert.Equal(2L, await Schema.AskAsync("SELECT copied FROM move_progress WHERE name = 'message' AND done = 0"));

        // Half a store is none.
        trackmate.Environment["TRACKMATE_DATABASE"] = Schema.Connection;
        foreach (var verb in new[] { "serve", "company list", "company add TM-NEW" }) Assert.Contains("is not finished; run it again with the same arguments", await trackmate.FailAsync(verb, 1));
        trackmate.Environment.Remove("TRACKMATE_DATABASE");
        Assert.Contains("is not finished; run it again", await trackmate.FailAsync($"move --from {Schema.Url} --to {folder.PathOf("elsewhere")}", 1));

        var (exitCode, output, errors) = await trackmate.RunAsync($"move --from {Embedded} --to {Schema.Url} --chunk 3");
        Assert.True(exitCode == 0, errors);
        Assert.Contains("continuing from there", errors);
        Assert.Contains("the same: every row", output);
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, Embedded, Schema.Connection));
    }

    [Fact]
    public async Task Killed_on_the_way_back_it_goes_on_too()
    {
        await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");
        var back = await KilledAsync();

        Assert.Contains("is not finished", await FailIn(back, "export --company " + ToldStore.Other));
        var (exitCode, _, errors) = await trackmate.RunAsync($"move --from {Schema.Url} --to {back} --chunk 3");
        Assert.True(exitCode == 0, errors);
        Assert.Contains("continuing from there", errors);
        Assert.Equal(told.Exports, await ToldStore.ExportsAsync(trackmate, back, null));

        // Of one row at a time it is soon somewhere in the middle; if the system let it run to its end before it was killed, another one is.
        async Task<string> KilledAsync()
        {
            for (var attempt = 0; ; attempt++)
            {
                var target = folder.PathOf($"back{attempt}");
                using var move = Start($"move --from {Schema.Url} --to {target} --chunk 1");
                await Eventually.TrueAsync(() => Task.FromResult(move.HasExited || IsHalf(target)), () => "The move did not begin.");
                move.Kill();
                await move.WaitForExitAsync(TestContext.Current.CancellationToken);
                if (IsHalf(target)) return target;
                Assert.True(attempt < 5, await move.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            }
        }
    }

    [Fact]
    public async Task A_move_of_another_store_or_of_what_was_written_to_since_does_not_go_on()
    {
        await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");
        await Schema.AskAsync("CREATE TABLE move_progress (name text PRIMARY KEY, last_key text NOT NULL, copied bigint NOT NULL, done bigint NOT NULL); INSERT INTO move_progress VALUES ('*', 'another', 0, 0)");

        Assert.Contains("Another move into the database", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
    }

    [Fact, PlainPostgres]
    public async Task What_is_not_the_same_in_the_end_is_told()
    {
        using (var engine = PostgresEngine.Of(Schema.Connection)) engine.Upgrade();
        await Schema.AskAsync("""
            CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.claim := NEW.claim + 1; RETURN NEW; END';
            CREATE TRIGGER spoil BEFORE INSERT ON span FOR EACH ROW EXECUTE FUNCTION spoil()
            """);

        Assert.Contains("The table span is not the same on both sides", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
        trackmate.Environment["TRACKMATE_DATABASE"] = Schema.Connection;
        Assert.Contains("is not finished", await trackmate.FailAsync("company list", 1));
    }

    [Fact]
    public async Task A_column_that_only_one_side_has_stops_it()
    {
        using (var engine = PostgresEngine.Of(Schema.Connection)) engine.Upgrade();
        await Schema.AskAsync("ALTER TABLE trait ADD COLUMN later bigint");

        Assert.StartsWith("The table trait has a column later in the database", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
    }

    [Fact]
    public async Task A_target_with_data_and_a_store_with_a_server_are_refused()
    {
        var (node, third) = (folder.PathOf("node"), folder.PathOf("third"));
        await using (var server = await StartAsync(Embedded, null))
            Assert.Equal($"A TrackMate server is running on {Embedded}; stop it first.", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));

        await using (var server = await StartAsync(node, Schema.Connection))
        {
            Assert.StartsWith("A TrackMate server is running on the database", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
            Assert.StartsWith("A TrackMate server is running on the database", await trackmate.FailAsync($"move --from {Schema.Url} --to {third}", 1));
        }

        Assert.Contains("There is data in the database", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
        Assert.Contains($"There is data in {Embedded} already", await trackmate.FailAsync($"move --from {Schema.Url} --to {Embedded}", 1));
        Assert.False(Directory.Exists(third));
    }

    [Fact]
    public async Task Text_that_PostgreSQL_cannot_keep_is_named()
    {
        using (var database = SqliteDatabase.Open(SqliteEngine.PathIn(Embedded)))
        {
            // As a version before this one kept it of an event that it refused.
            database.Execute("UPDATE rejected SET event_id = 'a' || char(0) || 'b' WHERE id = 1");
            database.Execute("UPDATE session SET session_id = 'a' || char(0) || 'b' WHERE id = 1");
        }

        Assert.StartsWith("In the table session (company 1, id 1) session_id holds the character U+0000", await trackmate.FailAsync($"move --from {Embedded} --to {Schema.Url}", 1));
        using (var database = SqliteDatabase.Open(SqliteEngine.PathIn(Embedded))) database.Execute("UPDATE session SET session_id = 'session_1' WHERE id = 1");
        await trackmate.DoAsync($"move --from {Embedded} --to {Schema.Url}");
        Assert.Equal(1L, await Schema.AskAsync("SELECT COUNT(*) FROM rejected WHERE event_id = E'a\\uFFFDb'"));
    }

    [Theory]
    [InlineData("move --from ./data", 2, "Option '--to' is required. See: trackmate move --help")]
    [InlineData("move --from ./one --to ./two", 2, "--to: to copy a store from one folder to another use trackmate backup and trackmate restore; give a database as one of the two.")]
    [InlineData("move --from postgres://a@127.0.0.1:1/b --to postgres://a@127.0.0.1:1/b", 2, "--to: it is the same place as --from.")]
    [InlineData("move --from ./one --to postgres://", 2, "--to: it ")]
    [InlineData("move --from ./nothing-there --to postgres://a@127.0.0.1:1/b", 1, "There is no TrackMate data in ")]
    public async Task Wrong_places_are_told(string line, int exitCode, string sentence)
    {
        Assert.StartsWith(sentence, await trackmate.FailAsync(line, exitCode));
        Assert.False(Directory.Exists(Path.Combine(Path.GetTempPath(), "nothing-there")));
    }

    private async Task GoOnAsync(ServerProcess server, string dataFolder, string? database)
    {
        var (browser, backend) = (new Shopper(server.Http, ServerProcess.CompanyId), new ShopBackend(server.Http, ServerProcess.ApiKey));
        (await browser.TrackAsync("page_view", eventId: "later 1")).AssertOk();
        (await browser.IdentifyAsync("later@shop.com", eventId: "later 2")).AssertOk();
        (await backend.WebhookAsync("order_shipped", email: "later@shop.com", externalId: "later", eventId: "later 3")).AssertOk();
        (await backend.WebhookAsync("order_shipped", userId: "0123456789abcdef01234568", eventId: "later 4")).AssertOk();
        (await browser.TrackAsync("")).AssertRefused(422);
        var (later, ann) = ((await backend.ProfileOfAsync("later@shop.com"))!["id"]!.ToString(), (await backend.ProfileOfAsync("ann@shop.com"))!["id"]!.ToString());
        Assert.Equal(["later 1", "later 2", "later 3"], (await backend.TimelineAsync(later)).Select(line => line["eventId"]!.ToString().Replace($"reg_{later}", "later 2")).Order(StringComparer.Ordinal));
        (await backend.PostAsync($"/api/profiles/{later}/merge", new JsonObject { ["profileId"] = ann })).AssertOk();
        (await backend.WebhookAsync("order_shipped", email: "gone@shop.com", eventId: "later 5")).AssertRefused(422);
        Assert.Null(await backend.ProfileOfAsync("gone@shop.com"));
        trackmate.Environment["TRACKMATE_DATA"] = dataFolder;
        trackmate.Environment["TRACKMATE_DATABASE"] = database;
        if (database is not null)
        {
            // As the guide says: no database holds it.
            Directory.CreateDirectory(Path.Combine(dataFolder, "keys"));
            File.Copy(Path.Combine(Embedded, "keys", "token.key"), Path.Combine(dataFolder, "keys", "token.key"));
        }

        await trackmate.DoAsync("company add TM-LATER");
        await trackmate.DoAsync("key add --company TM-LATER");
        await trackmate.DoAsync("token-key add --company TM-LATER --kid later");
        trackmate.Environment.Remove("TRACKMATE_DATABASE");
    }

    private static Task<ServerProcess> StartAsync(string dataFolder, string? database) => ServerProcess.StartAsync(dataFolder, new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = database });

    private static Process Start(string line) => Process.Start(new ProcessStartInfo(ServerProcess.Program, line.Split(' ')) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;

    private static bool IsHalf(string dataFolder)
    {
        if (!File.Exists(SqliteEngine.PathIn(dataFolder))) return false;
        try
        {
            using var database = SqliteDatabase.Open(SqliteEngine.PathIn(dataFolder), readOnly: true);
            if (!MoveProgress.IsIn(database)) return false;
            using var done = database.Use("SELECT COUNT(*) FROM move_progress WHERE name = 'message' AND done = 0");
            return done.Next() && done.Long(0) == 1;
        }
        catch (Exception e) when (SqliteDatabase.IsUnavailable(e) || e is StoreUnavailableException)
        {
            return false;
        }
    }

    private async Task<string> FailIn(string dataFolder, string line)
    {
        trackmate.Environment["TRACKMATE_DATA"] = dataFolder;
        return await trackmate.FailAsync(line, 1);
    }

    private static async Task DoAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
