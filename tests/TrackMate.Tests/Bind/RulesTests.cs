using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>The rules of binding, one by one, through HTTP.</summary>
public sealed class RulesTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Registered = "user_registered";

    /// <summary>B1: an event of a session that no one has identified is anonymous, and stored all the same.</summary>
    [Fact]
    public async Task Anonymous_events_are_kept_and_nobodys()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("page_view", at: At(0));
        var session = (await running.Backend.SessionAsync(shopper.SessionId)).AssertOk().Body!;
        Assert.Null(session["userId"]);
        Assert.Null(session["events"]![0]!["userId"]);
        Assert.Equal("page_view", session["events"]![0]!["eventType"]!.ToString());
    }

    /// <summary>B2: every event of a session, past and future, is on the timeline of whom it is identified as.</summary>
    [Fact]
    public async Task Earlier_and_later_events_join_the_profile_at_identify()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("before", at: At(0));
        var profileId = (await shopper.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        await shopper.TrackAsync("after", at: At(20));
        await shopper.TrackAsync("long before, late", at: At(-600));
        Assert.Equal(["long before, late", "before", Registered, "after"], await TypesAsync(profileId));
        var session = (await running.Backend.SessionAsync(shopper.SessionId)).Body!;
        Assert.Equal(profileId, session["userId"]!.ToString());
        Assert.All(session["events"]!.AsArray(), found => Assert.Equal(profileId, found!["userId"]!.ToString()));
    }

    /// <summary>B2: all sessions of a person are on one timeline, in one time order.</summary>
    [Fact]
    public async Task Two_browsers_of_a_person_are_one_timeline()
    {
        var (phone, laptop, email) = (running.NewShopper(), running.NewShopper(), NewEmail());
        await phone.TrackAsync("phone 1", at: At(0));
        await laptop.TrackAsync("laptop 1", at: At(1));
        await phone.TrackAsync("phone 2", at: At(2));
        var profileId = (await phone.IdentifyAsync(email, at: At(3)))["profileId"]!;
        Assert.Equal(profileId, (await laptop.IdentifyAsync(email, at: At(4)))["profileId"]);
        Assert.Equal(["phone 1", "laptop 1", "phone 2", Registered], await TypesAsync(profileId));
        Assert.Equal(2, (int)(await running.Backend.ProfileAsync(profileId))["totals"]!["sessions"]!["client"]!);
    }

    /// <summary>B3: the first browser identify puts user_registered on the timeline, once, at its time, in its session.</summary>
    [Fact]
    public async Task The_first_identify_shows_as_user_registered_once()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        var profileId = (await shopper.IdentifyAsync(email, at: At(5)))["profileId"]!;
        await running.NewShopper().IdentifyAsync(email, at: At(6));
        await shopper.IdentifyAsync(email, at: At(7));
        var registered = Assert.Single(await running.Backend.TimelineAsync(profileId));
        Assert.Equal(Registered, registered["eventType"]!.ToString());
        Assert.Equal("reg_" + profileId, registered["eventId"]!.ToString());
        Assert.Equal(At(5), registered["timestamp"]!.ToString());
        Assert.Equal(shopper.SessionId, registered["sessionId"]!.ToString());
        Assert.Equal("client", registered["source"]!.ToString());
        Assert.Equal("{}", registered["eventData"]!.ToJsonString());
        Assert.Equal([Registered], (await running.Backend.SessionAsync(shopper.SessionId)).Body!["events"]!.AsArray().Select(found => found!["eventType"]!.ToString()));
    }

    /// <summary>B3: a late, earlier identify moves it, and takes it into its own session.</summary>
    [Fact]
    public async Task A_late_earlier_identify_moves_user_registered()
    {
        var (first, second, email) = (running.NewShopper(), running.NewShopper(), NewEmail());
        await first.TrackAsync("page_view", at: At(0));
        var profileId = (await second.IdentifyAsync(email, at: At(10)))["profileId"]!;
        await first.IdentifyAsync(email, at: At(1));
        var registered = Assert.Single(await running.Backend.TimelineAsync(profileId), found => found["eventType"]!.ToString() == Registered);
        Assert.Equal((At(1), first.SessionId), (registered["timestamp"]!.ToString(), registered["sessionId"]!.ToString()));
        Assert.Empty((await running.Backend.SessionAsync(second.SessionId)).Body!["events"]!.AsArray());
        Assert.Equal(At(1), (await running.Backend.ProfileAsync(profileId))["createdAt"]!.ToString());
    }

    /// <summary>B3: not added where the timeline already has one that was sent, from a session or a webhook, before or after.</summary>
    [Theory]
    [InlineData("the session, before")]
    [InlineData("the session, after")]
    [InlineData("another session")]
    [InlineData("a webhook")]
    [InlineData("a webhook of the session")]
    public async Task A_sent_user_registered_takes_the_place_of_the_derived(string from)
    {
        var (shopper, other, email) = (running.NewShopper(), running.NewShopper(), NewEmail());
        await shopper.TrackAsync("page_view", at: At(0));
        if (from == "the session, before") await shopper.TrackAsync(Registered, at: At(1));
        var profileId = (await shopper.IdentifyAsync(email, at: At(5)))["profileId"]!;
        await other.IdentifyAsync(email, at: At(6));
        if (from == "the session, after") await shopper.TrackAsync(Registered, at: At(9));
        if (from == "another session") await other.TrackAsync(Registered, at: At(9));
        if (from == "a webhook") await running.Backend.WebhookAsync(Registered, email: email, at: At(9));
        if (from == "a webhook of the session") await running.Backend.WebhookAsync(Registered, sessionId: shopper.SessionId, at: At(9));
        var timeline = await running.Backend.TimelineAsync(profileId);
        var registered = Assert.Single(timeline, found => found["eventType"]!.ToString() == Registered);
        Assert.NotEqual("reg_" + profileId, registered["eventId"]!.ToString());
        Assert.Equal(timeline.Count, (int)(await running.Backend.ProfileAsync(profileId))["totals"]!["events"]!);
    }

    /// <summary>B3: a setting switches it off, and on again, for what is stored too.</summary>
    [Fact]
    public async Task A_setting_switches_user_registered_off()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        await shopper.TrackAsync("page_view", at: At(0));
        var profileId = (await shopper.IdentifyAsync("a@example.com", at: At(1)))["profileId"]!;
        async Task<int> EventsAsync() => (int)(await shop.Backend.ProfileAsync(profileId))["totals"]!["events"]!;
        Assert.Equal(2, (await shop.Backend.TimelineAsync(profileId)).Count);
        await shop.ChangeAsync(settings => settings with { UserRegistered = false });
        Assert.Single(await shop.Backend.TimelineAsync(profileId));
        Assert.Equal(1, await EventsAsync());
        await shop.ChangeAsync(settings => settings with { UserRegistered = true });
        Assert.Equal(2, await EventsAsync());
    }

    /// <summary>B3: only a browser registers; a person whom only webhooks name has not.</summary>
    [Fact]
    public async Task A_webhook_registers_nobody()
    {
        var profileId = (await running.Backend.WebhookAsync("paid", email: NewEmail(), at: At(0)))["profileId"]!;
        Assert.Equal(["paid"], await TypesAsync(profileId));
    }

    /// <summary>B4: userId, else email, else externalId, else sessionId.</summary>
    [Fact]
    public async Task A_webhook_binds_by_the_first_that_it_names()
    {
        var shopper = running.NewShopper();
        var bySession = (await shopper.IdentifyAsync(NewEmail(), at: At(0)))["profileId"]!;
        var byId = (await running.NewShopper().IdentifyAsync(NewEmail(), at: At(0)))["profileId"]!;
        var (email, externalId) = (NewEmail(), RunningServer.Unique("customer-"));
        var byEmail = (await running.Backend.WebhookAsync("a", email: email, at: At(0)))["profileId"]!;
        var byExternalId = (await running.Backend.WebhookAsync("a", externalId: externalId, at: At(0)))["profileId"]!;
        Assert.Equal(4, new[] { bySession, byId, byEmail, byExternalId }.Distinct().Count());

        Assert.Equal(byId, (await running.Backend.WebhookAsync("b", userId: byId.ToUpperInvariant(), at: At(1)))["profileId"]);
        Assert.Equal(byEmail, (await running.Backend.WebhookAsync("b", email: email, at: At(1)))["profileId"]);
        Assert.Equal(byExternalId, (await running.Backend.WebhookAsync("b", externalId: externalId, at: At(1)))["profileId"]);
        Assert.Equal(bySession, (await running.Backend.WebhookAsync("b", sessionId: shopper.SessionId, at: At(1)))["profileId"]);
        foreach (var (id, method) in new[] { (byId, "userId"), (byEmail, "email"), (byExternalId, "externalId"), (bySession, "sessionId") })
            Assert.Equal(method, (await running.Backend.TimelineAsync(id))[^1]["binding"]!["method"]!.ToString());
    }

    /// <summary>B4: an externalId may be a number, which is the same as its digits.</summary>
    [Fact]
    public async Task An_externalId_may_be_a_number()
    {
        var shop = await running.NewShopAsync();
        var number = await shop.Backend.PostAsync("/api/webhooks/events", """{"identifier":{"externalId":4711},"eventType":"a"}""");
        Assert.Equal(number.AssertOk()["profileId"], (await shop.Backend.WebhookAsync("b", externalId: "4711"))["profileId"]);
        Assert.Equal(number["profileId"], (await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","sessionId":"s","externalId":4711}""")).AssertOk()["profileId"]);
        Assert.Equal(number["profileId"], (await shop.Backend.GetAsync("/api/profiles?externalId=4711")).Body!["profiles"]![0]!["id"]!.ToString());
    }

    /// <summary>B4: a well-formed, unknown userId is stored on that id with a warning, and found when its identifier turns up.</summary>
    [Fact]
    public async Task An_unknown_userId_is_found_when_its_identifier_turns_up()
    {
        var shop = await running.NewShopAsync();
        var profileId = shop.ProfileIdOf("late@example.com");
        var early = await shop.Backend.WebhookAsync("paid", new { amount = 5, currency = "EUR" }, userId: profileId, at: At(0));
        Assert.Equal(profileId, early.AssertOk()["profileId"]);
        Assert.Equal("""["unknown_userid"]""", early.Body!["warnings"]!.ToJsonString());
        (await shop.Backend.GetAsync($"/api/profiles/{profileId}")).AssertRefused(404);
        (await shop.Backend.GetAsync($"/api/profiles/{profileId}/timeline")).AssertRefused(404);
        Assert.Empty((await shop.Backend.GetAsync("/api/profiles")).Body!["profiles"]!.AsArray());

        Assert.Equal(profileId, (await shop.NewShopper().IdentifyAsync("late@example.com", at: At(1)))["profileId"]);
        Assert.Equal(["paid", Registered], (await shop.Backend.TimelineAsync(profileId)).Select(TypeOf));
        Assert.Null((await shop.Backend.WebhookAsync("b", userId: profileId, at: At(2))).Body!["warnings"]);
        Assert.Equal(At(1), (await shop.Backend.ProfileAsync(profileId))["createdAt"]!.ToString());
    }

    /// <summary>B5: a webhook for an e-mail nobody has identified yet creates the profile; the browser's later identify finds it.</summary>
    [Fact]
    public async Task An_early_webhook_waits_for_its_browser()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        await shopper.TrackAsync("page_view", at: At(0));
        var webhook = (await running.Backend.WebhookAsync("paid", email: email, at: At(5))).AssertOk();
        Assert.Equal(webhook["profileId"], (await running.Backend.ProfileOfAsync(email))!["id"]!.ToString());
        Assert.Equal(webhook["profileId"], (await shopper.IdentifyAsync(email, "Sarah", at: At(9)))["profileId"]);
        Assert.Equal(["page_view", "paid", Registered], await TypesAsync(webhook["profileId"]!));
        Assert.Equal("Sarah", (await running.Backend.ProfileOfAsync(email))!["name"]!.ToString());
        Assert.Equal(At(5), (await running.Backend.ProfileOfAsync(email))!["createdAt"]!.ToString());
    }

    /// <summary>B6: a webhook on a session nobody has identified yet is nobody's, and goes with the session when it is.</summary>
    [Fact]
    public async Task A_webhook_by_session_goes_with_the_session()
    {
        var shopper = running.NewShopper();
        var early = (await running.Backend.WebhookAsync("paid", sessionId: shopper.SessionId, at: At(0))).AssertOk();
        Assert.True(early.Body!.AsObject().ContainsKey("profileId"));
        Assert.Null(early["profileId"]);
        var anonymous = (await running.Backend.SessionAsync(early["sessionId"]!)).AssertOk().Body!;
        Assert.Null(anonymous["userId"]);
        Assert.Equal(["paid"], anonymous["events"]!.AsArray().Select(TypeOf));

        var profileId = (await shopper.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        var timeline = await running.Backend.TimelineAsync(profileId);
        Assert.Equal(["paid", Registered], timeline.Select(TypeOf));
        Assert.Equal(("server", "sessionId", early["sessionId"]), (timeline[0]["source"]!.ToString(), timeline[0]["binding"]!["method"]!.ToString(), timeline[0]["sessionId"]!.ToString()));
        Assert.Equal(profileId, (await running.Backend.SessionAsync(early["sessionId"]!))["userId"]);

        // A session of webhooks only is none that the visitor had: the identify's own is counted.
        var totals = (await running.Backend.ProfileAsync(profileId))["totals"]!;
        Assert.Equal("""{"client":1,"server":1}""", totals["sessions"]!.ToJsonString());
    }

    /// <summary>B6: it belongs to whoever owns the session at the webhook's own timestamp.</summary>
    [Fact]
    public async Task A_webhook_by_session_is_the_owners_of_its_own_time()
    {
        var shopper = running.NewShopper();
        var a = (await shopper.IdentifyAsync(NewEmail(), at: At(0)))["profileId"]!;
        var b = (await shopper.IdentifyAsync(NewEmail(), at: At(60)))["profileId"]!;
        Assert.Equal(b, (await running.Backend.WebhookAsync("now", sessionId: shopper.SessionId, at: At(61)))["profileId"]);
        Assert.Equal(a, (await running.Backend.WebhookAsync("late", sessionId: shopper.SessionId, at: At(30)))["profileId"]);
        Assert.Equal(b, (await running.Backend.WebhookAsync("at the identify", sessionId: shopper.SessionId, at: At(60)))["profileId"]);
        Assert.Equal([Registered, "late"], await TypesAsync(a));
        Assert.Equal([Registered, "at the identify", "now"], await TypesAsync(b));
    }

    /// <summary>B7: one server session while less than 30 minutes lie between neighbours; 30 minutes are a new one.</summary>
    [Fact]
    public async Task Thirty_minutes_of_silence_end_a_server_session()
    {
        var email = NewEmail();
        var first = await running.Backend.WebhookAsync("a", email: email, at: At(0));
        var near = await running.Backend.WebhookAsync("b", email: email, at: At(29, 59));
        var far = await running.Backend.WebhookAsync("c", email: email, at: At(59, 59));
        Assert.Equal(first["sessionId"], near["sessionId"]);
        Assert.NotEqual(first["sessionId"], far["sessionId"]);
        Assert.Matches("^webhook_[0-9]+_[0-9a-f]{16}$", first["sessionId"]);
        Assert.StartsWith($"webhook_{DateTimeOffset.Parse(At(0)).ToUnixTimeSeconds()}_", first["sessionId"]);
        Assert.Equal(2, (int)(await running.Backend.ProfileOfAsync(email))!["totals"]!["sessions"]!["server"]!);
    }

    /// <summary>B7: a late event joins two server sessions into one; every id that was ever returned goes on leading to it.</summary>
    [Fact]
    public async Task A_late_event_joins_two_server_sessions_and_old_ids_lead_on()
    {
        var email = NewEmail();
        var first = await running.Backend.WebhookAsync("a", email: email, at: At(0));
        var last = await running.Backend.WebhookAsync("c", email: email, at: At(50));
        Assert.NotEqual(first["sessionId"], last["sessionId"]);
        var middle = await running.Backend.WebhookAsync("b", email: email, at: At(25));
        var earlier = await running.Backend.WebhookAsync("z", email: email, at: At(-20));
        Assert.Equal(first["sessionId"], middle["sessionId"]);
        Assert.NotEqual(first["sessionId"], earlier["sessionId"]);

        foreach (var answer in new[] { first, middle, last, earlier })
        {
            var session = (await running.Backend.SessionAsync(answer["sessionId"]!)).AssertOk().Body!;
            Assert.Equal(earlier["sessionId"], session["sessionId"]!.ToString());
            Assert.Equal(["z", "a", "b", "c"], session["events"]!.AsArray().Select(TypeOf));
        }

        var timeline = await running.Backend.TimelineAsync(first["profileId"]!);
        Assert.All(timeline, found => Assert.Equal(earlier["sessionId"], found["sessionId"]!.ToString()));
        Assert.Equal(1, (int)(await running.Backend.ProfileOfAsync(email))!["totals"]!["sessions"]!["server"]!);
    }

    /// <summary>B7: over the whole person: what was named by e-mail and what came through a session are one server session.</summary>
    [Fact]
    public async Task Server_events_by_email_and_by_session_share_a_server_session()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        var bySession = await running.Backend.WebhookAsync("b", sessionId: shopper.SessionId, at: At(20));
        var byEmail = await running.Backend.WebhookAsync("a", email: email, at: At(0));
        Assert.NotEqual(bySession["sessionId"], byEmail["sessionId"]);
        await shopper.IdentifyAsync(email, at: At(5));
        var after = await running.Backend.WebhookAsync("c", sessionId: shopper.SessionId, at: At(40));
        Assert.Equal(byEmail["sessionId"], after["sessionId"]);
        Assert.Equal(["a", "b", "c"], (await running.Backend.SessionAsync(bySession["sessionId"]!)).Body!["events"]!.AsArray().Select(TypeOf));
        Assert.Equal(1, (int)(await running.Backend.ProfileOfAsync(email))!["totals"]!["sessions"]!["server"]!);
    }

    /// <summary>B7: the gap is a setting, and what is stored follows it.</summary>
    [Fact]
    public async Task The_gap_of_server_sessions_is_a_setting()
    {
        var shop = await running.NewShopAsync(new() { ServerSessionGapMinutes = 5 });
        await shop.Backend.WebhookAsync("a", email: "a@example.com", at: At(0));
        await shop.Backend.WebhookAsync("b", email: "a@example.com", at: At(5));
        async Task<int> SessionsAsync() => (int)(await shop.Backend.ProfileOfAsync("a@example.com"))!["totals"]!["sessions"]!["server"]!;
        Assert.Equal(2, await SessionsAsync());
        await shop.ChangeAsync(settings => settings with { ServerSessionGapMinutes = 6 });
        Assert.Equal(1, await SessionsAsync());
    }

    /// <summary>B8: a session identified as A and then as B is no merge: what is before B's identify stays A's, and what is before any is the first one's.</summary>
    [Fact]
    public async Task A_shared_device_keeps_two_persons_apart()
    {
        var shopper = running.NewShopper();
        await shopper.TrackAsync("before anyone", at: At(0));
        var a = (await shopper.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        await shopper.TrackAsync("a's", at: At(11));
        var b = (await shopper.IdentifyAsync(NewEmail(), at: At(20)))["profileId"]!;
        await shopper.TrackAsync("b's", at: At(21));
        await shopper.TrackAsync("a's, late", at: At(19, 59));
        Assert.Equal(["before anyone", Registered, "a's", "a's, late"], await TypesAsync(a));
        Assert.Equal([Registered, "b's"], await TypesAsync(b));

        var session = (await running.Backend.SessionAsync(shopper.SessionId)).Body!;
        Assert.Equal(b, session["userId"]!.ToString());
        Assert.Equal([a, a, a, a, b, b], session["events"]!.AsArray().Select(found => found!["userId"]!.ToString()));
    }

    /// <summary>B8: a back-dated identify moves history, inside its session only.</summary>
    [Fact]
    public async Task A_back_dated_identify_moves_history_in_its_session_only()
    {
        var (shared, own, emailA) = (running.NewShopper(), running.NewShopper(), NewEmail());
        await shared.TrackAsync("1", at: At(1));
        await shared.TrackAsync("2", at: At(20));
        await own.TrackAsync("own", at: At(15));
        var a = (await shared.IdentifyAsync(emailA, at: At(0)))["profileId"]!;
        await own.IdentifyAsync(emailA, at: At(5));
        Assert.Equal([Registered, "1", "own", "2"], await TypesAsync(a));
        var b = (await shared.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        Assert.Equal([Registered, "1", "own"], await TypesAsync(a));
        Assert.Equal([Registered, "2"], await TypesAsync(b));
    }

    /// <summary>B8: A, B, A again on one device: each has what is theirs.</summary>
    [Fact]
    public async Task A_person_who_comes_back_has_two_spans()
    {
        var (shopper, emailA) = (running.NewShopper(), NewEmail());
        var a = (await shopper.IdentifyAsync(emailA, at: At(0)))["profileId"]!;
        var b = (await shopper.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        await shopper.IdentifyAsync(emailA, at: At(20));
        foreach (var minute in new[] { 5, 15, 25 }) await shopper.TrackAsync($"{minute}", at: At(minute));
        Assert.Equal([Registered, "5", "25"], await TypesAsync(a));
        Assert.Equal([Registered, "15"], await TypesAsync(b));
        Assert.Equal("""{"client":1,"server":0}""", (await running.Backend.ProfileAsync(a))["totals"]!["sessions"]!.ToJsonString());
    }

    /// <summary>B8: at the same timestamp the higher eventId has it, whichever came first.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_identifies_at_one_time_are_decided_by_eventId(bool higherFirst)
    {
        var (shopper, low, high, mark) = (running.NewShopper(), NewEmail(), NewEmail(), RunningServer.Unique());
        foreach (var (email, eventId) in higherFirst ? [(high, "B"), (low, "A")] : new[] { (low, "A"), (high, "B") })
            await shopper.IdentifyAsync(email, at: At(0), eventId: $"{eventId} {mark}");
        await shopper.TrackAsync("page_view", at: At(1));
        Assert.Equal((await running.Backend.ProfileOfAsync(high))!["id"]!.ToString(), (await running.Backend.SessionAsync(shopper.SessionId))["userId"]);
        Assert.Contains("page_view", await TypesAsync((await running.Backend.ProfileOfAsync(high))!["id"]!.ToString()));
    }

    /// <summary>B8: at the same timestamp the verified has it, whatever its eventId.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("z")]
    public async Task At_one_time_the_verified_claim_has_it(string eventId)
    {
        var (shopper, claimed, verified) = (running.NewShopper(), NewEmail(), NewEmail());
        await shopper.IdentifyAsync(claimed, at: At(0), eventId: RunningServer.Unique("m"));
        await running.Backend.WebhookAsync("login", email: verified, sessionId: shopper.SessionId, at: At(0), eventId: RunningServer.Unique(eventId));
        await shopper.TrackAsync("page_view", at: At(1));
        Assert.Equal((await running.Backend.ProfileOfAsync(verified))!["id"]!.ToString(), (await running.Backend.SessionAsync(shopper.SessionId))["userId"]);
    }

    /// <summary>B8: a warehouse job that still holds A's session does not hand B's events back.</summary>
    [Fact]
    public async Task A_late_job_does_not_hand_the_session_back()
    {
        var (shopper, emailA) = (running.NewShopper(), NewEmail());
        var a = (await shopper.IdentifyAsync(emailA, at: At(0)))["profileId"]!;
        var b = (await shopper.IdentifyAsync(NewEmail(), at: At(10)))["profileId"]!;
        var shipped = await running.Backend.WebhookAsync("shipped", email: emailA, sessionId: shopper.SessionId, at: At(20));
        await shopper.TrackAsync("b's", at: At(30));
        Assert.Equal(a, shipped["profileId"]);
        Assert.Equal([Registered, "shipped"], await TypesAsync(a));
        Assert.Equal([Registered, "b's"], await TypesAsync(b));
        Assert.Equal(b, (await running.Backend.SessionAsync(shopper.SessionId))["userId"]);

        // It only confirms: the claim that a browser made is now verified.
        var timeline = await running.Backend.TimelineAsync(a);
        Assert.Equal("verified", timeline[1]["binding"]!["trust"]!.ToString());
    }

    /// <summary>B8: a webhook that names a session and somebody new to it opens a span, as an identify does.</summary>
    [Fact]
    public async Task A_webhook_with_a_session_identifies_it()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        await shopper.TrackAsync("before", at: At(0));
        var login = await running.Backend.WebhookAsync("login", email: email, sessionId: shopper.SessionId, at: At(5));
        await shopper.TrackAsync("after", at: At(10));
        var timeline = await running.Backend.TimelineAsync(login["profileId"]!);
        Assert.Equal(["before", "login", "after"], timeline.Select(TypeOf));
        Assert.Equal("verified", timeline[0]["binding"]!["trust"]!.ToString());
        Assert.Equal(login["profileId"], (await running.Backend.SessionAsync(shopper.SessionId))["userId"]);
    }

    /// <summary>B9: any order of the same messages, with repeats, ends in the same view.</summary>
    [Fact]
    public async Task Order_and_repeats_do_not_matter()
    {
        var views = new List<string>();
        for (var order = 0; order < 6; order++)
        {
            var shop = await running.NewShopAsync();
            var (one, two) = (shop.NewShopper("one"), shop.NewShopper("two"));
            List<Func<Task<Answer>>> messages =
            [
                () => one.TrackAsync("view", at: At(0), eventId: "1"),
                () => one.IdentifyAsync("a@example.com", "Ann", at: At(5), eventId: "2"),
                () => two.IdentifyAsync("a@example.com", "Anna", at: At(3), eventId: "3"),
                () => one.IdentifyAsync("b@example.com", at: At(9), eventId: "4"),
                () => one.TrackAsync("view", at: At(9), eventId: "5"),
                () => shop.Backend.WebhookAsync("payment_processed", new { amount = "10.00", orderId = "o" }, email: "a@example.com", at: At(12), eventId: "6"),
                () => shop.Backend.WebhookAsync("payment_processed", new { amount = "11.00", orderId = "o" }, sessionId: "one", at: At(11), eventId: "7"),
                () => shop.Backend.WebhookAsync("shipped", email: "a@example.com", sessionId: "one", at: At(41, 30), eventId: "8"),
                () => two.TrackAsync("view", at: At(2), eventId: "9"),
            ];
            foreach (var message in messages.OrderBy(message => (messages.IndexOf(message) * (order * 2 + 1) + order) % 9).Concat(messages.Take(order))) (await message()).AssertOk();

            var view = new JsonArray();
            foreach (var email in new[] { "a@example.com", "b@example.com" })
            {
                var profile = (await shop.Backend.ProfileOfAsync(email))!.DeepClone();
                var timeline = await shop.Backend.TimelineAsync(profile["id"]!.ToString());
                view.Add(new JsonObject { ["totals"] = profile["totals"]!.DeepClone(), ["name"] = profile["name"]?.DeepClone(), ["createdAt"] = profile["createdAt"]!.DeepClone() });
                foreach (var found in timeline) view.Add($"{found["timestamp"]} {found["eventType"]} {(found["eventType"]!.ToString() == Registered ? "" : found["eventId"])} {found["sessionId"]!.ToString().Split('_')[0]} {found["binding"]!["trust"]}");
            }

            views.Add(view.ToJsonString());
        }

        Assert.Single(views.Distinct());
    }

    /// <summary>B10: a repeat is answered as a success, says so, and changes nothing.</summary>
    [Fact]
    public async Task A_repeat_changes_nothing()
    {
        var (shopper, email, id) = (running.NewShopper(), NewEmail(), RunningServer.Unique());
        for (var i = 0; i < 3; i++)
        {
            var tracked = await shopper.TrackAsync("view", new { n = 1 }, at: At(0), eventId: "t" + id);
            Assert.Equal(i == 0 ? """{"accepted":1,"duplicates":0}""" : """{"accepted":0,"duplicates":1}""", tracked.AssertOk().Text);
            var webhook = await running.Backend.WebhookAsync("paid", new { n = 1 }, email: email, at: At(1), eventId: "w" + id);
            Assert.Equal(i > 0, (bool)webhook.AssertOk().Body!["duplicate"]!);
            Assert.Null(webhook.Body!["warnings"]);
            Assert.Equal("w" + id, webhook["eventId"]);
            (await shopper.IdentifyAsync(email, at: At(2), eventId: "i" + id)).AssertOk();
        }

        var profile = (await running.Backend.ProfileOfAsync(email))!;
        Assert.Equal(["view", "paid", Registered], await TypesAsync(profile["id"]!.ToString()));
        Assert.Equal(3, (int)profile["totals"]!["events"]!);
    }

    /// <summary>B10: the same eventId with another body is a repeat too; back ends are warned, browsers are not.</summary>
    [Fact]
    public async Task A_reused_eventId_keeps_the_first_and_warns_back_ends()
    {
        var (email, session, id) = (NewEmail(), RunningServer.Unique("session_"), RunningServer.Unique());
        await running.Backend.WebhookAsync("paid", new { n = 1 }, email: email, at: At(0), eventId: id);
        foreach (var other in new[]
        {
            await running.Backend.WebhookAsync("shipped", new { n = 1 }, email: email, at: At(0), eventId: id),
            await running.Backend.WebhookAsync("paid", new { n = 2 }, email: email, at: At(0), eventId: id),
            await running.Backend.WebhookAsync("paid", new { n = 1 }, email: NewEmail(), at: At(0), eventId: id),
            await running.Backend.WebhookAsync("paid", new { n = 1 }, sessionId: session, at: At(0), eventId: id),
        })
        {
            Assert.True((bool)other.AssertOk().Body!["duplicate"]!);
            Assert.Equal("""["eventid_reused"]""", other.Body!["warnings"]!.ToJsonString());
        }

        await running.Backend.WebhookAsync("paid", sessionId: session, at: At(0), eventId: "s" + id);
        Assert.Contains("eventid_reused", (await running.Backend.WebhookAsync("paid", sessionId: session + "2", at: At(0), eventId: "s" + id)).Text);
        (await running.Backend.SessionAsync(session + "2")).AssertRefused(404);

        var shopper = running.NewShopper();
        await shopper.TrackAsync("view", at: At(0), eventId: id);
        Assert.Equal("""{"accepted":0,"duplicates":1}""", (await shopper.TrackAsync("click", at: At(1), eventId: id)).Text);
        var timeline = await running.Backend.TimelineAsync((await running.Backend.ProfileOfAsync(email))!["id"]!.ToString());
        Assert.Equal("""{"n":1}""", Assert.Single(timeline)["eventData"]!.ToJsonString());
    }

    /// <summary>B10: a browser's message never makes a verified one a duplicate.</summary>
    [Fact]
    public async Task A_browser_cannot_take_a_back_ends_eventId()
    {
        var (shopper, email, id) = (running.NewShopper(), NewEmail(), RunningServer.Unique());
        await shopper.TrackAsync("forged", eventId: id);
        Assert.False((bool)(await running.Backend.WebhookAsync("paid", email: email, eventId: id)).Body!["duplicate"]!);
        Assert.Equal(0, (int)(await shopper.TrackAsync("forged", eventId: id)).Body!["accepted"]!);
    }

    /// <summary>B10: many senders of one eventId at once, and it is stored once.</summary>
    [Fact]
    public async Task Many_repeats_at_once_store_one()
    {
        var (email, id) = (NewEmail(), RunningServer.Unique());
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => running.Backend.WebhookAsync("payment_processed", new { amount = 5 }, email: email, at: At(0), eventId: id)));
        Assert.Single(answers, answer => !(bool)answer.Body!["duplicate"]!);
        Assert.Single(answers.Select(answer => answer["sessionId"]).Distinct());
        var profile = (await running.Backend.ProfileOfAsync(email))!;
        Assert.Equal(1, (int)profile["totals"]!["events"]!);
        Assert.Equal("5.00", profile["totals"]!["revenue"]![0]!["amount"]!.ToString());
    }

    /// <summary>B11: one person, however the address is written.</summary>
    [Fact]
    public async Task One_address_in_many_spellings_is_one_person()
    {
        var local = RunningServer.Unique();
        var spellings = new[] { $"{local}@bücher.example", $"  {local.ToUpperInvariant()}@BÜCHER.Example\t", $"{local}@xn--bcher-kva.example", $"{local}@bu\u0308cher.example", $"{local}@XN--BCHER-KVA.EXAMPLE" };
        var ids = new HashSet<string?>();
        foreach (var spelling in spellings)
        {
            ids.Add((await running.NewShopper().IdentifyAsync(spelling)).AssertOk()["profileId"]);
            ids.Add((await running.Backend.WebhookAsync("paid", email: spelling)).AssertOk()["profileId"]);
            ids.Add((await running.Backend.ProfileOfAsync(spelling))!["id"]!.ToString());
        }

        Assert.Single(ids);
        Assert.Equal($"{local}@xn--bcher-kva.example", (await running.Backend.ProfileOfAsync(spellings[0]))!["email"]!.ToString());
    }

    /// <summary>B11: placeholders count as not given, so the next identifier speaks.</summary>
    [Theory]
    [InlineData("undefined")]
    [InlineData("NULL")]
    [InlineData(" NaN ")]
    [InlineData("[object Object]")]
    [InlineData("0000-0000")]
    [InlineData("")]
    [InlineData("-")]
    public async Task A_placeholder_is_not_given(string placeholder)
    {
        var email = NewEmail();
        var expected = (await running.Backend.WebhookAsync("a", email: email))["profileId"];
        Assert.Equal(expected, (await running.Backend.WebhookAsync("b", email: email, userId: placeholder, externalId: placeholder, sessionId: placeholder)).AssertOk()["profileId"]);
        Assert.Equal(expected, (await running.NewShopper().IdentifyAsync(email, externalId: placeholder)).AssertOk()["profileId"]);
        (await running.Backend.WebhookAsync("c", email: placeholder, userId: placeholder, externalId: placeholder, sessionId: placeholder)).AssertRefused(422, "identifier");
        (await running.NewShopper().IdentifyAsync(placeholder, externalId: placeholder)).AssertRefused(422, "email");
    }

    /// <summary>B11: a setting adds placeholders.</summary>
    [Fact]
    public async Task A_company_has_placeholders_of_its_own()
    {
        var shop = await running.NewShopAsync(new() { Placeholders = ["walk-in", "noreply@example.com"] });
        (await shop.Backend.WebhookAsync("a", externalId: "Walk-In")).AssertRefused(422, "identifier");
        (await shop.NewShopper().IdentifyAsync("NoReply@example.com")).AssertRefused(422, "email");
        (await shop.NewShopper("walk-in").TrackAsync("a")).AssertRefused(422, "sessionId");
        (await running.Backend.WebhookAsync("a", externalId: "walk-in")).AssertOk();
    }

    /// <summary>B12: each event tells why it is where it is, a link at a time.</summary>
    [Fact]
    public async Task Every_event_says_why_it_is_there()
    {
        var (shopper, email, id) = (running.NewShopper(), NewEmail(), RunningServer.Unique());
        await shopper.TrackAsync("view", at: At(0), eventId: "v" + id);
        await shopper.IdentifyAsync(email, at: At(8), eventId: "i" + id);
        var profileId = (await running.Backend.WebhookAsync("paid", email: email, at: At(12), eventId: "w" + id))["profileId"]!;
        var timeline = await running.Backend.TimelineAsync(profileId);

        JsonNode[] ChainOf(int index) => [.. timeline[index]["binding"]!["chain"]!.AsArray().Select(link => link!)];
        Assert.Equal(["event", "session", "claim", "identifier", "profile"], ChainOf(0).Select(link => link["kind"]!.ToString()));
        Assert.Equal("v" + id, ChainOf(0)[0]["eventId"]!.ToString());
        Assert.Equal(shopper.SessionId, ChainOf(0)[1]["sessionId"]!.ToString());
        Assert.Equal(("identify", "claimed", At(8), "i" + id), (ChainOf(0)[2]["method"]!.ToString(), ChainOf(0)[2]["trust"]!.ToString(), ChainOf(0)[2]["at"]!.ToString(), ChainOf(0)[2]["eventId"]!.ToString()));
        Assert.Equal((email, profileId), (ChainOf(0)[3]["identifier"]!["value"]!.ToString(), ChainOf(0)[4]["profileId"]!.ToString()));
        Assert.Equal(["event", "session", "claim", "identifier", "profile"], ChainOf(1).Select(link => link["kind"]!.ToString()));
        Assert.Equal(["event", "identifier", "profile"], ChainOf(2).Select(link => link["kind"]!.ToString()));
        Assert.Equal([("identify", "claimed"), ("identify", "claimed"), ("email", "verified")], timeline.Select(found => (found["binding"]!["method"]!.ToString(), found["binding"]!["trust"]!.ToString())));
    }

    /// <summary>B15: browsers claim money in vain; it is kept and marked as theirs.</summary>
    [Fact]
    public async Task A_browsers_money_earns_nothing()
    {
        var (shopper, email) = (running.NewShopper(), NewEmail());
        var profileId = (await shopper.IdentifyAsync(email, at: At(0)))["profileId"]!;
        await shopper.TrackAsync("payment_processed", new { amount = 1_000_000, currency = "USD", orderId = "o" }, at: At(1));
        Assert.Empty((await running.Backend.ProfileAsync(profileId))["totals"]!["revenue"]!.AsArray());
        var forged = (await running.Backend.TimelineAsync(profileId))[^1];
        Assert.Equal(("payment_processed", "client"), (TypeOf(forged), forged["source"]!.ToString()));

        // Nor does it take the place of the back end's telling of the same payment.
        await running.Backend.WebhookAsync("payment_processed", new { amount = "5.00", currency = "USD", orderId = "o" }, email: email, at: At(2));
        Assert.Equal("""[{"currency":"USD","amount":"5.00"}]""", (await running.Backend.ProfileAsync(profileId))["totals"]!["revenue"]!.ToJsonString());
    }

    private static string At(int minute, int second = 0) => new DateTime(2025, 10, 18, 10, 0, 0, DateTimeKind.Utc).AddMinutes(minute).AddSeconds(second).ToString("yyyy-MM-ddTHH:mm:ssZ");

    private static string NewEmail() => RunningServer.Unique() + "@example.com";

    private static string TypeOf(JsonNode? found) => found!["eventType"]!.ToString();

    private async Task<IEnumerable<string>> TypesAsync(string profileId) => (await running.Backend.TimelineAsync(profileId)).Select(TypeOf).ToList();
}
