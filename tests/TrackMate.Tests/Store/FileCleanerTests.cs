using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Deleting overwrites a row; copies that the splitting of pages left beside it are overwritten by the cleaner alone.</summary>
[EmbeddedOnly]
public sealed class FileCleanerTests : IDisposable
{
    private const int Persons = 3000;

    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_deleting_leaves_in_the_gaps_of_pages_is_overwritten_and_the_store_stays_whole()
    {
        var company = Messages.Company(1);
        var random = new Random(7);
        var names = Enumerable.Range(0, Persons).Select(number => $"{random.Next():x8}name{number:0000}").ToArray();
        var erased = names.Where((_, number) => number % 3 == 0).ToList();
        using (var store = MessageStore.Open(new SqliteEngine(folder), NullLogger.Instance))
        {
            foreach (var batch in names.Chunk(100))
            {
                await store.AppendAsync([.. batch.SelectMany(name => new Message[]
                {
                    Messages.Browser(company, "session_" + name, "event_" + name, data: $$"""{"text":"{{new string('x', random.Next(1, 400))}}"}"""),
                    Messages.Identify(company, "session_" + name, name + "@shop.com", "identify_" + name) with { Traits = [new("name", $"\"{name}\""), new("plan", $"\"{new string('p', random.Next(1, 60))}{name}\"")] },
                    Messages.Webhook(company, name + "@shop.com", "webhook_" + name, type: "payment_processed", data: $$"""{"amount":1,"orderId":"order_{{name}}"}"""),
                })]);
            }

            foreach (var name in erased)
            {
                var by = new ActBy("tests", Messages.Ten, DryRun: false);
                Assert.True((await store.EraseAsync(company, erasure => erasure.Begin(company, Identifier.Email(company, name + "@shop.com").Id, by, suppress: false)))!.RowsGone);
            }
        }

        // The log is moved into the file by the last who closes it.
        Assert.NotEmpty(Found(erased));
        var kept = names.Except(erased).ToList();
        Assert.True(new FileCleaner(SqliteEngine.PathIn(folder)).Clean(TimeSpan.FromSeconds(30), CancellationToken.None));

        Assert.Equal("", string.Join(' ', Found(erased)));
        Assert.Equal(kept.Count, Found(kept).Count);
        using var database = SqliteDatabase.Open(SqliteEngine.PathIn(folder), readOnly: true);
        Assert.Null(Integrity.Of(database));
        Assert.Empty(DerivedTables.Differences(database, [company]).Differences);
    }

    /// <summary>Names of which a file of the folder holds a byte.</summary>
    private List<string> Found(IEnumerable<string> names)
    {
        var files = Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) != ".lock").Select(File.ReadAllBytes).ToList();
        return [.. names.Where(name => files.Exists(file => file.AsSpan().IndexOf(Encoding.UTF8.GetBytes(name)) >= 0))];
    }
}
