using System.Text;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Tests.Store;

/// <summary>What is kept beside the messages, and how much of it: bounds by count, by bytes and by age, of each side by itself.</summary>
public sealed class IngestionTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private const long Day = UtcDay.Milliseconds;

    private readonly Company company = Messages.Company(stored.NextCompany()) with { Settings = new() { RejectedKept = 100, RejectedDays = 30 } };

    [Fact]
    public async Task The_newest_refusals_stay_and_a_flood_of_one_side_leaves_the_other_alone()
    {
        await KeepAsync(Origin.Server, Refused("paid"));
        for (var i = 0; i < 3; i++) await KeepAsync(Origin.Browser, [.. Enumerable.Range(0, 90).Select(n => Refused($"{i} {n}"))]);

        Assert.Equal(100, Read(reader => reader.Rejected(company, Origin.Browser, null, 1000)).Count);
        Assert.Equal("2 89", Read(reader => reader.Rejected(company, Origin.Browser, null, 1))[0].EventId);
        Assert.Equal(["paid"], Read(reader => reader.Rejected(company, Origin.Server, null, 1000)).Select(row => row.EventId));
        Assert.Equal(101, Read(reader => reader.Rejected(company, null, null, 1000)).Count);
    }

    [Fact]
    public async Task Their_bodies_are_bounded_in_bytes_too()
    {
        var mebibyte = new byte[1 << 20];
        var many = company with { Settings = new() };
        for (var i = 0; i < 40; i++) await stored.Store.AppendAsync([], new(many, Origin.Browser, ReceivingCall.Events, Messages.Ten, [new($"{i}", 400, "x", mebibyte, mebibyte.Length)]));

        var kept = Read(reader => reader.Rejected(many, null, null, 1000)).ConvertAll(row => row.EventId);
        Assert.Equal(Enumerable.Range(9, 31).Reverse().Select(i => $"{i}"), kept);
    }

    [Fact]
    public async Task The_ids_of_a_batch_count_as_what_they_take_and_go_with_it()
    {
        var many = company with { Settings = new() };
        var ids = Enumerable.Range(0, 500).Select(i => $"{i:000}{new string('x', 197)}").ToList();
        for (var i = 0; i < 200; i++) await stored.Store.AppendAsync([], new(many, Origin.Browser, ReceivingCall.Events, Messages.Ten, [new(null, 422, $"{i}", new byte[10], 10, ids)]));

        var kept = Read(reader => reader.Rejected(many, null, null, 1000));
        Assert.InRange(kept.Count, 100, 150);
        Assert.All(kept, row => Assert.Equal(500, row.Events));
        Assert.Equal(kept.Count * 500, Count("SELECT COUNT(*) FROM rejected_event WHERE company = ?", many));
        Assert.Equal("199", Read(reader => reader.Rejected(many, Origin.Browser, ids[7]))[0].Detail);
    }

    [Fact]
    public async Task What_is_too_old_goes_without_anything_new_coming_in()
    {
        await KeepAsync(Origin.Browser, Refused("old"));
        await KeepAsync(Origin.Browser, [Refused("new")], Messages.Ten + (2 * Day));
        var reused = Messages.Browser(company, "s", "twice");
        await stored.Store.AppendAsync([reused]);
        await stored.Store.AppendAsync([reused with { Type = "another", ReceivedAt = Messages.Ten + Day }]);
        Assert.Single(Read(reader => reader.Warnings(company, null, 10)));
        Assert.Equal(1, Count("SELECT COUNT(*) FROM duplicate WHERE company = ?", company));

        Assert.False(await stored.Store.PruneIngestionAsync(company, Messages.Ten + (30 * Day) + 1));
        Assert.Equal(["new"], Read(reader => reader.Rejected(company, null, null, 10)).Select(row => row.EventId));
        Assert.Single(Read(reader => reader.Warnings(company, null, 10)));

        await stored.Store.PruneIngestionAsync(company, Messages.Ten + (31 * Day) + 1);
        Assert.Empty(Read(reader => reader.Warnings(company, null, 10)));
        Assert.Equal(0, Count("SELECT COUNT(*) FROM duplicate WHERE company = ?", company));
        Assert.Single(Read(reader => reader.Rejected(company, null, null, 10)));
    }

    [Fact]
    public async Task A_lowered_bound_is_kept_a_part_at_a_time_and_a_new_start_counts_again()
    {
        using var own = new TemporaryStore();
        var many = company with { Number = 1, Settings = new() };
        for (var i = 0; i < 5; i++)
            await own.Store.AppendAsync([], new(many, Origin.Server, ReceivingCall.Webhooks, Messages.Ten, [.. Enumerable.Range(0, 1000).Select(n => Refused($"{i} {n}"))]));
        var few = many with { Settings = new() { RejectedKept = 100 } };

        Assert.True(await own.Store.PruneIngestionAsync(few, Messages.Ten));
        while (await own.Store.PruneIngestionAsync(few, Messages.Ten))
        {
        }

        using var snapshot = own.Store.Read();
        Assert.Equal(100, new IngestionReader(snapshot.Database).Rejected(few, null, null, 10_000).Count);
    }

    [Fact]
    public async Task A_transaction_that_failed_leaves_no_count_behind()
    {
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => stored.Store.AppendAsync(
                [Messages.Browser(company, "s", eventId: null!)],
                new(company, Origin.Browser, ReceivingCall.Events, Messages.Ten, [.. Enumerable.Range(0, 90).Select(n => Refused($"never {n}"))])));
        }

        await KeepAsync(Origin.Browser, [.. Enumerable.Range(0, 100).Select(n => Refused($"{n}"))]);
        Assert.Equal(100, Read(reader => reader.Rejected(company, null, null, 1000)).Count);
    }

    [Fact]
    public async Task A_repeat_is_counted_on_its_message_and_a_browsers_never_on_a_servers()
    {
        await stored.Store.AppendAsync([Messages.Browser(company, "s", "e"), Messages.Webhook(company, "a@shop.com", "e"), Messages.Webhook(company, "a@shop.com", "e") with { ReceivedAt = Messages.Ten + 7 }]);
        await stored.Store.AppendAsync([Messages.Webhook(company, "a@shop.com", "e") with { ReceivedAt = Messages.Ten + 5 }]);

        using var snapshot = stored.Store.Read();
        var (arrivals, ingestion) = (new ArrivalReader(snapshot.Database), new IngestionReader(snapshot.Database));
        Assert.Null(ingestion.DuplicatesOf(company, arrivals.Stored(company, Origin.Browser, "e")!.Number));
        Assert.Equal(new Duplicates(2, Messages.Ten + 7), ingestion.DuplicatesOf(company, arrivals.Stored(company, Origin.Server, "e")!.Number));
    }

    [Fact]
    public async Task Warnings_are_noted_once_for_a_message_and_of_browsers_too()
    {
        var unpriced = Messages.Webhook(company, "a@shop.com", "unpriced", type: "payment_processed");
        await stored.Store.AppendAsync([unpriced, unpriced]);
        await stored.Store.AppendAsync([Messages.Identify(company, "s", "a@shop.com", "i") with { Said = "{}"u8.ToArray() }]);
        await stored.Store.AppendAsync([Messages.Identify(company, "s", "b@shop.com", "i") with { Said = "{ }"u8.ToArray() }]);

        Assert.Equal([("i", Origin.Browser, "eventid_reused"), ("unpriced", Origin.Server, "amount_unreadable")],
            Read(reader => reader.Warnings(company, null, 10)).Select(row => (row.EventId, row.Origin, row.Warning)));
    }

    private static RejectedEvent Refused(string eventId) => new(eventId, 422, "Mend it.", Encoding.UTF8.GetBytes("{}"), 2);

    private Task<Receipt[]> KeepAsync(Origin origin, params RejectedEvent[] events) => KeepAsync(origin, events, Messages.Ten);

    private Task<Receipt[]> KeepAsync(Origin origin, RejectedEvent[] events, long at) =>
        stored.Store.AppendAsync([], new(company, origin, origin is Origin.Server ? ReceivingCall.Webhooks : ReceivingCall.Events, at, events));

    private T Read<T>(Func<IngestionReader, T> read)
    {
        using var snapshot = stored.Store.Read();
        return read(new(snapshot.Database));
    }

    private long Count(string sql, Company of)
    {
        using var snapshot = stored.Store.Read();
        using var row = snapshot.Database.Use(sql);
        row.With(of.Number).Next();
        return row.Long(0);
    }
}
