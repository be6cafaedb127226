using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Tests.Store;

/// <summary>Sessions by the day they began on, and how many of them are somebody's: kept as messages come, the same as counted anew.</summary>
public sealed class StitchRateTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private const long Day = UtcDay.Milliseconds;
    private const long Noon = (Messages.Ten / Day * Day) + (Day / 2);

    private static readonly Agent Bot = new("Chrome", "Linux", "desktop", true);

    private readonly Company company = Messages.Company(stored.NextCompany());

    [Fact]
    public async Task A_session_counts_on_the_day_of_its_first_event_and_as_identified_once_it_is_somebodys()
    {
        await stored.Store.AppendAsync([Event("a", 0), Event("b", 0), Event("b", 3), Event("c", 2)]);
        Assert.Equal([(2, 1, 0), (0, 2, 0)], Days());
        await stored.Store.AppendAsync([Messages.Identify(company, "a", "a@shop.com", "i1", Noon), Messages.Identify(company, "a", "b@shop.com", "i2", Noon + 5)]);
        Assert.Equal([(2, 1, 0), (0, 2, 1)], Days());
        await stored.Store.AppendAsync([Messages.Webhook(company, "c@shop.com", "w", Noon, session: "c")]);
        Assert.Equal([(2, 1, 1), (0, 2, 1)], Days());
    }

    [Fact]
    public async Task A_late_and_earlier_event_moves_it_with_what_it_is()
    {
        await stored.Store.AppendAsync([Event("a", 5), Messages.Identify(company, "a", "a@shop.com", "i1", Noon)]);
        Assert.Equal([(5, 1, 1)], Days());
        await stored.Store.AppendAsync([Event("a", 2)]);
        Assert.Equal([(2, 1, 1)], Days());
    }

    [Fact]
    public async Task Bots_are_left_out()
    {
        await stored.Store.AppendAsync([Event("bot", 0) with { Agent = Bot }, Event("mixed", 0) with { Agent = Bot }, Event("mixed", 4)]);
        Assert.Equal([(4, 1, 0)], Days());
        await stored.Store.AppendAsync([Event("mixed", 0)]);
        Assert.Equal([(0, 1, 0)], Days());
    }

    [Fact]
    public async Task A_session_that_an_operator_takes_back_is_nobodys_again()
    {
        await stored.Store.AppendAsync([Event("a", 0), Messages.Identify(company, "a", "a@shop.com", "i1", Noon)]);
        Assert.Equal([(0, 1, 1)], Days());
        var by = new ActBy("a test", Noon, DryRun: false);
        Assert.NotNull((await stored.Store.ActAsync(company, (acts, _) => acts.Unbind(company, "a", 0, long.MaxValue, by with { DryRun = true }))).Outcome);
        Assert.Equal([(0, 1, 1)], Days());
        await stored.Store.ActAsync(company, (acts, _) => acts.Unbind(company, "a", long.MinValue, long.MaxValue, by));
        Assert.Equal([(0, 1, 0)], Days());
    }

    [Fact]
    public async Task Whatever_comes_in_whatever_order_it_is_what_counting_anew_gives()
    {
        var random = new Random(20251018);
        for (var step = 0; step < 300; step++)
        {
            var messages = Enumerable.Range(0, random.Next(1, 5)).Select(i => (Message)(random.Next(4) switch
            {
                0 => Messages.Identify(company, $"s{random.Next(8)}", $"{random.Next(3)}@shop.com", $"i{step} {i}", Noon + (random.Next(6) * Day)),
                1 => Messages.Webhook(company, $"{random.Next(3)}@shop.com", $"w{step} {i}", Noon + (random.Next(6) * Day), session: $"s{random.Next(8)}"),
                2 => Event($"s{random.Next(8)}", random.Next(6)) with { Agent = Bot },
                _ => Event($"s{random.Next(8)}", random.Next(6)),
            })).ToList();
            await stored.Store.AppendAsync(messages);
            if (step % 10 == 9) await stored.Store.ActAsync(company, (acts, _) => acts.Unbind(company, $"s{random.Next(8)}", Noon + (random.Next(6) * Day), long.MaxValue, new("a test", Noon, DryRun: random.Next(2) == 0)));
            if (step % 50 == 49)
            {
                var erased = Identifier.Email(company, $"{random.Next(3)}@shop.com").Id;
                var state = await stored.Store.EraseAsync(company, erasures => erasures.Begin(company, erased, new("a test", Noon, DryRun: false), suppress: false, most: 5));
                while (state is { RowsGone: false })
                {
                    Assert.Equal(CountedAnew(), Days());
                    state = await stored.Store.EraseAsync(company, erasures => erasures.Continue(state, most: 5));
                }
            }

            Assert.Equal(CountedAnew(), Days());
        }
    }

    [Fact]
    public void The_rate_is_that_of_all_days_together_and_none_without_a_session()
    {
        Assert.Equal(0.25, StitchDay.RateOf([new(1, 1, 1), new(2, 3, 0)]));
        Assert.Null(StitchDay.RateOf([]));
    }

    private static int events;

    private TrackedEvent Event(string session, int day) => Messages.Browser(company, session, $"e{Interlocked.Increment(ref events)}", Noon + (day * Day));

    private List<(int Day, int Sessions, int Identified)> Days()
    {
        using var snapshot = stored.Store.Read();
        return [.. new IngestionReader(snapshot.Database).StitchDays(company, 0).Select(day => ((int)(day.Day - (Noon / Day)), (int)day.Sessions, (int)day.Identified))];
    }

    private List<(int Day, int Sessions, int Identified)> CountedAnew()
    {
        using var snapshot = stored.Store.Read();
        var sessions = new Dictionary<long, (long Day, bool Identified)>();
        using (var rows = snapshot.Database.Use("SELECT session, day FROM session_day WHERE company = ? AND bots < events ORDER BY day DESC"))
        {
            rows.With(company.Number);
            while (rows.Next()) sessions[rows.Long(0)] = (rows.Long(1), false);
        }

        using (var rows = snapshot.Database.Use("SELECT session FROM span WHERE company = ?"))
        {
            rows.With(company.Number);
            while (rows.Next())
            {
                if (sessions.TryGetValue(rows.Long(0), out var known)) sessions[rows.Long(0)] = known with { Identified = true };
            }
        }

        return [.. sessions.Values.GroupBy(session => session.Day).OrderByDescending(day => day.Key).Select(day => ((int)(day.Key - (Noon / Day)), day.Count(), day.Count(session => session.Identified)))];
    }
}
