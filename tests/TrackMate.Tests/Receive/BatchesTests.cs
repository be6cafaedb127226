using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Many events in one request: a bad one refuses itself only, a bad envelope refuses all.</summary>
public sealed class BatchesTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>What can be wrong with one event of a batch, by the status it would have alone and the field that the sentence names.</summary>
    public static TheoryData<int, string, string> BadEvents => new()
    {
        { 422, "null", "events[1]" },
        { 422, "[]", "events[1]" },
        { 422, "\"page_view\"", "events[1]" },
        { 422, "7", "events[1]" },
        { 422, "{}", "events[1]." },
        { 422, """{"eventType":5}""", "events[1].eventType" },
        { 422, """{"eventType":"a","eventData":[]}""", "events[1].eventData" },
        { 422, """{"eventType":"a","eventData":{"n":1e999}}""", "events[1].eventData" },
        { 422, """{"eventType":"a","timestamp":"1999-12-31T23:59:59Z"}""", "events[1].timestamp" },
        { 422, """{"eventType":"a","eventData":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}""", "events[1].eventData" },
        { 400, """{"eventType":"a","eventType":"a"}""", "events[1].eventType" },
        { 400, """{"eventType":"a","eventData":{"x":1,"\u0078":1}}""", "events[1].eventData" },
        { 400, """{"eventType":"a\u0000"}""", "events[1].eventType" },
        { 400, """{"eventType":"a","\udc00":1}""", "events[1]" },
        { 413, """{"eventType":"a","eventData":{"x":"LARGE"}}""", "events[1]" },
    };

    [Theory]
    [MemberData(nameof(BadEvents))]
    public async Task A_browsers_bad_event_refuses_itself_only(int status, string bad, string named)
    {
        var shopper = running.NewShopper();
        var answer = await shopper.SendAsync("/api/events", $$"""
            {"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","events":[{"eventType":"first"},{{Enlarge(bad)}},{"eventType":"last"}]}
            """);
        answer.AssertOk();
        Assert.Equal(2, (int)answer.Body!["accepted"]!);
        Assert.Equal(0, (int)answer.Body["duplicates"]!);
        var rejected = Assert.Single(answer.Body["rejected"]!.AsArray())!;
        Assert.Equal(1, (int)rejected["index"]!);
        Assert.Equal(status, (int)rejected["status"]!);
        Answer.AssertSentence(rejected["detail"]!.ToString());
        Assert.Contains(named, rejected["detail"]!.ToString());
        Assert.True(rejected.AsObject().ContainsKey("eventId"));
        Assert.Equal(["first", "last"], await TypesOfAsync(shopper.SessionId));
    }

    [Theory]
    [MemberData(nameof(BadEvents))]
    public async Task A_webhooks_bad_event_is_a_problem_among_answers(int status, string bad, string named)
    {
        var email = RunningServer.Unique() + "@example.com";
        var withIdentifier = bad.StartsWith("{\"", StringComparison.Ordinal) ? $$"""{"identifier":{"email":"{{email}}"},{{bad[1..]}}""" : bad;
        var answer = await running.Backend.PostAsync("/api/webhooks/events", $$"""
            {"events":[{"identifier":{"email":"{{email}}"},"eventType":"first"},{{Enlarge(withIdentifier)}},{"identifier":{"email":"{{email}}"},"eventType":"last"}]}
            """);
        answer.AssertOk();
        var results = answer.Body!["results"]!.AsArray();
        Assert.Equal(3, results.Count);
        Assert.Equal(status, (int)results[1]!["status"]!);
        Answer.AssertSentence(results[1]!["detail"]!.ToString());
        Assert.Contains(named, results[1]!["detail"]!.ToString());
        Assert.Equal(results[0]!["profileId"]!.ToString(), results[2]!["profileId"]!.ToString());
        var timeline = await running.Backend.TimelineAsync(results[0]!["profileId"]!.ToString());
        Assert.Equal(["first", "last"], timeline.Select(found => found["eventType"]!.ToString()));
    }

    [Theory]
    [InlineData("null", "identifier")]
    [InlineData("{}", "identifier")]
    [InlineData("\"a@example.com\"", "identifier")]
    [InlineData("{\"email\":\"nobody\"}", "identifier.email")]
    [InlineData("{\"userId\":\"5\"}", "identifier.userId")]
    [InlineData("{\"externalId\":1.5}", "identifier.externalId")]
    [InlineData("{\"email\":\"a@example.com\",\"more\":1e999}", "identifier")]
    public async Task A_bad_identifier_in_a_batch_is_named_by_its_place(string identifier, string field)
    {
        var answer = await running.Backend.PostAsync("/api/webhooks/events", $$"""{"events":[{"identifier":{{identifier}},"eventType":"a"}]}""");
        var problem = answer.AssertOk().Body!["results"]![0]!;
        Assert.Equal(422, (int)problem["status"]!);
        Assert.Contains("events[0]." + field, problem["detail"]!.ToString());
        Assert.NotNull(problem["errors"]!["events[0]." + field]);
    }

    [Fact]
    public async Task A_refused_event_is_named_by_its_own_eventId()
    {
        var eventId = RunningServer.Unique();
        var answer = await running.NewShopper().TrackManyAsync([new JsonObject { ["eventId"] = eventId }, new JsonObject { ["eventType"] = 5, ["eventId"] = true }]);
        Assert.Equal(eventId, answer.Body!["rejected"]![0]!["eventId"]!.ToString());
        Assert.Null(answer.Body["rejected"]![1]!["eventId"]);
    }

    [Fact]
    public async Task Five_hundred_events_are_taken_and_one_more_refuses_all()
    {
        var shopper = running.NewShopper();
        (await shopper.TrackManyAsync(Events(501))).AssertRefused(422, "events");
        (await running.Backend.SessionAsync(shopper.SessionId)).AssertRefused(404);

        var answer = (await shopper.TrackManyAsync(Events(500))).AssertOk();
        Assert.Equal(500, (int)answer.Body!["accepted"]!);
        Assert.Null(answer.Body["rejected"]);

        var email = RunningServer.Unique() + "@example.com";
        JsonArray Webhooks(int count) => [.. Enumerable.Range(0, count).Select(i => new JsonObject { ["identifier"] = new JsonObject { ["email"] = email }, ["eventType"] = $"type {i}" })];
        (await running.Backend.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = Webhooks(501) })).AssertRefused(422, "events");
        Assert.Null(await running.Backend.ProfileOfAsync(email));
        Assert.Equal(500, (await running.Backend.PostAsync("/api/webhooks/events", new JsonObject { ["events"] = Webhooks(500) })).AssertOk().Body!["results"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_batch_of_none_is_taken_and_stores_nothing()
    {
        var shopper = running.NewShopper();
        Assert.Equal("""{"accepted":0,"duplicates":0}""", (await shopper.TrackManyAsync([])).AssertOk().Text);
        (await running.Backend.SessionAsync(shopper.SessionId)).AssertRefused(404);
        Assert.Equal("""{"results":[]}""", (await running.Backend.PostAsync("/api/webhooks/events", """{"events":[]}""")).AssertOk().Text);
    }

    [Theory]
    [InlineData("\"sessionId\":\"guest\"", "sessionId", 422)]
    [InlineData("\"sessionId\":\"S\",\"sentAt\":\"now\"", "sentAt", 422)]
    [InlineData("\"sessionId\":\"S\",\"context\":[]", "context", 422)]
    [InlineData("\"more\":1", "sessionId", 422)]
    [InlineData("\"sessionId\":\"S\",\"sessionId\":\"S\"", "sessionId", 400)]
    public async Task A_bad_envelope_refuses_all(string envelope, string field, int status)
    {
        var shopper = running.NewShopper();
        var answer = await shopper.SendAsync("/api/events", $$"""
            {"company_id":"{{ServerProcess.CompanyId}}",{{envelope.Replace("\"S\"", $"\"{shopper.SessionId}\"")}},"events":[{"eventType":"a"}]}
            """);
        answer.AssertRefused(status, field);
        (await running.Backend.SessionAsync(shopper.SessionId)).AssertRefused(404);
    }

    /// <summary>Nothing crosses companies: an event that names another company than its envelope is not taken for this one.</summary>
    [Fact]
    public async Task An_event_that_names_another_company_is_refused()
    {
        var email = RunningServer.Unique() + "@example.com";
        var answer = await running.Backend.PostAsync("/api/webhooks/events", $$"""
            {"events":[{"company_id":"TM-OTHER","identifier":{"email":"{{email}}"},"eventType":"a"}]}
            """);
        Assert.Equal(403, (int)answer.AssertOk().Body!["results"]![0]!["status"]!);
        Assert.Null(await running.Backend.ProfileOfAsync(email));
    }

    /// <summary>B14: events without a timestamp in one batch keep the order of the array, whatever their eventIds.</summary>
    [Fact]
    public async Task Events_without_a_time_keep_the_order_of_the_array()
    {
        var shopper = running.NewShopper();
        await shopper.TrackManyAsync([.. Enumerable.Range(0, 100).Select(i => new JsonObject { ["eventType"] = $"type {i}", ["eventId"] = RunningServer.Unique($"{999 - i} ") })]);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"type {i}"), await TypesOfAsync(shopper.SessionId));
    }

    /// <summary>B10: a repeat counts as a duplicate, within one batch too.</summary>
    [Fact]
    public async Task A_repeat_in_one_batch_is_a_duplicate()
    {
        var shopper = running.NewShopper();
        var eventId = RunningServer.Unique();
        var answer = await shopper.TrackManyAsync([
            new JsonObject { ["eventType"] = "a", ["eventId"] = eventId },
            new JsonObject { ["eventType"] = "b", ["eventId"] = eventId },
            new JsonObject { ["eventType"] = "c" }]);
        Assert.Equal("""{"accepted":2,"duplicates":1}""", answer.AssertOk().Text);
        Assert.Equal(["a", "c"], await TypesOfAsync(shopper.SessionId));
    }

    private static JsonArray Events(int count) => [.. Enumerable.Range(0, count).Select(i => new JsonObject { ["eventType"] = $"type {i}" })];

    private static string Enlarge(string bad) => bad.Replace("LARGE", new string('x', 32 * 1024));

    private async Task<IEnumerable<string>> TypesOfAsync(string sessionId) =>
        (await running.Backend.GetAsync($"/api/sessions/{sessionId}?limit=1000")).AssertOk().Body!["events"]!.AsArray().Select(found => found!["eventType"]!.ToString()).ToList();
}
