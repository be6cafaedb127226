using System.Diagnostics;
using Npgsql;

namespace TrackMate.Tests.Running;

/// <summary>What the tests on PostgreSQL stand on does what it says.</summary>
public sealed class PostgresServerTests
{
    [Fact]
    public async Task A_test_has_a_schema_of_its_own_that_is_gone_after_it()
    {
        string name;
        await using (var schema = await PostgresSchema.CreateAsync())
        await using (var other = await PostgresSchema.CreateAsync())
        {
            name = schema.Name;
            await schema.AskAsync("CREATE TABLE word (word text); INSERT INTO word VALUES ('mine')");
            await other.AskAsync("CREATE TABLE word (word text); INSERT INTO word VALUES ('another')");
            Assert.Equal("mine", await schema.AskAsync("SELECT word FROM word"));
            Assert.Equal("another", await other.AskAsync("SELECT word FROM word"));
            Assert.Equal("mine", await schema.AskAsync($"SELECT word FROM {name}.word"));
        }

        await using var later = await PostgresSchema.CreateAsync();
        Assert.Equal(0L, await later.AskAsync($"SELECT count(*) FROM information_schema.schemata WHERE schema_name = '{name}'"));
    }

    [Fact]
    public async Task The_address_of_a_schema_leads_into_it()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var psql = Process.Start(new ProcessStartInfo("psql", [schema.Url, "-qtA", "-c", "SELECT current_schema()"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal(schema.Name, (await psql.StandardOutput.ReadToEndAsync()).Trim());
    }

    [Fact]
    public async Task Many_tests_at_once_each_get_their_schema()
    {
        var schemas = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => PostgresSchema.CreateAsync()));
        Assert.Equal(32, schemas.Select(schema => schema.Name).Distinct().Count());
        await Task.WhenAll(schemas.Select(async schema => await schema.AskAsync("CREATE TABLE word (word text)")));
        await Task.WhenAll(schemas.Select(async schema => await schema.DisposeAsync()));
    }

