using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Good JSON that says something the contract does not know: each field by its wire name, in the sentence and in <c>errors</c>.</summary>
public sealed class BadFieldsTests(RunningServer running) : IClassFixture<RunningServer>
{
    private static readonly string TooLong = new('x', 201);

    [Theory]
    [InlineData("company_id", 422, null)]
    [InlineData("company_id", 422, "5")]
    [InlineData("company_id", 422, "\"\"")]
    [InlineData("company_id", 401, "\"TM-NOBODY\"")]
    [InlineData("company_id", 401, "\"tm-shop99\"")]
    [InlineData("sessionId", 422, null)]
    [InlineData("sessionId", 422, "null")]
    [InlineData("sessionId", 422, "\"\"")]
    [InlineData("sessionId", 422, "7")]
    [InlineData("sessionId", 422, "{}")]
    [InlineData("sessionId", 422, "\"a\\nb\"")]
    [InlineData("sessionId", 422, "\"undefined\"")]
    [InlineData("sessionId", 422, "\" NULL \"")]
    [InlineData("sessionId", 422, "\"00000000-0000-0000-0000-000000000000\"")]
    [InlineData("sessionId", 422, "\"[object Object]\"")]
    [InlineData("eventType", 422, null)]
    [InlineData("eventType", 422, "null")]
    [InlineData("eventType", 422, "\"\"")]
    [InlineData("eventType", 422, "[\"page_view\"]")]
    [InlineData("eventType", 422, "true")]
    [InlineData("eventType", 422, "\"tab\\there\"")]
    [InlineData("eventId", 422, "5.5")]
    [InlineData("eventId", 422, "1e3")]
    [InlineData("eventId", 422, "true")]
    [InlineData("eventId", 422, "\"\"")]
    [InlineData("eventId", 422, "\"\\u007f\"")]
    [InlineData("eventId", 422, "\"line\\u2028\"")]
    [InlineData("context", 422, "[]")]
    [InlineData("context", 422, "\"a\"")]
    [InlineData("timestamp", 422, "[1760781600]")]
    [InlineData("sentAt", 422, "true")]
    [InlineData("sentAt", 422, "\"yesterday\"")]
    [InlineData("events", 422, "{}")]
    [InlineData("events", 422, "\"a\"")]
    [InlineData("events", 422, "1")]
    public async Task A_browsers_event_with_a_bad_field_is_refused(string field, int status, string? value)
    {
        var sent = new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = RunningServer.Unique("session_"), ["eventType"] = "page_view" };
        var sessionId = sent["sessionId"]!.ToString();
        Put(sent, field, value);
        (await running.NewShopper().SendAsync("/api/events", sent)).AssertRefused(status, field);
        (await running.Backend.SessionAsync(sessionId)).AssertRefused(404);
    }

    [Theory]
    [InlineData("sessionId")]
    [InlineData("eventType")]
    [InlineData("eventId")]
    public async Task Two_hundred_characters_are_taken_and_one_more_is_refused(string field)
    {
        var sent = new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = RunningServer.Unique("session_"), ["eventType"] = "page_view", [field] = TooLong };
        (await running.NewShopper().SendAsync("/api/events", sent)).AssertRefused(422, field);

        // Characters are what people count: an emoji is one, though it is two units of UTF-16 and four bytes.
        sent[field] = RunningServer.Unique("😀") + string.Concat(Enumerable.Repeat("😀", 183));
        (await running.NewShopper().SendAsync("/api/events", sent)).AssertOk();
    }

    [Theory]
    [InlineData("company_id", 422, null)]
    [InlineData("company_id", 422, "{}")]
    [InlineData("company_id", 401, "\"TM-NOBODY\"")]
    [InlineData("sessionId", 422, null)]
    [InlineData("sessionId", 422, "\"anonymous\"")]
    [InlineData("sessionId", 422, "0")]
    [InlineData("email", 422, null)]
    [InlineData("email", 422, "null")]
    [InlineData("email", 422, "\"undefined\"")]
    [InlineData("email", 422, "\"   \"")]
    [InlineData("email", 422, "5")]
    [InlineData("email", 422, "[\"a@example.com\"]")]
    [InlineData("email", 422, "\"nobody\"")]
    [InlineData("email", 422, "\"@example.com\"")]
    [InlineData("email", 422, "\"a@\"")]
    [InlineData("email", 422, "\"a@b@example.com\"")]
    [InlineData("email", 422, "\"a b@example.com\"")]
    [InlineData("externalId", 422, "1.5")]
    [InlineData("externalId", 422, "{}")]
    [InlineData("externalId", 422, "true")]
    [InlineData("externalId", 422, "\"a\\u0007\"")]
    [InlineData("name", 422, "5")]
    [InlineData("name", 422, "{\"first\":\"Sarah\"}")]
    [InlineData("name", 422, "LONG")]
    [InlineData("traits", 422, "[]")]
    [InlineData("traits", 422, "\"vip\"")]
    [InlineData("timestamp", 422, "\"2025-10-18\"")]
    [InlineData("sentAt", 422, "5")]
    [InlineData("eventId", 422, "5.5")]
    [InlineData("eventId", 422, "1e3")]
    [InlineData("eventId", 422, "true")]
    public async Task An_identify_with_a_bad_field_is_refused(string field, int status, string? value)
    {
        var email = RunningServer.Unique() + "@example.com";
        var sent = new JsonObject { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = RunningServer.Unique("session_"), ["email"] = email };
        var sessionId = sent["sessionId"]!.ToString();
        Put(sent, field, value);
        (await running.NewShopper().SendAsync("/api/profile", sent)).AssertRefused(status, field);
        (await running.Backend.SessionAsync(sessionId)).AssertRefused(404);
        Assert.Null(await running.Backend.ProfileOfAsync(email));
    }

    /// <summary>A person is never found by half of what was said: a wrong e-mail refuses the identify though the externalId is right.</summary>
    [Fact]
    public async Task An_invalid_email_is_refused_beside_a_valid_externalId()
    {
        var externalId = RunningServer.Unique("customer-");
        (await running.NewShopper().IdentifyAsync("not an address", externalId: externalId)).AssertRefused(422, "email");
        Assert.Empty((await running.Backend.GetAsync($"/api/profiles?externalId={externalId}")).Body!["profiles"]!.AsArray());
    }

    [Theory]
    [InlineData("identifier", 422, null)]
    [InlineData("identifier", 422, "null")]
    [InlineData("identifier", 422, "{}")]
    [InlineData("identifier", 422, "[]")]
    [InlineData("identifier", 422, "\"sarah@example.com\"")]
    [InlineData("identifier", 422, "{\"email\":\"undefined\",\"userId\":\"null\",\"externalId\":\"0\",\"sessionId\":\"-1\"}")]
    [InlineData("identifier", 422, "{\"mail\":\"sarah@example.com\"}")]
    [InlineData("identifier.email", 422, "{\"email\":\"nobody\"}")]
    [InlineData("identifier.email", 422, "{\"email\":5}")]
    [InlineData("identifier.userId", 422, "{\"userId\":\"671234567890abcdef12345\"}")]
    [InlineData("identifier.userId", 422, "{\"userId\":\"671234567890abcdef12345g\"}")]
    [InlineData("identifier.userId", 422, "{\"userId\":5}")]
    [InlineData("identifier.externalId", 422, "{\"externalId\":1e3}")]
    [InlineData("identifier.externalId", 422, "{\"externalId\":[]}")]
    [InlineData("identifier.sessionId", 422, "{\"sessionId\":17}")]
    [InlineData("identifier.sessionId", 422, "{\"sessionId\":\"a\\u0000b\"}", 400)]
    [InlineData("identifier", 400, "{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}")]
    [InlineData("company_id", 403, "\"TM-OTHER\"")]
    [InlineData("company_id", 422, "5")]
    [InlineData("eventType", 422, null)]
    [InlineData("eventType", 422, "5")]
    [InlineData("eventId", 422, "{}")]
    [InlineData("eventData", 422, "\"{}\"")]
    [InlineData("timestamp", 422, "\"now\"")]
    [InlineData("events", 422, "{}")]
    [InlineData("events", 422, "5")]
    public async Task A_webhook_with_a_bad_field_is_refused(string field, int status, string? value, int? really = null)
    {
        var email = RunningServer.Unique() + "@example.com";
        var members = new List<string> { $"\"eventType\":\"order_shipped\"", $"\"identifier\":{{\"email\":\"{email}\"}}" };
        members.RemoveAll(member => member.StartsWith($"\"{field.Split('.')[0]}\"", StringComparison.Ordinal));
        if (value is not null) members.Add($"\"{field.Split('.')[0]}\":{value}");
        (await running.Backend.PostAsync("/api/webhooks/events", "{" + string.Join(',', members) + "}")).AssertRefused(really ?? status, really is null ? field : "identifier");
        Assert.Null(await running.Backend.ProfileOfAsync(email));
    }

    [Fact]
    public async Task Null_and_absent_are_the_same_and_eventData_is_then_empty()
    {
        var shopper = running.NewShopper();
        (await shopper.SendAsync("/api/events", $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","eventType":"a"}""")).AssertOk();
        (await shopper.SendAsync("/api/events", $$"""
            {"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","eventType":"b","eventData":null,"timestamp":null,"eventId":null,"sentAt":null,"context":null,"events":null}
            """)).AssertOk();
        var events = (await running.Backend.SessionAsync(shopper.SessionId)).Body!["events"]!.AsArray();
        Assert.Equal(["a", "b"], events.Select(found => found!["eventType"]!.ToString()));
        Assert.All(events, found => Assert.Equal("{}", found!["eventData"]!.ToJsonString()));
    }

    [Fact]
    public async Task Members_that_the_contract_does_not_know_are_left_alone()
    {
        var shopper = running.NewShopper();
        (await shopper.SendAsync("/api/events", $$"""
            {"version":2,"company_id":"{{ServerProcess.CompanyId}}","sessionId":"{{shopper.SessionId}}","eventType":"a","library":{"name":"x"},"email":5}
            """)).AssertOk();
    }

    [Theory]
    [InlineData("session with spaces")]
    [InlineData("a/b")]
    [InlineData("50%2F")]
    [InlineData("ключ?x=1&y#z")]
    [InlineData("\"quoted\\")]
    [InlineData("😀")]
    public async Task A_session_of_any_printable_characters_is_found_again(string sessionId)
    {
        var unique = sessionId + RunningServer.Unique();
        (await running.NewShopper(unique).TrackAsync("page_view")).AssertOk();
        Assert.Equal(unique, (await running.Backend.SessionAsync(unique)).AssertOk()["sessionId"]);
    }

    /// <summary>U+FFFE cannot be normalized, and a zero-width space would make a second person who looks the same.</summary>
    [Theory]
    [InlineData("a\ufffeé@b.com")]
    [InlineData("a@b.com\u200b")]
    [InlineData("a\u2028@b.com")]
    public async Task An_email_with_what_cannot_be_seen_is_refused(string email)
    {
        (await running.NewShopper().IdentifyAsync(email)).AssertRefused(422, "email");
        Assert.Empty((await running.Backend.GetAsync($"/api/profiles?email={Uri.EscapeDataString(email)}")).Body!["profiles"]!.AsArray());
    }

    /// <summary>Databases number their rows: 42 is the id "42".</summary>
    [Fact]
    public async Task An_eventId_may_be_a_whole_number()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        string Event(string eventId) => $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{shopper.SessionId}}","eventType":"a","eventId":{{eventId}}}""";
        Assert.Equal("1", (await shopper.SendAsync("/api/events", Event("42"))).AssertOk()["accepted"]);
        Assert.Equal("1", (await shopper.SendAsync("/api/events", Event("\"42\""))).AssertOk()["duplicates"]);
        Assert.Equal("1", (await shopper.SendAsync("/api/events", Event("9007199254740993"))).AssertOk()["accepted"]);
        Assert.Equal("9007199254740993", (await shop.Backend.GetAsync("/api/events/9007199254740993")).AssertOk().Body!["receipts"]![0]!["eventId"]!.ToString());
        Assert.Equal("7", (await shop.Backend.PostAsync("/api/webhooks/events", """{"identifier":{"externalId":17},"eventType":"a","eventId":7}""")).AssertOk()["eventId"]);
        (await shopper.SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{shopper.SessionId}}","externalId":17,"eventId":8}""")).AssertOk();

        // What is rejected is found by it as well: alone, in a batch, and in a batch that is rejected whole.
        (await shopper.SendAsync("/api/events", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{shopper.SessionId}}","eventId":101}""")).AssertRefused(422);
        (await shopper.SendAsync("/api/events", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{shopper.SessionId}}","events":[{"eventId":102}]}""")).AssertOk();
        (await shopper.SendAsync("/api/events", $$"""{"company_id":"{{shop.CompanyId}}","events":[{"eventType":"a","eventId":103}]}""")).AssertRefused(422);
        (await shop.Backend.PostAsync("/api/webhooks/events", """{"eventId":104,"a":1,"a":1}""")).AssertRefused(400);
        foreach (var eventId in new[] { "101", "102", "103", "104" })
            Assert.Equal("rejected", (await shop.Backend.GetAsync("/api/events/" + eventId)).AssertOk().Body!["receipts"]![0]!["status"]!.ToString());
    }

    [Fact]
    public async Task An_eventId_that_TrackMate_gives_itself_is_refused_of_a_browser()
    {
        var shopper = running.NewShopper();
        (await shopper.TrackAsync("fake", eventId: "reg_00112233445566778899aabb")).AssertRefused(422, "eventId");
        (await shopper.TrackAsync("real", eventId: "reg_mine")).AssertOk();
    }

    [Fact]
    public async Task Traits_are_facts_and_bounded()
    {
        var shopper = running.NewShopper();
        JsonObject Identify(JsonObject traits) => new() { ["company_id"] = ServerProcess.CompanyId, ["sessionId"] = shopper.SessionId, ["email"] = "traits@example.com", ["traits"] = traits };
        (await shopper.SendAsync("/api/profile", Identify(new() { ["novel"] = new string('x', 2048) }))).AssertRefused(422, "traits");
        for (var i = 0; i < 3; i++) (await shopper.SendAsync("/api/profile", Identify(new(Enumerable.Range(0, 200).Select(n => KeyValuePair.Create($"t{i}_{n}", (JsonNode?)n)))))).AssertOk();
        Assert.Equal(256, (await running.Backend.ProfileOfAsync("traits@example.com"))!["traits"]!.AsObject().Count);
    }

    private static void Put(JsonObject sent, string field, string? value)
    {
        if (value is null) sent.Remove(field);
        else sent[field] = value == "LONG" ? new string('x', 501) : JsonNode.Parse(value);
    }
}
