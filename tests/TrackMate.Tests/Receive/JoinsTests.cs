using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Several identifiers in one message are one person, as far as B13 lets them.</summary>
public sealed class JoinsTests(RunningServer running) : IClassFixture<RunningServer>
{
    private ShopBackend Backend => running.Backend;

    [Fact]
    public async Task An_email_and_an_externalId_in_one_webhook_are_one_person()
    {
        await Backend.WebhookAsync("a", externalId: "join-1", at: "2025-10-18T10:00:00Z", eventId: "join-1-a");
        await Backend.WebhookAsync("b", email: "join1@example.com", at: "2025-10-18T10:01:00Z", eventId: "join-1-b");
        var both = await Backend.WebhookAsync("c", email: "join1@example.com", externalId: "join-1", at: "2025-10-18T10:02:00Z", eventId: "join-1-c");

        var profile = (await Backend.ProfileOfAsync("join1@example.com"))!;
        Assert.Equal(both["profileId"], profile["id"]!.ToString());
        Assert.Equal(profile["id"]!.ToString(), (await Backend.GetAsync("/api/profiles?externalId=join-1")).Body!["profiles"]![0]!["id"]!.ToString());
        Assert.Equal(["a", "b", "c"], (await Backend.TimelineAsync(profile["id"]!.ToString())).Select(found => found["eventType"]!.ToString()));
        Assert.Equal(1, (int)profile["totals"]!["sessions"]!["server"]!);
        Assert.Equal(2, profile["identifiers"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_change_of_email_keeps_the_person_and_the_first_email_stands_for_it()
    {
        await Backend.WebhookAsync("old", email: "old2@example.com", externalId: "join-2", at: "2025-10-18T10:00:00Z");
        var changed = await Backend.WebhookAsync("new", email: "new2@example.com", externalId: "join-2", at: "2025-10-19T10:00:00Z");
        var byNew = (await Backend.ProfileOfAsync("new2@example.com"))!;
        Assert.Equal(changed["profileId"], byNew["id"]!.ToString());
        Assert.Equal("old2@example.com", byNew["email"]!.ToString());
        Assert.Equal(["old", "new"], (await Backend.TimelineAsync(changed["profileId"]!)).Select(found => found["eventType"]!.ToString()));
    }

    [Fact]
    public async Task A_second_externalId_is_stopped_with_a_warning_and_the_event_is_kept_by_email()
    {
        await Backend.WebhookAsync("a", email: "join3@example.com", externalId: "join-3", at: "2025-10-18T10:00:00Z");
        var stopped = await Backend.WebhookAsync("b", email: "join3@example.com", externalId: "join-3b", at: "2025-10-18T10:01:00Z", eventId: "join-3-b");
        Assert.Equal("""["two_externalids"]""", stopped.Body!["warnings"]!.ToJsonString());
        var again = await Backend.WebhookAsync("c", email: "join3@example.com", externalId: "join-3b", at: "2025-10-18T10:02:00Z");
        Assert.Equal("""["two_externalids"]""", again.Body!["warnings"]!.ToJsonString());
        Assert.Equal((await Backend.ProfileOfAsync("join3@example.com"))!["id"]!.ToString(), stopped["profileId"]);
        Assert.NotEqual(stopped["profileId"], (await Backend.GetAsync("/api/profiles?externalId=join-3b")).Body!["profiles"]![0]!["id"]!.ToString());
    }

    [Fact]
    public async Task A_late_earlier_pair_wins_over_the_one_that_came_first()
    {
        await Backend.WebhookAsync("a", email: "join4@example.com", externalId: "join-4", at: "2025-10-18T10:00:00Z");
        await Backend.WebhookAsync("b", email: "join4@example.com", externalId: "join-4b", at: "2025-10-18T09:00:00Z");
        var profile = (await Backend.ProfileOfAsync("join4@example.com"))!;
        Assert.Contains("join-4b", profile["identifiers"]!.ToJsonString());
        Assert.DoesNotContain("\"join-4\"", profile["identifiers"]!.ToJsonString());
    }

    [Fact]
    public async Task What_a_browser_claims_holds_until_a_back_end_says_otherwise()
    {
        var shopper = running.NewShopper();
        await shopper.IdentifyAsync("join5@example.com", externalId: "join-5", at: "2025-10-18T10:00:00Z");
        Assert.Equal(2, (await Backend.ProfileOfAsync("join5@example.com"))!["identifiers"]!.AsArray().Count);

        await Backend.WebhookAsync("a", email: "real5@example.com", externalId: "join-5", at: "2025-10-18T11:00:00Z");
        Assert.Single((await Backend.ProfileOfAsync("join5@example.com"))!["identifiers"]!.AsArray());
        Assert.Equal(2, (await Backend.ProfileOfAsync("real5@example.com"))!["identifiers"]!.AsArray().Count);
    }

    [Fact]
    public async Task Two_emails_never_meet_through_browsers()
    {
        await running.NewShopper().IdentifyAsync("join6a@example.com", externalId: "join-6", at: "2025-10-18T10:00:00Z");
        await running.NewShopper().IdentifyAsync("join6b@example.com", externalId: "join-6", at: "2025-10-18T10:01:00Z");
        Assert.NotEqual((await Backend.ProfileOfAsync("join6a@example.com"))!["id"]!.ToString(), (await Backend.ProfileOfAsync("join6b@example.com"))!["id"]!.ToString());
    }

    [Fact]
    public async Task An_externalId_and_a_session_propose_the_email_of_that_sessions_identify()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("page_view", at: "2025-10-18T09:59:00Z");
        await Backend.WebhookAsync("a", externalId: "join-7", sessionId: shopper.SessionId, at: "2025-10-18T10:01:00Z");
        await shopper.IdentifyAsync("join7@example.com", at: "2025-10-18T10:00:00Z");
        var profile = (await Backend.ProfileOfAsync("join7@example.com"))!;
        Assert.Contains("join-7", profile["identifiers"]!.ToJsonString());
        Assert.Equal(["page_view", "user_registered", "a"], (await Backend.TimelineAsync(profile["id"]!.ToString())).Select(found => found["eventType"]!.ToString()));
    }

    [Fact]
    public async Task An_unknown_userId_is_one_person_with_the_email_it_is_named_with()
    {
        const string bare = "00112233445566778899aabb";
        var early = await Backend.WebhookAsync("a", userId: bare, at: "2025-10-18T10:00:00Z");
        Assert.Equal("""["unknown_userid"]""", early.Body!["warnings"]!.ToJsonString());
        await Backend.WebhookAsync("b", userId: bare, email: "join8@example.com", at: "2025-10-18T10:01:00Z");
        var profile = (await Backend.ProfileOfAsync("join8@example.com"))!;
        Assert.Equal(["a", "b"], (await Backend.TimelineAsync(profile["id"]!.ToString())).Select(found => found["eventType"]!.ToString()));
        Assert.Equal(profile["id"]!.ToString(), (await Backend.GetAsync($"/api/profiles/{bare}"))["id"]);
    }

    [Fact]
    public async Task An_address_that_everybody_uses_joins_nobody()
    {
        for (var customer = 0; customer < 120; customer++)
            await Backend.WebhookAsync("a", email: "noreply9@example.com", externalId: $"join-9-{customer}", at: "2025-10-18T10:00:00Z", eventId: $"join-9-{customer:000}");
        var last = await Backend.WebhookAsync("a", email: "noreply9@example.com", externalId: "join-9-last", at: "2025-10-18T10:00:01Z");
        Assert.Equal("""["too_many_joins"]""", last.Body!["warnings"]!.ToJsonString());
        Assert.Equal(2, (await Backend.ProfileOfAsync("noreply9@example.com"))!["identifiers"]!.AsArray().Count);
    }

    [Fact]
    public async Task How_many_emails_make_one_person_is_a_setting_and_what_is_stored_follows_it()
    {
        var shop = await running.NewShopAsync(new() { MaxEmailsPerPerson = 1 });
        await shop.Backend.WebhookAsync("a", email: "one@example.com", externalId: "42", at: "2025-10-18T10:00:00Z");
        var stopped = await shop.Backend.WebhookAsync("b", email: "two@example.com", externalId: "42", at: "2025-10-18T11:00:00Z");
        Assert.Equal("""["too_many_emails"]""", stopped.Body!["warnings"]!.ToJsonString());
        await shop.ChangeAsync(settings => settings with { MaxEmailsPerPerson = 2 });
        Assert.Equal("one@example.com", (await shop.Backend.ProfileOfAsync("two@example.com"))!["email"]!.ToString());
        await shop.ChangeAsync(settings => settings with { MaxEmailsPerPerson = 1 });
        Assert.Equal("two@example.com", (await shop.Backend.ProfileOfAsync("two@example.com"))!["email"]!.ToString());
    }

    /// <summary>H3: one customer known by a verified e-mail, one by a verified externalId, and a stranger who says that they are one.</summary>
    [Fact]
    public async Task A_stranger_joins_no_two_customers_that_a_back_end_knows_where_claims_join_only_what_is_new()
    {
        var shop = await running.NewShopAsync(new() { ClaimedJoins = ClaimedJoins.New });
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 10 }, email: "a@example.com", at: "2025-10-18T10:00:00Z");
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 20 }, externalId: "B", at: "2025-10-18T10:00:00Z");
        await shop.NewShopper().IdentifyAsync("a@example.com", externalId: "B", at: "2025-10-18T11:00:00Z");
        Assert.Equal("10.00", (await shop.Backend.ProfileOfAsync("a@example.com"))!["totals"]!["revenue"]![0]!["amount"]!.ToString());

        // It stands in the way of no other: whom nobody has verified is joined by the next claim.
        await shop.NewShopper().IdentifyAsync("a@example.com", externalId: "C", at: "2025-10-18T12:00:00Z");
        Assert.Contains("\"C\"", (await shop.Backend.ProfileOfAsync("a@example.com"))!["identifiers"]!.ToJsonString());

        // Once a back end has named C too, that claim is one of two whom it knows; and one message of it that names both settles it.
        await shop.Backend.WebhookAsync("order_shipped", externalId: "C", at: "2025-10-18T13:00:00Z");
        Assert.Single((await shop.Backend.ProfileOfAsync("a@example.com"))!["identifiers"]!.AsArray());
        await shop.Backend.WebhookAsync("order_shipped", email: "a@example.com", externalId: "C", at: "2025-10-18T14:00:00Z");
        Assert.Contains("\"C\"", (await shop.Backend.ProfileOfAsync("a@example.com"))!["identifiers"]!.ToJsonString());

        // The setting decides anew what is stored.
        await shop.ChangeAsync(settings => settings with { ClaimedJoins = ClaimedJoins.All });
        Assert.Equal("10.00", (await shop.Backend.ProfileOfAsync("a@example.com"))!["totals"]!["revenue"]![0]!["amount"]!.ToString());
    }

    [Theory]
    [InlineData(ClaimedJoins.All, 2, 2)]
    [InlineData(ClaimedJoins.New, 2, 1)]
    [InlineData(ClaimedJoins.None, 1, 1)]
    public async Task How_far_claims_join_is_a_setting(ClaimedJoins mode, int unknown, int known)
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("order_shipped", email: "known@example.com", at: "2025-10-18T10:00:00Z");
        await shop.Backend.WebhookAsync("order_shipped", externalId: "known", at: "2025-10-18T10:00:00Z");
        await shop.NewShopper().IdentifyAsync("known@example.com", externalId: "known", at: "2025-10-18T11:00:00Z");
        await shop.NewShopper().IdentifyAsync("new@example.com", externalId: "new", at: "2025-10-18T11:00:00Z");
        await shop.ChangeAsync(settings => settings with { ClaimedJoins = mode });
        Assert.Equal(unknown, (await shop.Backend.ProfileOfAsync("new@example.com"))!["identifiers"]!.AsArray().Count);
        Assert.Equal(known, (await shop.Backend.ProfileOfAsync("known@example.com"))!["identifiers"]!.AsArray().Count);
    }
}
