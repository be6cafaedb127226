using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

[NoStore]
public sealed class TimelineRowsTests
{
    private const long Minute = 60_000;

    [Fact]
    public void A_span_opens_before_the_first_event_of_its_own_time()
    {
        Assert.Equal(["day", "page_view", "opening", "user_registered", "scroll"], Rows([Event("page_view", 1), Event("user_registered", 2), Event("scroll", 3)], [Opening(2)]));
    }

    [Fact]
    public void A_span_that_opens_after_all_events_is_drawn_last()
    {
        Assert.Equal(["day", "page_view", "opening"], Rows([Event("page_view", 1)], [Opening(9)]));
        Assert.Equal(["day", "page_view", "opening"], Rows([Event("page_view", 1)], [Opening(90)]));
        Assert.Equal(["day", "opening"], Rows([], [Opening(9)]));
    }

    [Fact]
    public void A_span_that_opens_far_from_any_event_belongs_to_no_visit()
    {
        var sections = TimelineRows.Of([Event("page_view", 100)], [Opening(9), Opening(200)], Day, newestFirst: false);
        Assert.Equal([false, true, false], sections.Select(section => section.Visit is not null));
    }

    [Fact]
    public void Equal_events_fold_from_four_on()
    {
        Assert.Equal(["day", "page_view", "page_view", "page_view"], Rows([.. Enumerable.Range(0, 3).Select(i => Event("page_view", i))], []));
        Assert.Equal(["day", "4 page views"], Rows([.. Enumerable.Range(0, 4).Select(i => Event("page_view", i))], []));
        Assert.Equal(["day", "5 × scroll"], Rows([.. Enumerable.Range(0, 5).Select(i => Event("scroll", i))], []));
    }

    [Fact]
    public void A_fold_ends_at_an_opening_a_day_a_visit_another_source_another_owner_and_an_amount()
    {
        var events = Enumerable.Range(0, 8).Select(i => Event("page_view", i)).ToList();
        Assert.Equal(["day", "4 page views", "opening", "4 page views"], Rows(events, [Opening(4)]));
        Assert.Equal(["day", "4 page views", "4 page views"], Rows([.. events.Select((one, i) => one with { Owner = i / 4 })], []));

        events = [.. Enumerable.Range(0, 8).Select(i => Event("page_view", (24 * 60) - 4 + i))];
        Assert.Equal(["day", "4 page views", "day", "4 page views"], Rows(events, []));

        events = [.. Enumerable.Range(0, 8).Select(i => Event("page_view", i + (i / 4 * 60)))];
        Assert.Equal(["day", "4 page views", "4 page views"], Rows(events, []));

        events = [.. Enumerable.Range(0, 4).Select(i => Event("page_view", i) with { Server = i > 1 })];
        Assert.Equal(5, Rows(events, []).Count);

        events = [.. Enumerable.Range(0, 4).Select(i => Event("payment_processed", i) with { Amount = "$5.00" })];
        Assert.Equal(5, Rows(events, []).Count);
    }

    [Fact]
    public void Events_that_are_not_counted_fold_whatever_they_are()
    {
        var events = new[] { Event("a", 1), Event("b", 2) with { NotCounted = true }, Event("c", 3) with { NotCounted = true, Amount = "$1.00" }, Event("d", 4) };
        Assert.Equal(["day", "a", "2 events not counted", "d"], Rows(events, []));
    }

    [Fact]
    public void Newest_first_turns_days_visits_rows_and_folds_round()
    {
        var events = new[] { Event("a", 1), Event("b", 2), Event("view", 3), Event("view", 4), Event("view", 5), Event("view", 6), Event("c", 24 * 60) };

        Assert.Equal(["day", "c", "day", "4 × view", "b", "a"], Rows(events, [], newestFirst: true));
        var fold = TimelineRows.Of(events, [], Day, newestFirst: true).SelectMany(section => section.Rows).OfType<TimelineRow.Events>().Single(row => row.Run.Count > 1);
        Assert.Equal(["client:view6", "client:view5", "client:view4", "client:view3"], fold.Run.Select(one => one.Key));
    }

    [Fact]
    public void A_visit_ends_after_half_an_hour_and_holds_what_servers_send_meanwhile()
    {
        Assert.Equal([3, 1], Counts([Event("a", 0), Event("b", 29), Server("paid", 58), Event("c", 88)]));
        Assert.Equal([1, 1], Counts([Event("a", 0), Event("b", 30)]));
        // Servers alone, and a visit that begins soon after.
        Assert.Equal([2, 1], Counts([Server("x", 0), Server("y", 10), Event("a", 20)]));
        // The next session is the next visit, however soon; two at the same time stand together.
        Assert.Equal([2, 1], Counts([Event("a", 0), Event("b", 1), Event("c", 2) with { Session = 2 }]));
        Assert.Equal([(4, 2)], Visits.Of([Event("a", 0), Event("b", 1) with { Session = 2 }, Event("c", 2), Event("d", 3) with { Session = 2 }]).Select(group => (group.Count, group.Visits)));
    }

    private static IEnumerable<int> Counts(LaneEvent[] events) => Visits.Of(events).Select(group => group.Count);

    private static List<string> Rows(IReadOnlyList<LaneEvent> events, IReadOnlyList<SpanOpening> openings, bool newestFirst = false) =>
        [.. TimelineRows.Of(events, openings, Day, newestFirst).SelectMany(section => (section.Day is null ? Array.Empty<string>() : ["day"]).Concat(section.Rows.Select(Name)))];

    private static LaneEvent Server(string type, long minute) => Event(type, minute) with { Server = true };

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
