using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What two servers write at the same moment meets in one order of rows, and what each remembers of a company the other may have changed.</summary>
[OwnStore]
public sealed class SharedWritersTests
{
    [Fact]
    public async Task Rows_that_two_may_write_at_once_are_written_in_one_order()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var engine = PostgresEngine.Of(schema.Connection);
        engine.Upgrade();
        using var database = engine.OpenWriter();
        var writer = new MessageWriter(new(database));
        var company = Messages.Company(1);
        Message[] sent = [.. new[] { 3, 1, 2 }.Select(i => Messages.Browser(company, $"s{i}", $"e{i}"))];
        Append(sent);
        Append(sent);

        // The place of a row in its table is the order in which it was written.
        foreach (var (table, key) in new[] { ("message", "event_id"), ("session", "session_id"), ("session_day", "session"), ("duplicate", "(SELECT event_id FROM message m WHERE m.company = t.company AND m.id = t.message)") })
        {
            var written = database.Use($"SELECT CAST({key} AS text) FROM {table} t WHERE company = 1 ORDER BY ctid").DeferAll(row => row.Text(0)).Value;
            Assert.Equal(3, written.Count);
            Assert.Equal(written.Order(StringComparer.Ordinal), written);
        }

        void Append(Message[] messages)
        {
            writer.Transaction.Begin([(1, LockMode.Append)], messages.Length);
            writer.Append(messages);
            writer.Transaction.Commit();
        }
    }

    [Fact]
    public async Task Refusals_are_kept_within_their_bound_whoever_kept_them()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var one = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        using var other = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        var company = Messages.Company(1) with { Settings = new() { RejectedKept = 4 } };
        for (var i = 0; i < 12; i++)
        {
            await (i % 2 == 0 ? one : other).AppendAsync([], new(company, Origin.Server, ReceivingCall.Webhooks, Messages.Ten + i, [new($"e{i}", 400, "It is wrong.", Encoding.UTF8.GetBytes("{}"), 2)]));
            Assert.Equal(Math.Min(i + 1, 4), one.Read(database => database.Use("SELECT COUNT(*) FROM rejected WHERE company = 1").Defer(row => row.Next() ? row.Long(0) : -1).Value));
        }

        Assert.Equal(["e8", "e9", "e10", "e11"], one.Read(database => database.Use("SELECT event_id FROM rejected WHERE company = 1 ORDER BY id").DeferAll(row => row.Text(0)).Value));
    }
}
