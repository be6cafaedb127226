using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Whatever was refused is found by the eventId it came with, be it alone, in a batch, or in a batch that was refused as a whole.</summary>
public sealed class RejectedTests(RunningServer running) : IClassFixture<RunningServer>
{
    private ShopBackend Backend => running.Backend;

    [Theory]
    [InlineData("""{"company_id":"$","sessionId":"s","sentAt":"yesterday","events":[*]}""", 422, "sentAt")]
    [InlineData("""{"company_id":"$","events":[*],"sessionId":"undefined"}""", 422, "sessionId")]
    [InlineData("""{"company_id":"$","sessionId":"s","context":[],"events":[*]}""", 422, "context")]
    [InlineData("""{"company_id":"$","sessionId":"s","sessionId":"s","events":[*]}""", 400, "sessionId")]
    [InlineData("""{"company_id":"$","sessionId":"s","events":[*]} and more""", 400, "JSON")]
    public async Task Each_event_of_a_browsers_batch_that_was_refused_as_a_whole_is_found(string batch, int status, string named)
    {
        var (one, two) = (RunningServer.Unique("one"), RunningServer.Unique("two"));
        var body = batch.Replace("$", ServerProcess.CompanyId).Replace("*", $$"""{"eventType":"a","eventId":"{{one}}"}, {"eventType":"b", "eventData":{"eventId":"inner"},"eventId":"{{two}}"}""");
        (await running.NewShopper().SendAsync("/api/events", body)).AssertRefused(status);

        var receipt = await ReceiptAsync(two);
        Assert.Equal(("rejected", "client", $"{status}"), (receipt["status"]!.ToString(), receipt["source"]!.ToString(), receipt["statusCode"]!.ToString()));
        Assert.Contains(named, receipt["detail"]!.ToString());
        Assert.Equal($$"""{"eventType":"b", "eventData":{"eventId":"inner"},"eventId":"{{two}}"}""", receipt["body"]!.ToString());
        Assert.False((bool)receipt["bodyCut"]!);
        Assert.Equal("rejected", (await ReceiptAsync(one))["status"]!.ToString());
        Assert.Empty((await Backend.GetAsync("/api/events/inner")).Body!["receipts"]?.AsArray() ?? []);
    }

    [Fact]
    public async Task Of_too_many_events_the_first_five_hundred_are_found()
    {
        var word = RunningServer.Unique();
        var events = string.Join(',', Enumerable.Range(0, 600).Select(i => $$"""{"identifier":{"email":"a@example.com"},"eventType":"a","eventId":"{{word}}{{i}}"}"""));
        (await Backend.PostAsync("/api/webhooks/events", $$"""{"events":[{{events}}]}""")).AssertRefused(422, "events");

        var last = await ReceiptAsync(word + "499");
        Assert.Equal(("rejected", "server"), (last["status"]!.ToString(), last["source"]!.ToString()));
        Assert.EndsWith($$"""{{word}}499"}""", last["body"]!.ToString());
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Backend.GetAsync($"/api/events/{word}500")).Status);
    }

    [Fact]
    public async Task A_large_batch_is_cut_and_its_ids_are_kept_all_the_same()
    {
        var word = RunningServer.Unique();
        var data = new string('x', 20_000);
        var events = string.Join(',', Enumerable.Range(0, 40).Select(i => $$"""{"eventType":"a","eventData":{"x":"{{data}}" },"eventId":"{{word}}{{i}}"}"""));
        (await running.NewShopper().SendAsync("/api/events", $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"null","events":[{{events}}]}""")).AssertRefused(422, "sessionId");

        Assert.False((bool)(await ReceiptAsync(word + "1"))["bodyCut"]!);
        var beyond = await ReceiptAsync(word + "39");
        Assert.True((bool)beyond["bodyCut"]!);
        Assert.Null(beyond["body"]);
    }

    [Fact]
    public async Task An_event_that_a_page_of_another_origin_sent_is_found()
    {
        var shop = await running.NewShopAsync(new() { AllowedOrigins = ["https://shop.com"] });
        await new Shopper(running.Http, shop.CompanyId) { Origin = "https://evil.com" }.TrackAsync("a", eventId: "from-evil");
        var receipt = Assert.Single((await shop.Backend.GetAsync("/api/events/from-evil")).Body!["receipts"]!.AsArray())!;
        Assert.Equal("403", receipt["statusCode"]!.ToString());
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Backend.GetAsync("/api/events/from-evil")).Status);
    }

    [Fact]
    public async Task A_whole_event_of_32_KiB_is_kept()
    {
        var eventId = RunningServer.Unique();
        await running.NewShopper().TrackAsync("a", new { x = new string('x', 32_000) }, at: "1999-01-01T00:00:00Z", eventId: eventId);
        await running.NewShopper().TrackAsync("a", new { x = new string('x', 40_000) }, eventId: eventId + "larger");

        var whole = await ReceiptAsync(eventId);
        Assert.False((bool)whole["bodyCut"]!);
        Assert.Equal(32_000, JsonNode.Parse(whole["body"]!.ToString())!["eventData"]!["x"]!.ToString().Length);
        Assert.True((bool)(await ReceiptAsync(eventId + "larger"))["bodyCut"]!);
    }

    private async Task<JsonNode> ReceiptAsync(string eventId) => Assert.Single((await Backend.GetAsync("/api/events/" + eventId)).AssertOk().Body!["receipts"]!.AsArray())!;
}
