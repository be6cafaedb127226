using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A connection goes before the answer of the database comes: senders are told the truth, and nothing is there twice.</summary>
[OwnStore]
public sealed class LostAnswerTests
{
    private static readonly Company Shop = Messages.Company(1);

    [Theory, PlainPostgres]
    // As CommandComplete tells them: the rows are in and not committed; they are committed.
    [InlineData("COPY 2")]
    [InlineData("COMMIT")]
    public async Task What_was_not_answered_is_asked_again_and_is_new(string answer)
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(schema.Connection).Port);
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection + $";Port={proxy.Port}"), NullLogger.Instance);
        await store.AppendAsync([Messages.Browser(Shop, "s0", "e0"), Messages.Browser(Shop, "s0", "before")]);

        proxy.CutAt(answer);
        var receipts = await store.AppendAsync([Messages.Browser(Shop, "s1", "e1"), Messages.Browser(Shop, "s2", "e2"), Messages.Browser(Shop, "s0", "e0")]);

        Assert.Equal(1, proxy.Cuts);
        Assert.Equal([false, false, true], receipts.Select(receipt => receipt.Duplicate));
        Assert.Equal(["before", "e0", "e1", "e2"], Texts(store, "SELECT event_id FROM message WHERE company = 1 ORDER BY event_id"));
        Assert.Equal(["e0"], Texts(store, "SELECT event_id FROM duplicate d JOIN message m ON m.company = d.company AND m.id = d.message WHERE d.company = 1"));
        Assert.Equal(["2", "1", "1"], Texts(store, "SELECT CAST(events AS text) FROM session_day WHERE company = 1 ORDER BY events DESC"));
        Assert.Null(store.Failure);
    }

    [Fact]
    public async Task What_an_operator_did_is_not_done_twice_and_they_are_told_to_look()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(schema.Connection).Port);
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection + $";Port={proxy.Port}"), NullLogger.Instance);
        await store.AppendAsync([Messages.Browser(Shop, "s0", "e0")]);

        var done = 0;
        proxy.CutAt("COMMIT");
        var told = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ActAsync(Shop, (_, _) => ++done));

        Assert.Equal(1, done);
        Assert.Contains("look before you try it again", told.Message);
    }

    private static List<string> Texts(MessageStore store, string sql) => store.Read(database => database.Use(sql).DeferAll(row => row.Text(0)).Value);
}
