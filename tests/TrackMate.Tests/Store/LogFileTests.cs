using TrackMate.Store.Sql.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What is told to be on the disk is there; a power cut says the rest (<see cref="PowerCutTests"/>).</summary>
[EmbeddedOnly]
public sealed class LogFileTests
{
    [Fact]
    public void After_a_sync_that_failed_the_database_takes_what_the_log_may_have_lost()
    {
        using var folder = new TemporaryFolder();
        var path = folder.PathOf("said.db");
        using var writer = SqliteDatabase.Open(path, checkpoints: false, syncs: false);
        writer.Execute("CREATE TABLE said (number INTEGER)");
        var fails = false;
        var syncs = 0;
        using var log = new LogFile(path, _ =>
        {
            syncs++;
            if (fails) throw new IOException("Input/output error");
        });

        log.Sync();
        writer.Execute("INSERT INTO said VALUES (1)");
        fails = true;
        Assert.Throws<IOException>(log.Sync);
        Assert.Equal(2, syncs);

        // What the system says of the log from now on is not believed: all of it is moved, and that the log is empty is brought onto the disk.
        writer.Execute("INSERT INTO said VALUES (2)");
        fails = false;
        log.Sync();
        Assert.Equal((3, 0), (syncs, new FileInfo(path + "-wal").Length));

        writer.Execute("INSERT INTO said VALUES (3)");
        log.Sync();
        Assert.Equal(4, syncs);
        Assert.NotEqual(0, new FileInfo(path + "-wal").Length);
    }

    [Fact]
    public void While_a_reader_holds_the_log_back_it_stays_in_doubt()
    {
        using var folder = new TemporaryFolder();
        var path = folder.PathOf("said.db");
        using var writer = SqliteDatabase.Open(path, checkpoints: false, syncs: false);
        writer.Execute("CREATE TABLE said (number INTEGER)");
        var fails = true;
        using var log = new LogFile(path, _ =>
        {
            if (fails) throw new IOException("Input/output error");
        });
        Assert.Throws<IOException>(log.Sync);
        fails = false;

        using (var reader = SqliteDatabase.Open(path, readOnly: true))
        {
            reader.Execute("BEGIN");
            reader.Execute("SELECT COUNT(*) FROM said");
            writer.Execute("INSERT INTO said VALUES (1)");
            Assert.True(SqliteDatabase.IsUnavailable(Assert.ThrowsAny<Exception>(log.Sync)));
        }

        log.Sync();
        Assert.Equal(0, new FileInfo(path + "-wal").Length);
    }
}
