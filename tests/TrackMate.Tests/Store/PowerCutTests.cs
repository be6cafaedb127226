using Microsoft.Data.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A 200 outlives the machine's power, not only the process.</summary>
[EmbeddedOnly]
public sealed class PowerCutTests
{
    private static readonly int Cuts = StoreUnderTest.IsLong ? 12 : 2;

    [Fact]
    public async Task Whatever_was_acknowledged_outlives_a_power_cut()
    {
        using var disk = new CutDisk(mebibytes: 512);
        var ledger = new BatchLedger(senders: 4, eventsPerBatch: 10);
        for (var cut = 1; cut <= Cuts; cut++)
        {
            await using (var server = await ServerProcess.StartAsync(Path.Combine(disk.Folder, "data")))
            {
                if (cut > 1) await ledger.AssertKeptAsync(server.Http, run: cut - 1);
                var sending = ledger.SendAsync(server.Http, run: cut);
                await ledger.AcknowledgedAsync(ledger.Acknowledged + (StoreUnderTest.IsLong ? 7000 : 700), sending);
                ledger.Settle();
                disk.Cut();
                await sending;
                await server.KillAsync();
            }

            disk.Restart();
        }

        await using var last = await ServerProcess.StartAsync(Path.Combine(disk.Folder, "data"));
        var stored = await ledger.AssertKeptAsync(last.Http);
        TestContext.Current.SendDiagnosticMessage($"{Cuts} power cuts: {ledger.Acknowledged} events acknowledged, {stored} stored, 0 lost, 0 doubled.");
    }

    /// <summary>The control: the cut really drops what was not synced. SQLite that syncs only at checkpoints loses commits by it.</summary>
    [Fact]
    public void Commits_that_are_not_synced_are_lost_by_it()
    {
        const int Commits = 200;
        using var disk = new CutDisk(mebibytes: 64);
        var connection = new SqliteConnectionStringBuilder { DataSource = Path.Combine(disk.Folder, "control.db"), Pooling = false }.ToString();
        using (var writer = new SqliteConnection(connection))
        {
            writer.Open();
            Run(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE said (number INTEGER); PRAGMA wal_checkpoint(TRUNCATE)");
            for (var i = 0; i < Commits; i++) Run(writer, "INSERT INTO said VALUES (1)");
            disk.Cut();
        }

        disk.Restart();
        using var reader = new SqliteConnection(connection);
        reader.Open();
        using var count = reader.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM said";
        Assert.InRange((long)count.ExecuteScalar()!, 0, Commits - 1);
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
