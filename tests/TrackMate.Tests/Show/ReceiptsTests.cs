using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>What became of an eventId, as the sender asks for it.</summary>
public sealed class ReceiptsTests(RunningServer running) : IClassFixture<RunningServer>
{
    private ShopBackend Backend => running.Backend;

    [Fact]
    public async Task A_stored_event_tells_its_present_owner_and_why()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("page_view", eventId: "receipt / 1", at: "2025-10-18T10:00:00Z");
        var anonymous = Assert.Single((await Backend.GetAsync("/api/events/receipt%20%2F%201")).Body!["receipts"]!.AsArray())!;
        Assert.Equal("stored", anonymous["status"]!.ToString());
        Assert.Null(anonymous["profileId"]);
        Assert.Null(anonymous["binding"]);

        var profileId = (await shopper.IdentifyAsync("receipt1@example.com", at: "2025-10-18T10:01:00Z", eventId: "receipt-1-identify"))["profileId"]!;
        var owned = Assert.Single((await Backend.GetAsync("/api/events/receipt%20%2F%201")).Body!["receipts"]!.AsArray())!;
        Assert.Equal(("client", profileId, "identify"), (owned["source"]!.ToString(), owned["profileId"]!.ToString(), owned["binding"]!["method"]!.ToString()));

        var identify = Assert.Single((await Backend.GetAsync("/api/events/receipt-1-identify")).Body!["receipts"]!.AsArray())!;
        Assert.Equal(profileId, identify["profileId"]!.ToString());
        var registered = Assert.Single((await Backend.GetAsync($"/api/events/reg_{profileId}")).Body!["receipts"]!.AsArray())!;
        Assert.Equal(profileId, registered["profileId"]!.ToString());
    }

    [Fact]
    public async Task An_eventId_of_both_origins_has_two_receipts()
    {
        await running.NewShopper().TrackAsync("page_view", eventId: "receipt-2");
        await Backend.WebhookAsync("paid", email: "receipt2@example.com", eventId: "receipt-2");
        Assert.Equal(["client", "server"], (await Backend.GetAsync("/api/events/receipt-2")).Body!["receipts"]!.AsArray().Select(receipt => receipt!["source"]!.ToString()));
    }

    [Fact]
    public async Task A_refused_event_tells_what_to_mend_until_it_is_sent_right()
    {
        await Backend.WebhookAsync("paid", email: "not an address", eventId: "receipt-3");
        var refused = Assert.Single((await Backend.GetAsync("/api/events/receipt-3")).Body!["receipts"]!.AsArray())!;
        Assert.Equal("rejected", refused["status"]!.ToString());
        Assert.Contains("identifier.email", refused["detail"]!.ToString());
        Assert.Equal(422, (int)refused["statusCode"]!);
        Assert.Contains("not an address", refused["body"]!.ToString());
        await Backend.WebhookAsync("paid", email: "", eventId: "receipt-3");
        await Backend.WebhookAsync("paid", email: "receipt3@example.com", eventId: "receipt-3");
        var stored = (await Backend.GetAsync("/api/events/receipt-3")).Body!["receipts"]![0]!;
        Assert.Equal("stored", stored["status"]!.ToString());
        Assert.Equal(2, stored["rejections"]!.AsArray().Count);
        Assert.Contains("is not an e-mail address", stored["rejections"]![1]!["detail"]!.ToString());
        Assert.Null(stored["body"]);
    }

    [Fact]
    public async Task A_stored_event_that_comes_again_is_a_duplicate_from_then_on()
    {
        await Backend.WebhookAsync("paid", email: "receipt4@example.com", eventId: "receipt-4");
        var stored = (await Backend.GetAsync("/api/events/receipt-4")).Body!["receipts"]![0]!;
        Assert.Equal("stored", stored["status"]!.ToString());
        Assert.Null(stored["duplicates"]);
        await running.NewShopper().TrackAsync("page_view", eventId: "receipt-4");
        await Backend.WebhookAsync("paid", email: "receipt4@example.com", eventId: "receipt-4");
        await Backend.WebhookAsync("paid", email: "receipt4@example.com", eventId: "receipt-4");

        var receipts = (await Backend.GetAsync("/api/events/receipt-4")).Body!["receipts"]!.AsArray();
        Assert.Equal(["stored", "duplicate"], receipts.Select(receipt => receipt!["status"]!.ToString()));
        Assert.Equal(2, (int)receipts[1]!["duplicates"]!);
        Assert.Equal(stored["receivedAt"]!.ToString(), receipts[1]!["receivedAt"]!.ToString());
        Assert.True(DateTimeOffset.Parse(receipts[1]!["lastDuplicateAt"]!.ToString()) >= DateTimeOffset.Parse(stored["receivedAt"]!.ToString()));
        Assert.Equal(stored["profileId"]!.ToString(), receipts[1]!["profileId"]!.ToString());
    }

    [Fact]
    public async Task An_unknown_eventId_is_a_404() => Assert.Equal(HttpStatusCode.NotFound, (await Backend.GetAsync("/api/events/nobody-sent-this")).Status);
}
