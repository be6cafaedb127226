using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>B14: which times are taken, and how a clock that is off is put right, once.</summary>
public sealed class TimesTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const long ReceivedAt = 1_760_781_600_000; // 2025-10-18T10:00:00Z

    private static readonly Company Company = new(1, "TM-A", "A", new byte[32], new());

    [Theory]
    [InlineData("2025-10-18T10:00:00Z", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T10:00:00.5Z", "2025-10-18T10:00:00.500Z")]
    [InlineData("2025-10-18T10:00:00.123456789Z", "2025-10-18T10:00:00.123Z")]
    [InlineData("2025-10-18T12:30:00+02:30", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T03:00:00-07:00", "2025-10-18T10:00:00Z")]
    [InlineData("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z")]
    [InlineData("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z")]
    public async Task A_time_with_an_offset_is_taken(string sent, string shown)
    {
        var shopper = running.NewShopper();
        (await shopper.TrackAsync("a", at: sent)).AssertOk();
        Assert.Equal(shown, (await running.Backend.SessionAsync(shopper.SessionId)).Body!["events"]![0]!["timestamp"]!.ToString());
    }

    [Theory]
    [InlineData("\"2025-10-18T10:00:00\"")]
    [InlineData("\"2025-10-18\"")]
    [InlineData("\"2025-10-18 10:00:00Z\"")]
    [InlineData("\"18/10/2025\"")]
    [InlineData("\"2025-13-01T00:00:00Z\"")]
    [InlineData("\"2025-02-29T00:00:00Z\"")]
    [InlineData("\"2025-10-18T24:00:01Z\"")]
    [InlineData("\"2016-12-31T23:59:60Z\"")]
    [InlineData("\"1999-12-31T23:59:59.999Z\"")]
    [InlineData("\"0001-01-01T00:00:00+14:00\"")]
    [InlineData("\"9999-12-31T23:59:59Z\"")]
    [InlineData("\"\"")]
    [InlineData("\"Z\"")]
    [InlineData("1760781600")]
    [InlineData("1760781600000")]
    [InlineData("{}")]
    [InlineData("false")]
    public async Task Another_time_is_refused(string sent)
    {
        var (shopper, email) = (running.NewShopper(), RunningServer.Unique() + "@example.com");
        var node = JsonNode.Parse(sent);
        (await shopper.SendAsync("/api/events", new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = shopper.SessionId, ["eventType"] = "a", ["timestamp"] = node!.DeepClone() }))
            .AssertRefused(422, "timestamp");
        (await shopper.SendAsync("/api/profile", new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = shopper.SessionId, ["email"] = email, ["timestamp"] = node.DeepClone() }))
            .AssertRefused(422, "timestamp");
        (await running.Backend.PostAsync("/api/webhooks/events", new JsonObject { ["identifier"] = new JsonObject { ["email"] = email }, ["eventType"] = "a", ["timestamp"] = node.DeepClone() }))
            .AssertRefused(422, "timestamp");
        (await running.Backend.SessionAsync(shopper.SessionId)).AssertRefused(404);
        Assert.Null(await running.Backend.ProfileOfAsync(email));
    }

    [Fact]
    public async Task A_day_ahead_is_taken_and_more_is_refused()
    {
        var now = TimeProvider.System.GetUtcNow();
        (await running.NewShopper().TrackAsync("a", at: Iso(now.AddHours(23.9)))).AssertOk();
        (await running.NewShopper().TrackAsync("a", at: Iso(now.AddHours(25)))).AssertRefused(422, "timestamp");
    }

    [Fact]
    public async Task A_clock_that_is_off_is_put_right_and_both_times_are_kept()
    {
        var shopper = running.NewShopper();
        var before = TimeProvider.System.GetUtcNow();

        // A clock three days slow, and one two days fast, each say that it happened ten seconds before it was sent.
        foreach (var (type, off) in new[] { ("slow", TimeSpan.FromDays(-3)), ("fast", TimeSpan.FromDays(2)) })
        {
            var sentAt = before + off;
            (await shopper.TrackManyAsync([new JsonObject { ["eventType"] = type, ["timestamp"] = Iso(sentAt.AddSeconds(-10)) }], Iso(sentAt))).AssertOk();
        }

        var after = TimeProvider.System.GetUtcNow();
        var profileId = (await shopper.IdentifyAsync(RunningServer.Unique() + "@example.com"))["profileId"]!;
        foreach (var found in (await running.Backend.TimelineAsync(profileId)).Where(found => found["eventType"]!.ToString() != "user_registered"))
        {
            Assert.InRange(DateTimeOffset.Parse(found["timestamp"]!.ToString()), before.AddSeconds(-11), after.AddSeconds(-9));
            Assert.InRange(DateTimeOffset.Parse(found["receivedAt"]!.ToString()), before.AddSeconds(-1), after.AddSeconds(1));
        }
    }

    [Fact]
    public async Task A_clock_that_is_nearly_right_is_left_alone()
    {
        var shopper = running.NewShopper();
        var happened = TimeProvider.System.GetUtcNow().AddHours(-1);
        (await shopper.TrackManyAsync([new JsonObject { ["eventType"] = "a", ["timestamp"] = Iso(happened) }], Iso(TimeProvider.System.GetUtcNow().AddSeconds(-20)))).AssertOk();
        var shown = (await running.Backend.SessionAsync(shopper.SessionId)).Body!["events"]![0]!["timestamp"]!.ToString();
        Assert.Equal(happened.ToUnixTimeMilliseconds(), DateTimeOffset.Parse(shown).ToUnixTimeMilliseconds());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(60_000, 0)]
    [InlineData(-60_000, 0)]
    [InlineData(60_001, 60_001)]
    [InlineData(-60_001, -60_001)]
    [InlineData(86_400_000, 86_400_000)]
    public void A_minute_is_the_edge(long receivedAfterSent, long correction)
    {
        var given = ReceivedAt - receivedAfterSent - 5000;
        Assert.Equal(given + correction, TimeOf(given, ReceivedAt - receivedAfterSent));
    }

    /// <summary>Times from 2000 on to a day ahead, after correction.</summary>
    [Fact]
    public void The_range_is_that_of_the_corrected_time()
    {
        const long Day = 86_400_000;
        const long Year2000 = 946_684_800_000;
        Assert.Equal(ReceivedAt + Day, TimeOf(ReceivedAt + Day, null));
        Assert.Throws<Refused>(() => TimeOf(ReceivedAt + Day + 1, null));
        Assert.Equal(Year2000, TimeOf(Year2000, null));
        Assert.Throws<Refused>(() => TimeOf(Year2000 - 1, null));

        // A clock at 1970 is put right; one that is fast enough to bring a good time before 2000 is not taken.
        Assert.Equal(ReceivedAt - 1000, TimeOf(4000, 5000));
        Assert.Throws<Refused>(() => TimeOf(Year2000, ReceivedAt + Day));
    }

    private static long TimeOf(long timestamp, long? sentAt)
    {
        var wire = WireObject.Read(System.Text.Encoding.UTF8.GetBytes($$"""{"eventType":"a","timestamp":"{{Iso(DateTimeOffset.FromUnixTimeMilliseconds(timestamp))}}"}"""), FieldPath.Body);
        return MessageReader.Event(wire, new(Company, Origin.Browser, ReceivedAt, sentAt, "s", default, null), 0, [], "s").Order.UnixMilliseconds;
    }

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
}