    [Fact]
    public async Task What_is_committed_outlives_a_kill()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var schema = await PostgresSchema.CreateAsync(server);
        await schema.AskAsync("CREATE TABLE word (word text); INSERT INTO word VALUES ('kept')");
        await using (var open = new NpgsqlConnection(schema.Connection))
        {
            await open.OpenAsync();
            await using var begun = await open.BeginTransactionAsync();
            await using var insert = new NpgsqlCommand("INSERT INTO word VALUES ('not committed')", open);
            await insert.ExecuteNonQueryAsync();
            var (processes, port) = (server.Processes, server.Port);
            Assert.True(processes.Count > 2, "A server has more processes than its own: those of its chores and of the open connection.");

            await server.KillAsync();

            Assert.DoesNotContain(processes, PostgresServer.Runs);
            await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await insert.ExecuteNonQueryAsync());
            await server.StartAgainAsync();
            Assert.Equal(port, server.Port);
        }

        Assert.Contains("was not properly shut down", server.Log);
        Assert.Equal("kept", await schema.AskAsync("SELECT string_agg(word, ', ') FROM word"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stopped_server_can_be_started_again(bool immediately)
    {
        await using var server = await PostgresServer.StartAsync();
        await using var schema = await PostgresSchema.CreateAsync(server);
        await schema.AskAsync("CREATE TABLE word (word text); INSERT INTO word VALUES ('kept')");
        await server.StopAsync(immediately);
        Assert.Empty(server.Processes);
        await server.StartAgainAsync();
        Assert.Equal("kept", await schema.AskAsync("SELECT word FROM word"));
        Assert.Equal(immediately, server.Log.Contains("was not properly shut down", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_promoted_replica_has_all_that_was_committed_on_the_primary()
    {
        await using var primary = await PostgresServer.StartAsync();
        await using var replica = await primary.StartReplicaAsync();
        await PostgresServer.AskAsync(primary.Connection, "CREATE TABLE number (number bigint)");
        for (var i = 1; i <= 100; i++) await PostgresServer.AskAsync(primary.Connection, $"INSERT INTO number VALUES ({i})");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.AskAsync(replica.Connection, "INSERT INTO number VALUES (0)"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refused.SqlState);

        await primary.KillAsync();
        await replica.PromoteAsync();

        Assert.Equal(100L, await PostgresServer.AskAsync(replica.Connection, "SELECT count(*) FROM number"));
        await PostgresServer.AskAsync(replica.Connection, "INSERT INTO number VALUES (101)");
    }

    [Fact]
    public async Task Without_its_replica_a_primary_commits_nothing()
    {
        await using var primary = await PostgresServer.StartAsync(new() { Fsync = false });
        await using var replica = await primary.StartReplicaAsync();
        await PostgresServer.AskAsync(primary.Connection, "CREATE TABLE number (number bigint)");
        await replica.StopAsync();
        var insert = PostgresServer.AskAsync(primary.Connection, "INSERT INTO number VALUES (1)");
        await Eventually.TrueAsync(async () => await primary.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") is 1L, () => primary.Log);
        Assert.False(insert.IsCompleted);
        await replica.StartAgainAsync();
        await insert;
    }

    [Fact]
    public async Task A_server_of_a_language_orders_text_by_it_and_by_bytes_where_that_is_said()
    {
        await using var server = await PostgresServer.StartAsync(new() { Fsync = false, Language = "en-US" });
        const string Words = "(VALUES ('b'), ('B'), ('a'), ('_'), ('ä'), ('Z')) AS words (word)";
        Assert.Equal("_aäbBZ", await PostgresServer.AskAsync(server.Connection, $"SELECT string_agg(word, '' ORDER BY word) FROM {Words}"));
        Assert.Equal("BZ_abä", await PostgresServer.AskAsync(server.Connection, $"SELECT string_agg(word, '' ORDER BY word COLLATE \"C\") FROM {Words}"));
        Assert.Equal("BZ_abä", await PostgresServer.AskAsync((await PostgresServer.Shared).Connection, $"SELECT string_agg(word, '' ORDER BY word) FROM {Words}"));
    }

    [Fact]
    public async Task Nothing_is_left_of_a_server_after_its_test()
    {
        var server = await PostgresServer.StartAsync(new() { Fsync = false });
        var processes = server.Processes;
        await server.DisposeAsync();
        Assert.DoesNotContain(processes, PostgresServer.Runs);
        Assert.False(Directory.Exists(server.Folder));
    }

    /// <summary>A run of one test, in a process of its own and with a folder of its own for what is temporary.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_left_of_the_shared_server_after_the_run_however_it_ends(bool killed)
    {
        var folder = Directory.CreateTempSubdirectory("trackmate-run-");
        Commands.Run("chmod", ["1777", folder.FullName], "make a folder that is everybody's, as /tmp is");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "TrackMate.Tests"), ["-method", $"{typeof(PostgresServerTests).FullName}.{(killed ? nameof(Waits_to_be_killed) : nameof(The_address_of_a_schema_leads_into_it))}"]) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["TMPDIR"] = folder.FullName;
        start.Environment["TRACKMATE_TEST_CITUS"] = null;
        start.Environment[ToBeKilled] = killed ? "1" : null;
        using var run = Process.Start(start)!;
        var output = run.StandardOutput.ReadToEndAsync();
        try
        {
            if (killed)
            {
                await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(folder.FullName, Waiting))), () => "The run has not come to its test.");
                Assert.NotEmpty(ProcessesNaming(folder.FullName));
                run.Kill();
            }

            Assert.Contains(killed ? "" : "Failed: 0", await output);
            await run.WaitForExitAsync();
            string[] Left() => [.. ProcessesNaming(folder.FullName), .. folder.GetDirectories("trackmate-postgres-*").Select(left => left.FullName)];
            Assert.Empty(killed ? await Eventually.BecomesAsync(() => Task.FromResult(Left()), left => left is []) : Left());
        }
        finally
        {
            if (!run.HasExited) run.Kill();
            folder.Delete(recursive: true);
        }
    }

    private const string ToBeKilled = "TRACKMATE_TEST_TO_BE_KILLED";
    private const string Waiting = "waiting";

    /// <summary>Half of the test above; on its own it only sees that the shared server is there.</summary>
    [Fact]
    public async Task Waits_to_be_killed()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        if (Environment.GetEnvironmentVariable(ToBeKilled) is null) return;
        await File.WriteAllTextAsync(Path.Combine(Path.GetTempPath(), Waiting), "");
        await Task.Delay(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
    }

    /// <summary>The command lines of processes that name the folder: the server says its data.</summary>
    private static List<string> ProcessesNaming(string folder)
    {
        var found = new List<string>();
        foreach (var process in Directory.GetDirectories("/proc").Where(process => int.TryParse(Path.GetFileName(process), out _)))
        {
            try
            {
                var line = File.ReadAllText(Path.Combine(process, "cmdline"));
                if (line.Contains(folder, StringComparison.Ordinal)) found.Add($"{Path.GetFileName(process)}: {line.Replace('\0', ' ')}");
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return found;
    }
}
