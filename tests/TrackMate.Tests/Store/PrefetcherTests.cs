using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Where what messages need is asked for before any of a batch is written, what one of them does to others than it names is noticed.</summary>
[OwnStore]
public sealed class PrefetcherTests
{
    [Fact]
    public async Task A_claim_that_ends_another_sessions_is_seen_by_what_that_session_says_next()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var engine = Open(schema, out var database, out var writer);
        var company = Messages.Company(1) with { Settings = new() { NewSessionsPerDay = 1 } };
        Write(writer, [Messages.Identify(company, "second", "sarah@shop.com", "i1", Messages.Ten + 10)]);
        Write(writer,
        [
            // Of one day one session is believed, and this one claimed her first.
            Messages.Identify(company, "first", "sarah@shop.com", "i2", Messages.Ten),
            Messages.Identify(company, "second", "john@shop.com", "i3", Messages.Ten + 20),
        ]);

        var second = Numbers(database, "SELECT id FROM session WHERE session_id = 'second'")[0];
        Assert.Equal([long.MinValue], Numbers(database, $"SELECT from_ms FROM span WHERE company = 1 AND session = {second}"));
        database.Dispose();
    }

    private static PostgresEngine Open(PostgresSchema schema, out Database database, out MessageWriter writer)
    {
        var engine = PostgresEngine.Of(schema.Connection);
        engine.Upgrade();
        database = engine.OpenWriter();
        writer = new(new(database));
        return engine;
    }

    private static void Write(MessageWriter writer, Message[] messages)
    {
        writer.Transaction.Begin([(1, LockMode.Bind)], messages.Length);
        writer.Append(messages);
        writer.Transaction.Commit();
    }

    private static List<long> Numbers(Database database, string sql) => database.Use(sql).DeferAll(row => row.Long(0)).Value;
}
