using Microsoft.Data.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Transfer;

/// <summary>Backups beside a running server, and back into another folder.</summary>
[EmbeddedOnly]
public sealed class BackupTests(RunningServer running) : IClassFixture<RunningServer>, IDisposable
{
    private readonly CommandLineRunner beside = new(running.Server);
    private readonly CommandLineRunner elsewhere = new();
    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-backup-").FullName;

    public void Dispose()
    {
        elsewhere.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string FileOf(string name) => Path.Combine(folder, name);

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_backup_taken_under_load_has_all_that_was_acknowledged_before_it_and_is_its_owners_alone()
    {
        var shopper = running.NewShopper();
        await shopper.IdentifyAsync("backup@example.com");
        for (var i = 0; i < 20; i++) await shopper.TrackAsync("before", eventId: $"before_{shopper.SessionId}_{i}");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) Assert.Equal(System.Net.HttpStatusCode.OK, (await shopper.TrackAsync("during")).Status);
        });

        var said = await beside.DoAsync($"backup {FileOf("a.db")}");

        await stop.CancelAsync();
        await load;
        Assert.Matches(@"^Backed up to .*a\.db \([\d.]+ [KM]iB: 1 company, \d+ messages, \d+ sessions?, \d+ identifiers?\); read back and whole\.", said);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FileOf("a.db")));
        Assert.Equal(["a.db"], Directory.EnumerateFiles(folder).Select(Path.GetFileName));

        await elsewhere.DoAsync($"restore {FileOf("a.db")}");
        await elsewhere.DoAsync("doctor");
        await using var restored = await ServerProcess.StartAsync(elsewhere.DataFolder);
        var backend = new ShopBackend(restored.Http, ServerProcess.ApiKey);
        var profile = (await backend.ProfileOfAsync("backup@example.com"))!;
        Assert.Equal(20, (await backend.TimelineAsync(profile["id"]!.ToString())).Count(found => found["eventType"]!.ToString() == "before"));
    }

    [Fact]
    public async Task A_file_that_is_there_is_replaced_only_by_force()
    {
        await File.WriteAllTextAsync(FileOf("there.db"), "precious");

        Assert.StartsWith($"{FileOf("there.db")} exists already", await beside.FailAsync($"backup {FileOf("there.db")}", 1));
        Assert.Equal("precious", await File.ReadAllTextAsync(FileOf("there.db")));

        await beside.DoAsync($"backup --force {FileOf("there.db")}");
        await elsewhere.DoAsync($"restore {FileOf("there.db")}");
    }

    [Fact]
    public async Task A_backup_that_cannot_be_written_leaves_nothing()
    {
        Assert.StartsWith("The backup could not be written to", await beside.FailAsync($"backup {FileOf("no/such/folder.db")}", 1));
        Assert.Contains("is a folder; give the name of a file", await beside.FailAsync($"backup {folder}", 1));
        Assert.Contains("would lie among the store's own files", await beside.FailAsync($"backup --force {Path.Combine(running.Server.DataFolder, "trackmate.db")}", 1));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task A_backup_of_a_damaged_store_says_that_the_store_is_damaged()
    {
        await elsewhere.DoAsync("company add TM-SHOP99");
        var store = Path.Combine(elsewhere.DataFolder, "trackmate.db");
        var bytes = await File.ReadAllBytesAsync(store);
        bytes.AsSpan(4096, 8192).Fill(0xff);
        await File.WriteAllBytesAsync(store, bytes);

        var sentence = await elsewhere.FailAsync($"backup {FileOf("damaged.db")}", 1);

        Assert.Contains("The store itself is damaged", sentence);
        Assert.DoesNotContain("disk space", sentence);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task A_restore_refuses_a_folder_that_a_server_runs_on()
    {
        await beside.DoAsync($"backup {FileOf("b.db")}");

        Assert.StartsWith($"A TrackMate server is running on {running.Server.DataFolder}", await beside.FailAsync($"restore --force {FileOf("b.db")}", 1));
    }

    [Fact]
    public async Task A_restore_keeps_what_was_there_beside_what_it_brings()
    {
        await beside.DoAsync($"backup {FileOf("c.db")}");
        await elsewhere.DoAsync("company add TM-OLD");

        Assert.Contains("is not empty (trackmate.db is in it)", await elsewhere.FailAsync($"restore {FileOf("c.db")}", 1));
        Assert.Contains("TM-OLD", await elsewhere.DoAsync("company list"));

        var said = await elsewhere.DoAsync($"restore --force {FileOf("c.db")}");
        Assert.DoesNotContain("TM-OLD", await elsewhere.DoAsync("company list"));
        var kept = said.Split("is kept as ")[1].Trim().TrimEnd('.');
        using var connection = new SqliteConnection($"Data Source={kept};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var query = connection.CreateCommand();
        query.CommandText = "SELECT company_id FROM company";
        Assert.Equal("TM-OLD", query.ExecuteScalar());
    }

    [Fact]
    public async Task What_is_no_whole_backup_is_not_restored()
    {
        await beside.DoAsync($"backup {FileOf("d.db")}");
        var bytes = await File.ReadAllBytesAsync(FileOf("d.db"));
        await File.WriteAllBytesAsync(FileOf("half.db"), bytes[..(bytes.Length / 2)]);
        await File.WriteAllTextAsync(FileOf("text.db"), new string('x', 5000));
        using (var other = new SqliteConnection($"Data Source={FileOf("other.db")};Pooling=False"))
        {
            other.Open();
            using var make = other.CreateCommand();
            make.CommandText = "CREATE TABLE something (x); PRAGMA user_version = 1";
            make.ExecuteNonQuery();
        }

        Assert.Contains("half.db", await elsewhere.FailAsync($"restore {FileOf("half.db")}", 1));
        Assert.Contains("text.db cannot be read as a backup", await elsewhere.FailAsync($"restore {FileOf("text.db")}", 1));
        Assert.Contains("other.db is not a backup of TrackMate", await elsewhere.FailAsync($"restore {FileOf("other.db")}", 1));
        Assert.StartsWith("There is no file", await elsewhere.FailAsync($"restore {FileOf("none.db")}", 1));
        Assert.False(File.Exists(Path.Combine(elsewhere.DataFolder, "trackmate.db")));
    }
}
