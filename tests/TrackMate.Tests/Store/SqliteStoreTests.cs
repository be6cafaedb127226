using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>The embedded store by itself: what is read after an error, what a closed connection holds, and how long its log gets.</summary>
[EmbeddedOnly]
public sealed class SqliteStoreTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    [Fact]
    public void A_reader_whose_transaction_ended_with_an_error_is_not_read_from_again()
    {
        Database failed;
        using (var snapshot = stored.Store.Read())
        {
            failed = snapshot.Database;
            failed.Execute("ROLLBACK");
        }

        using var next = stored.Store.Read();
        Assert.NotSame(failed, next.Database);
        Assert.False(next.Database.IsIdle);
    }

    /// <summary>A statement between its first parameter and its last step is nobody's to give back when something throws; it must not hold the lock of a closed connection.</summary>
    [Fact]
    public void A_closed_connection_lets_go_of_its_lock_whatever_its_statements_were_doing()
    {
        using (var left = stored.OpenBeside())
        {
            left.Execute("BEGIN IMMEDIATE");
            Assert.True(left.Use("SELECT version FROM registry_version").Next());
        }

        using var next = stored.OpenBeside();
        next.Execute("PRAGMA busy_timeout = 0");
        next.Execute("BEGIN IMMEDIATE");
        next.Execute("COMMIT");
    }

    /// <summary>Import, erase and upgrade write much without a server's thread beside them.</summary>
    [Fact]
    public void The_log_of_a_verb_that_writes_much_stays_short_too()
    {
        using var folder = new TemporaryFolder();
        using var database = new SqliteEngine(folder.Path).Open();
        database.Execute("CREATE TABLE much (bytes BLOB)");

        for (var i = 0; i < 30; i++) database.Execute("INSERT INTO much VALUES (zeroblob(5000000))");

        Assert.InRange(new FileInfo(SqliteEngine.PathIn(folder.Path) + "-wal").Length, 1, 100_000_000);
    }

    /// <summary>A sixteenth of the product's limits: 12.5 MB stand for 200.</summary>
    [Fact]
    public async Task The_log_stays_short_under_constant_load_with_a_long_reader_now_and_then()
    {
        const long Limit = 200_000_000 / 16;
        var folder = Directory.CreateTempSubdirectory("trackmate-test-").FullName;
        try
        {
            using var store = MessageStore.Open(new SqliteEngine(folder, new(LogLimits.Default.Move / 16, LogLimits.Default.StartOver / 16, LogLimits.Default.Cut / 16)), NullLogger.Instance);
            var company = Messages.Company(1);
            var log = new FileInfo(SqliteEngine.PathIn(folder) + "-wal");
            var data = $$"""{"text":"{{new string('x', 4000)}}"}""";
            long longest = 0, written = 0;
            ReadSnapshot? reader = null;
            for (var round = 0; written < 6 * Limit; round++)
            {
                if (round % 20 == 10)
                {
                    reader = store.Read();
                    new Documents(reader.Database, company).Session("s", null, 1);
                }

                await store.AppendAsync([.. Enumerable.Range(0, 50).Select(i => Messages.Browser(company, "s", $"{round}-{i}", data: data))]);
                if (round % 20 == 15) reader?.Dispose();
                written += 50 * data.Length;
                log.Refresh();
                longest = Math.Max(longest, log.Length);
            }

            Assert.InRange(longest, 1, Limit);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
