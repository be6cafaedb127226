using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>B7: server events less than the gap apart are one server session, whoever held them and however they came.</summary>
[NoStore]
public sealed class ServerSessionsTests
{
    private const long Gap = 10;

    /// <summary>Events of up to three holders, some at one time.</summary>
    private static readonly Gen<(int Holder, long Time, string EventId)[]> Events = Gen.Select(Gen.Int[0, 2], Gen.Long[0, 120]).Array[0, 20]
        .Select(events => events.Select((sent, i) => (sent.Item1, sent.Item2, ((char)('a' + (i * 7 % 20))).ToString())).ToArray());

    [Fact]
    public void Added_in_any_order_and_joined_over_holders_they_are_what_one_sees_in_the_line_of_time() =>
        Gen.Select(Events, Gen.Int).Sample((events, seed) =>
        {
            var shuffled = events.ToArray();
            new Random(seed).Shuffle(shuffled);
            var runs = new Dictionary<int, List<ServerRun>> { [0] = [], [1] = [], [2] = [] };
            foreach (var sent in shuffled)
            {
                var own = runs[sent.Holder];
                var near = own.Where(run => sent.Time - run.Last.UnixMilliseconds < Gap && run.First.UnixMilliseconds - sent.Time < Gap).ToList();
                own.RemoveAll(near.Contains);
                own.Add(ServerSessions.Add(near, OrderOf(sent.Time), sent.EventId));
            }

            foreach (var (holder, own) in runs)
                Assert.Equal(Naive(events.Where(sent => sent.Holder == holder)), own.OrderBy(run => run.First));
            Assert.Equal(Naive(events), ServerSessions.Join(runs.Values.SelectMany(own => own), Gap));
        });

    [Fact]
    public void Neighbours_the_gap_apart_are_two_sessions_and_a_millisecond_less_is_one()
    {
        ServerRun At(long time) => new(OrderOf(time), "e" + time, OrderOf(time), 1);
        Assert.Equal(2, ServerSessions.Join([At(0), At(Gap)], Gap).Count);
        Assert.Single(ServerSessions.Join([At(0), At(Gap - 1)], Gap));
    }

    private static List<ServerRun> Naive(IEnumerable<(int Holder, long Time, string EventId)> events)
    {
        var sessions = new List<ServerRun>();
        foreach (var (_, time, eventId) in events.OrderBy(sent => sent.Time).ThenBy(sent => sent.EventId, StringComparer.Ordinal))
        {
            if (sessions.Count > 0 && time - sessions[^1].Last.UnixMilliseconds < Gap) sessions[^1] = sessions[^1] with { Last = OrderOf(time), Events = sessions[^1].Events + 1 };
            else sessions.Add(new(OrderOf(time), eventId, OrderOf(time), 1));
        }

        return sessions;
    }

    private static EventOrder OrderOf(long time) => EventOrder.Of(time, Origin.Server);
}
