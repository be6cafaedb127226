using SQLitePCL;
using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>When the row of a session is written again for the day it began on and for whether it is somebody's.</summary>
[EmbeddedOnly]
public sealed class DirtySessionsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private const long Day = UtcDay.Milliseconds;
    private const long Noon = (Messages.Ten / Day * Day) + (Day / 2);

    private static readonly Agent Bot = new("Chrome", "Linux", "desktop", true);

    private readonly Company company = Messages.Company(stored.NextCompany());
    private int events;

    /// <summary>Two processes that write at once meet at rows: both come to them in one order.</summary>
    [Fact]
    public void The_rows_of_sessions_are_written_in_the_order_of_their_numbers_and_after_all_else()
    {
        using var database = stored.OpenSqlite();
        var writer = new MessageWriter(new(database));
        string[] sessions = ["a", "b", "c", "d"];
        InTransaction(writer, [.. sessions.Select(session => Event(session, 3))]);

        var written = new List<(string Table, long Row)>();
        raw.sqlite3_update_hook(database.Handle, (_, _, _, table, row) => written.Add((table.utf8_to_string(), row)), null!);
        InTransaction(writer, [Messages.Identify(company, "d", "d@shop.com", "i1", Noon), Event("c", 1), Event("a", 2), Messages.Identify(company, "b", "b@shop.com", "i2", Noon), Event("d", 2)]);

        var first = written.FindIndex(write => write.Table == "session");
        Assert.All(written.Skip(first), write => Assert.Equal("session", write.Table));
        using var numbers = database.Use("SELECT id FROM session WHERE company = ? AND session_id IN ('a', 'b', 'c', 'd') ORDER BY id");
        numbers.With(company.Number);
        foreach (var row in written.Skip(first).Select(write => write.Row).Distinct()) Assert.True(numbers.Next() && numbers.Long(0) == row);
        Assert.False(numbers.Next());
        Assert.Equal([(3, 1, 1), (2, 2, 1), (1, 1, 0)], Days(database));
    }

    [Fact]
    public void A_session_that_goes_on_costs_its_row_nothing()
    {
        using var database = stored.OpenSqlite();
        var writer = new MessageWriter(new(database));
        long Updates() => database.Prepared.Where(statement => statement.Sql.Contains("UPDATE session ", StringComparison.Ordinal)).Sum(statement => statement.Runs);

        InTransaction(writer, [Event("a", 3), Event("a", 4)]);
        InTransaction(writer, [Event("a", 3), Event("a", 5), Event("a", 1) with { Agent = Bot }, Messages.Webhook(company, "", "w", Noon) with { Named = [], SessionId = "a" }]);
        writer = new(new(database));
        InTransaction(writer, [Event("a", 3)]);
        Assert.Equal(0, Updates());

        InTransaction(writer, [Event("a", 2), Event("a", 1)]);
        InTransaction(writer, [Event("a", 1)]);
        Assert.Equal(1, Updates());
        Assert.Equal([(1, 1, 0)], Days(database));

        InTransaction(writer, [.. Enumerable.Range(0, 5).Select(i => Messages.Identify(company, "a", $"{i % 2}@shop.com", $"i{i}", Noon + i))]);
        Assert.Equal(2, Updates());
        Assert.Equal([(1, 1, 1)], Days(database));
    }

    private static void InTransaction(MessageWriter writer, Message[] messages)
    {
        writer.Transaction.Begin([]);
        foreach (var message in messages) writer.Append([message]);
        writer.Transaction.Commit();
    }

    private TrackedEvent Event(string session, int day) => Messages.Browser(company, session, $"e{events++}", Noon + (day * Day));

    private List<(int Day, int Sessions, int Identified)> Days(Database database) =>
        [.. new IngestionReader(database).StitchDays(company, 0).Select(day => ((int)(day.Day - (Noon / Day)), (int)day.Sessions, (int)day.Identified))];
}
