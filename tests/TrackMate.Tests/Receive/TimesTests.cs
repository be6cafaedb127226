using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Http;
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
    [InlineData("2025-10-18T10:00Z", "2025-10-18T10:00:00Z")] // Java leaves zero seconds out
    [InlineData("2025-10-18T12:00+02:00[Europe/Berlin]", "2025-10-18T10:00:00Z")] // Java's ZonedDateTime, JavaScript's Temporal
    [InlineData("2025-10-18T10:00:00Z[UTC][u-ca=gregory]", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T10:00:00+0000", "2025-10-18T10:00:00Z")] // PHP
    [InlineData("2025-10-18T03:00:00-0700", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T10:00:00+00", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T15:45+0545", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18t10:00:00z", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T10:00:00,5Z", "2025-10-18T10:00:00.500Z")]
    [InlineData("2025-10-18T10:00:00.1Z", "2025-10-18T10:00:00.100Z")]
    [InlineData("2025-10-18T10:00:00.12Z", "2025-10-18T10:00:00.120Z")]
    [InlineData("2025-10-18T10:00:00.1239999Z", "2025-10-18T10:00:00.123Z")]
    [InlineData("2025-10-18 10:00:00Z", "2025-10-18T10:00:00Z")] // RFC 3339 allows a blank
    [InlineData("2025-10-18 10:00:00.123456+00:00", "2025-10-18T10:00:00.123Z")] // Python's str()
    [InlineData("2025-10-18 12:00:00+02", "2025-10-18T10:00:00Z")] // PostgreSQL
    [InlineData("2025-10-18 10:00:00 +0000", "2025-10-18T10:00:00Z")] // Ruby
    [InlineData("2025-10-18 10:00:00 UTC", "2025-10-18T10:00:00Z")]
    [InlineData("20251018T100000Z", "2025-10-18T10:00:00Z")] // the basic format
    [InlineData("20251018T1000+00", "2025-10-18T10:00:00Z")]
    [InlineData("2025-10-18T08:00:00\u221202:00", "2025-10-18T10:00:00Z")] // the minus sign that ISO 8601 asks for
    [InlineData("2025-10-17T24:00:00Z", "2025-10-18T00:00:00Z")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")]
    [InlineData("2016-12-31T18:59:60.5-05:00", "2017-01-01T00:00:00.500Z")]
    [InlineData("1760781600", "2025-10-18T10:00:00Z")]
    [InlineData("1760781600123", "2025-10-18T10:00:00.123Z")]
    public async Task A_time_with_an_offset_is_taken(string sent, string shown)
    {
        Assert.Equal(shown, await ShownAsync(sent));
        var shopper = running.NewShopper();
        // A sender's clock may be written in the same ways.
        (await shopper.TrackManyAsync([new JsonObject { ["eventType"] = "a" }], sent)).AssertOk();
        var email = RunningServer.Unique() + "@example.com";
        (await running.Backend.WebhookAsync("a", email: email, at: sent)).AssertOk();
        Assert.Equal(shown, (await running.Backend.TimelineAsync((await running.Backend.ProfileOfAsync(email))!["id"]!.ToString()))[0]["timestamp"]!.ToString());
    }

    /// <summary>Seconds and milliseconds since 1970, told apart by their size, as languages print them.</summary>
    [Theory]
    [InlineData("1760781600", "2025-10-18T10:00:00Z")]
    [InlineData("1760781600.5", "2025-10-18T10:00:00.500Z")]
    [InlineData("1760781600.123456", "2025-10-18T10:00:00.123Z")]
    [InlineData("1.7607816E9", "2025-10-18T10:00:00Z")]
    [InlineData("1760781600000", "2025-10-18T10:00:00Z")]
    [InlineData("1760781600123.9", "2025-10-18T10:00:00.123Z")]
    [InlineData("1.760781600123e12", "2025-10-18T10:00:00.123Z")]
    [InlineData("946684800", "2000-01-01T00:00:00Z")]
    [InlineData("946684800000", "2000-01-01T00:00:00Z")]
    public async Task Unix_time_is_taken_as_a_number(string sent, string shown)
    {
        Assert.Equal(shown, await ShownAsync(JsonNode.Parse(sent)!));
        var shopper = running.NewShopper();
        (await shopper.SendAsync("/api/profile", $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","email":"{{RunningServer.Unique()}}@example.com","timestamp":{{sent}},"sentAt":{{sent}}}""")).AssertOk();
    }

    private async Task<string> ShownAsync(JsonNode at)
    {
        var shopper = running.NewShopper();
        (await shopper.SendAsync("/api/events", new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = shopper.SessionId, ["eventType"] = "a", ["timestamp"] = at })).AssertOk();
        return (await running.Backend.SessionAsync(shopper.SessionId)).Body!["events"]![0]!["timestamp"]!.ToString();
    }

    [Theory]
    [InlineData("\"2025-10-18T10:00:00\"")]
    [InlineData("\"2025-10-18\"")]
    [InlineData("\"2025-10-18 10:00:00\"")]
    [InlineData("\"2025-10-18T10:00\"")]
    [InlineData("\"2025-10-18T10:00[Europe/Berlin]\"")]
    [InlineData("\"20251018\"")]
    [InlineData("\"2025-10-18T1000Z\"")]
    [InlineData("\"20251018T10:00Z\"")]
    [InlineData("\"2025-10-18T10Z\"")]
    [InlineData("\"2025-10-18T10:00:00.Z\"")]
    [InlineData("\"2025-10-18T10:00:00+2\"")]
    [InlineData("\"2025-10-18T10:00:00+24:00\"")]
    [InlineData("\"2025-10-18T10:00:00+02:60\"")]
    [InlineData("\"2025-10-18T10:00:00Z \"")]
    [InlineData("\" 2025-10-18T10:00:00Z\"")]
    [InlineData("\"2025-10-18T10:00:00Z[\"")]
    [InlineData("\"2025-1-8T10:00:00Z\"")]
    [InlineData("\"+2025-10-18T10:00:00Z\"")]
    [InlineData("\"2025-W42-6T10:00:00Z\"")]
    [InlineData("\"2025-291T10:00:00Z\"")]
    [InlineData("\"Sat, 18 Oct 2025 10:00:00 GMT\"")]
    [InlineData("\"01.02.2025\"")]
    [InlineData("\"12:00\"")]
    [InlineData("\"1\"")]
    [InlineData("\"2016-12-31T22:59:60Z\"")]
    [InlineData("\"2016-12-31T23:59:60-05:00\"")]
    [InlineData("\"2025-10-18T24:00:00.001Z\"")]
    [InlineData("\"٢٠٢٥-10-18T10:00:00Z\"")]
    [InlineData("\"18/10/2025\"")]
    [InlineData("\"2025-13-01T00:00:00Z\"")]
    [InlineData("\"2025-02-29T00:00:00Z\"")]
    [InlineData("\"2025-10-18T24:00:01Z\"")]
    [InlineData("\"1999-12-31T23:59:59.999Z\"")]
    [InlineData("\"0001-01-01T00:00:00+14:00\"")]
    [InlineData("\"9999-12-31T23:59:59Z\"")]
    [InlineData("\"\"")]
    [InlineData("\"Z\"")]
    [InlineData("1")]
    [InlineData("0")]
    [InlineData("-1760781600")]
    [InlineData("1760781600000000")]
    [InlineData("1760781600000000000")]
    [InlineData("1e300")]
    [InlineData("4102444800")]
    [InlineData("[1760781600]")]
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
        Assert.Throws<RejectionException>(() => TimeOf(ReceivedAt + Day + 1, null));
        Assert.Equal(Year2000, TimeOf(Year2000, null));
        Assert.Throws<RejectionException>(() => TimeOf(Year2000 - 1, null));

        // A clock at 1970 is put right; one that is fast enough to bring a good time before 2000 is not taken.
        Assert.Equal(ReceivedAt - 1000, TimeOf(4000, 5000));
        Assert.Throws<RejectionException>(() => TimeOf(Year2000, ReceivedAt + Day));
    }

    private static long TimeOf(long timestamp, long? sentAt)
    {
        var wire = WireObject.Read(System.Text.Encoding.UTF8.GetBytes($$"""{"eventType":"a","timestamp":"{{Iso(DateTimeOffset.FromUnixTimeMilliseconds(timestamp))}}"}"""), FieldPath.Body);
        return MessageReader.Event(wire, new(Company, Origin.Browser, ReceivedAt, sentAt, "s", default, null), 0, [], "s").Order.UnixMilliseconds;
    }

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
}
