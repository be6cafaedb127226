using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Read;

namespace TrackMate.Tests.Show;

public sealed class TimelineRowsTests
{
    private const long Minute = 60_000;

    [Fact]
    public void A_span_opens_before_the_first_event_of_its_own_time()
    {
        var rows = TimelineRows.Of([Event("page_view", 1), Event("user_registered", 2), Event("scroll", 3)], [Opening(2)], Day);

        Assert.Equal(["day", "page_view", "opening", "user_registered", "scroll"], rows.Select(Name));
    }

    [Fact]
    public void A_span_that_opens_after_all_events_is_drawn_last()
    {
        Assert.Equal(["day", "page_view", "opening"], TimelineRows.Of([Event("page_view", 1)], [Opening(9)], Day).Select(Name));
        Assert.Equal(["day", "opening"], TimelineRows.Of([], [Opening(9)], Day).Select(Name));
    }

    [Fact]
    public void Equal_events_fold_from_four_on()
    {
        Assert.Equal(["day", "page_view", "page_view", "page_view"], TimelineRows.Of([.. Enumerable.Range(0, 3).Select(i => Event("page_view", i))], [], Day).Select(Name));
        Assert.Equal(["day", "4 page views"], TimelineRows.Of([.. Enumerable.Range(0, 4).Select(i => Event("page_view", i))], [], Day).Select(Name));
        Assert.Equal(["day", "5 × scroll"], TimelineRows.Of([.. Enumerable.Range(0, 5).Select(i => Event("scroll", i))], [], Day).Select(Name));
    }

    [Fact]
    public void A_fold_ends_at_an_opening_a_day_another_source_and_an_amount()
    {
        var events = Enumerable.Range(0, 8).Select(i => Event("page_view", i)).ToList();
        Assert.Equal(["day", "4 page views", "opening", "4 page views"], TimelineRows.Of(events, [Opening(4)], Day).Select(Name));

        events = [.. Enumerable.Range(0, 8).Select(i => Event("page_view", i * 24 * 60 / 4))];
        Assert.Equal(["day", "4 page views", "day", "4 page views"], TimelineRows.Of(events, [], Day).Select(Name));

        events = [.. Enumerable.Range(0, 4).Select(i => Event("page_view", i) with { Server = i > 1 })];
        Assert.Equal(5, TimelineRows.Of(events, [], Day).Count);

        events = [.. Enumerable.Range(0, 4).Select(i => Event("payment_processed", i) with { Amount = "$5.00" })];
        Assert.Equal(5, TimelineRows.Of(events, [], Day).Count);
    }

    [Fact]
    public void Turned_round_each_day_still_stands_over_its_events()
    {
        var rows = TimelineRows.Of([Event("a", 1), Event("b", 2), Event("c", 24 * 60)], [], Day);

        Assert.Equal(["day", "c", "day", "b", "a"], TimelineRows.Reversed(rows).Select(Name));
    }

    private static LaneEvent Event(string type, long minute) => new($"client:{type}{minute}", type, "", null, Server: false, minute * Minute, Bot: false);

    private static SpanOpening Opening(long minute) => new(minute * Minute, ClaimMethod.Identify, Trust.Claimed, new(IdentifierKind.Email, "a@example.com", default), "session_1", 1);

    private static DateOnly Day(long at) => DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(at).UtcDateTime);

    private static string Name(TimelineRow row) => row switch
    {
        TimelineRow.Day => "day",
        TimelineRow.Opening => "opening",
        TimelineRow.Events { Run: { Count: > 1 } run } => TimelineRows.NameOf(run),
        TimelineRow.Events one => one.First.EventType,
        _ => "?",
    };
}
