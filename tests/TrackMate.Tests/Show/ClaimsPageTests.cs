using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using TrackMate.Bind;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>What binds a person, and the acts that change it: each is seen before it is done, and undone with one click.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ClaimsPageTests(BrowserFixture browser, RunningServer running) : IClassFixture<RunningServer>
{
    private const string Company = $"/c/{ServerProcess.CompanyId}";
    private const string People = $"{Company}/people";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_audit_log_says_in_sentences_who_created_keys_fixed_messages_and_erased()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        var id = (await shopper.IdentifyAsync("gone@example.com"))["profileId"];
        await shop.Backend.WebhookAsync("order_shipped", email: "not an address", eventId: "evt_fix");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/get-started");
        await viewer.Page.FillAsync("#keyname", "Back end");
        await viewer.Page.ClickAsync("text=Create the key");
        var key = (await viewer.TextAsync("#made"))[.."tm_live_1234".Length] + "…";
        await viewer.GoAsync($"/c/{shop.CompanyId}/ingestion");
        await viewer.Page.ClickAsync("tbody tr");
        await viewer.Page.FillAsync("#body", (await viewer.Page.InputValueAsync("#body")).Replace("not an address", "fixed@example.com"));
        await viewer.Page.ClickAsync("text=Send again");
        await Expect(viewer.Page.Locator(".made")).ToContainTextAsync("Fixed");
        using var trackmate = new CommandLineRunner(running.Server);
        await trackmate.DoAsync($"erase --company {shop.CompanyId} --profile {id} --yes --suppress");
        var number = (await trackmate.DoAsync($"key list --company {shop.CompanyId}")).Split('\n').Single(line => line.Contains("Back end", StringComparison.Ordinal)).Trim().Split(' ')[0];
        await trackmate.DoAsync($"key revoke {number} --company {shop.CompanyId}");

        await viewer.GoAsync($"/c/{shop.CompanyId}/audit");

        Assert.Equal(
            [
                $"command line revoked the API key {key}",
                "command line erased a person",
                "admin fixed a rejected message and sent it again",
                $"admin created the API key {key} with the scopes write",
            ],
            await viewer.TextsAsync("tbody td:first-child"));
        Assert.Equal(["", "1 session erased, new messages about the person are not stored", "1 message stored", ""], await viewer.TextsAsync("tbody td:nth-child(2)"));
    }

    [Fact]
    public async Task A_claim_is_revoked_after_a_preview_and_one_click_undoes_it()
    {
        var id = await Sarah.PlayAsync(running, "revoked@example.com", "session_revoked");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}?tab=claims");
        Assert.Equal(["Session session_revoked was identified as revoked@example.com"], await viewer.TextsAsync(".claims p"));
        Assert.Equal("18 Oct 2025, 10:08, from a browser, claimed, message evt_3_revoked@example.com", (await viewer.TextsAsync(".claims small"))[0]);
        Assert.Equal(["active"], await viewer.TextsAsync(".claims .tag"));

        await viewer.Page.ClickAsync(".claims >> text=Revoke…");
        Assert.Equal("Revoke this claim?", await viewer.TextAsync("h1"));
        Assert.Equal("3 events and 1 session would leave the timeline of revoked@example.com and belong to nobody.", await viewer.TextAsync(".moves"));
        Assert.Equal(7, await EventsOfAsync(id));
        await viewer.Page.ClickAsync("button:has-text('Revoke')");

        Assert.EndsWith(People + $"/{id}?tab=claims", Regex.Replace(viewer.Page.Url, "&notice=\\d+$", ""));
        Assert.Equal("You revoked the claim that session session_revoked is revoked@example.com: 3 events and 1 session moved.", await viewer.TextAsync(".notice p"));
        Assert.Equal(["revoked"], await viewer.TextsAsync(".claims .tag"));
        Assert.Equal(3, await EventsOfAsync(id));

        await viewer.Page.ClickAsync(".notice >> text=Undo");
        Assert.Equal("You restored the claim that session session_revoked is revoked@example.com: 3 events and 1 session moved.", await viewer.TextAsync(".notice p"));
        Assert.Equal(["active"], await viewer.TextsAsync(".claims .tag"));
        Assert.Equal(7, await EventsOfAsync(id));

        // An undoing is an act like any other: it has its own undo.
        await viewer.Page.ClickAsync(".notice >> text=Undo");
        Assert.Equal(3, await EventsOfAsync(id));
        await viewer.Page.ClickAsync(".claims >> text=Lift…");
        Assert.Equal("3 events and 1 session that belong to nobody now would move to the timeline of revoked@example.com.", await viewer.TextAsync(".moves"));
        await viewer.Page.ClickAsync("button:has-text('Lift')");
        Assert.Equal(7, await EventsOfAsync(id));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task Claims_that_contradict_what_is_known_are_alarmed_and_undone_together_with_one_click()
    {
        var shop = await running.NewShopAsync();
        await shop.Backend.WebhookAsync("payment_processed", new { amount = 20, currency = "USD" }, email: "known@example.com", externalId: "own-1", at: "2025-10-18T10:00:00Z");
        for (var i = 0; i < 3; i++)
        {
            var stranger = shop.NewShopper($"session_stranger_{i}");
            await stranger.TrackAsync("page_view", at: "2025-10-18T11:00:00Z");
            await stranger.SendAsync("/api/profile", System.Text.Json.Nodes.JsonNode.Parse($$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{stranger.SessionId}}","email":"known@example.com","externalId":"strange-{{i}}","timestamp":"2025-10-18T11:01:00Z"}""")!);
        }

        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people");
        Assert.Equal("Browsers contradict what is known of 1 customer", await viewer.TextAsync(".alarms h2"));
        Assert.Contains("3 claims that known@example.com is another person too", await viewer.TextAsync(".alarms"));
        await viewer.Page.ClickAsync(".alarms >> text=Undo claims…");
        Assert.Equal("Undo browsers’ claims", await viewer.TextAsync("h1"));
        Assert.Equal("3 claims of 3 sessions would be undone, 3 pairs of identifiers among them. 3 events and 3 sessions would leave the timeline of known@example.com and belong to nobody.", Regex.Replace(await viewer.TextAsync(".moves"), @"\s+", " ").Trim());
        await viewer.Page.ClickAsync("button:has-text('Undo 3 claims')");
        Assert.Equal("You undid 3 claims of browsers: 3 events and 3 sessions moved.", await viewer.TextAsync(".notice p"));
        await viewer.GoAsync($"/c/{shop.CompanyId}/people");
        Assert.Equal(0, await viewer.Page.Locator(".alarms").CountAsync());

        await viewer.GoAsync($"/c/{shop.CompanyId}/audit");
        await viewer.Page.ClickAsync("td button:has-text('Undo')");
        Assert.Equal("You restored 3 claims of browsers: 3 events and 3 sessions moved.", await viewer.TextAsync(".notice p"));
        await viewer.Page.ClickAsync(".notice >> text=Undo");
        Assert.Equal("You undid 3 claims of browsers: 3 events and 3 sessions moved.", await viewer.TextAsync(".notice p"));
        await viewer.GoAsync($"/c/{shop.CompanyId}/claims/undo?from=nonsense");
        Assert.Contains("is not a time", await viewer.TextAsync(".problem"));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task What_browsers_suggest_is_reviewed_and_merged_all_at_once_but_what_is_in_doubt()
    {
        var shop = await running.NewShopAsync(new() { ClaimedJoins = ClaimedJoins.New });
        for (var i = 0; i < 3; i++)
        {
            await shop.Backend.WebhookAsync("payment_processed", new { amount = 20, currency = "USD" }, email: $"suggested{i}@example.com", at: "2025-10-18T10:00:00Z");
            await shop.Backend.WebhookAsync("order_shipped", externalId: $"suggested-{i}", at: "2025-10-18T10:30:00Z");
            var shopper = shop.NewShopper($"session_suggested_{i}");
            await shopper.SendAsync("/api/profile", System.Text.Json.Nodes.JsonNode.Parse($$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{shopper.SessionId}}","email":"suggested{{i}}@example.com","externalId":"suggested-{{i}}","timestamp":"2025-10-18T11:01:00Z"}""")!);
        }

        // One person would have two external ids.
        await shop.Backend.WebhookAsync("order_shipped", email: "suggested2@example.com", externalId: "own-2", at: "2025-10-18T12:00:00Z");

        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"/c/{shop.CompanyId}/people");
        Assert.Contains("3 pairs look like one person", await viewer.TextsAsync("h2"));
        await viewer.Page.ClickAsync("text=Review them");
        Assert.Equal("3 pairs look like one person", await viewer.TextAsync("h1"));
        Assert.Equal(3, await viewer.Page.Locator(".claims li").CountAsync());
        await ShootAsync(viewer, "suggestions");
        await viewer.Page.ClickAsync("text=Merge all…");
        Assert.Equal("2 events and 2 sessions would move to another profile’s timeline. 1 pair would give one person two external ids and is left for you to decide.", await viewer.TextAsync(".moves"));
        await ShootAsync(viewer, "suggestions-all");
        await viewer.Page.ClickAsync("button:has-text('Merge 2 pairs')");
        Assert.EndsWith($"/c/{shop.CompanyId}/audit", Regex.Replace(viewer.Page.Url, "[?]notice=\\d+$", ""));
        await viewer.GoAsync($"/c/{shop.CompanyId}/people/suggested");
        Assert.Equal("1 pair looks like one person", await viewer.TextAsync("h1"));
        await viewer.Page.ClickAsync("text=Not the same…");
        await viewer.Page.ClickAsync("button.primary");
        Assert.Equal("Nothing to decide", await viewer.TextAsync(".empty-card h2"));
        Assert.Empty(viewer.Complaints);
    }

    private static async Task ShootAsync(Viewer viewer, string name)
    {
        if (Environment.GetEnvironmentVariable("TRACKMATE_PICTURES") is { Length: > 0 } folder) await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }

    [NoStore]
    [Fact]
    public async Task Cancel_leaves_everything_as_it_was()
    {
        var id = await Sarah.PlayAsync(running, "cancelled@example.com", "session_cancelled");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}?tab=claims");

        await viewer.Page.ClickAsync(".claims >> text=Revoke…");
        await viewer.Page.ClickAsync("a.btn:has-text('Cancel')");

        Assert.EndsWith($"{People}/{id}?tab=claims", viewer.Page.Url);
        Assert.Equal(0, await viewer.Page.Locator(".notice").CountAsync());
        Assert.Equal(7, await EventsOfAsync(id));
    }

    [Fact]
    public async Task An_event_names_the_join_that_put_it_here_and_leads_to_its_undoing()
    {
        const string Email = "joined@example.com";
        var id = await Sarah.PlayAsync(running, Email, "session_joined");
        await running.Backend.WebhookAsync("plan_changed", new { plan = "pro" }, externalId: "joined-42", at: "2025-10-18T10:20:00Z", eventId: "joined_1");
        await running.Backend.WebhookAsync("invoice_sent", email: Email, externalId: "joined-42", at: "2025-10-18T10:30:00Z", eventId: "joined_2");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}?event=server:joined_1");

        Assert.Equal(
            [
                "This webhook named the external id joined-42 sent with an API key, verified",
                "The external id belongs to the same person as the e-mail joined@example.com from a back end, at 10:30, verified Undo… The external id belongs to the same person as the e-mail joined@example.com",
                "The e-mail belongs to this profile first seen at 10:08",
                "Sarah Johnson",
            ],
            await viewer.TextsAsync(".chain li"));
        await viewer.Page.ClickAsync(".chain >> text=Undo…");
        Assert.Equal("Revoke this join?", await viewer.TextAsync("h1"));
        Assert.Equal("1 event would move from joined@example.com to joined-42.", await viewer.TextAsync(".moves"));
        await viewer.Page.ClickAsync("button:has-text('Revoke')");

        Assert.Contains("That event is not here", await viewer.TextAsync("aside"));
        await viewer.GoAsync($"{People}/{id}?tab=claims");
        var join = viewer.Page.Locator(".claims li").Filter(new() { HasText = "are one person" });
        await Expect(join.Locator(".tag")).ToHaveTextAsync("revoked");
        await Expect(join).ToContainTextAsync("by an operator, until lifted");
    }

    [Fact]
    public async Task What_a_rule_stopped_says_why()
    {
        const string Email = "stopped@example.com";
        await running.Backend.WebhookAsync("signed_up", email: Email, externalId: "stopped-1", at: "2025-10-18T10:00:00Z");
        await running.Backend.WebhookAsync("signed_up", email: Email, externalId: "stopped-2", at: "2025-10-18T11:00:00Z");
        var id = (await running.Backend.ProfileOfAsync(Email))!["id"]!.ToString();
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        await viewer.GoAsync($"{People}/{id}?tab=claims");

        Assert.Equal(["stopped", "active"], await viewer.TextsAsync(".claims .tag"));
        Assert.Contains("one person would have two external ids", (await viewer.TextsAsync(".claims small"))[0]);
    }

    [Fact]
    public async Task A_session_is_unbound_for_a_time_and_given_back_from_its_own_page()
    {
        var id = await Sarah.PlayAsync(running, "unbound@example.com", "session_unbound");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{Company}/visitors/session?id=session_unbound");

        await viewer.Page.ClickAsync("text=Un-bind it…");
        Assert.Equal("3 events and 1 session would leave the timeline of unbound@example.com and belong to nobody.", await viewer.TextAsync(".moves"));
        await viewer.Page.FillAsync("#from", "2025-10-18T10:04:30");
        await viewer.Page.FillAsync("#to", "2025-10-18T10:05:30");
        await viewer.Page.ClickAsync("text=Preview");
        Assert.Equal("1 event would leave the timeline of unbound@example.com and belong to nobody.", await viewer.TextAsync(".moves"));
        await viewer.Page.ClickAsync("main .ask button:has-text('Un-bind')");

        Assert.Equal(6, await EventsOfAsync(id));
        Assert.Contains("admin un-bound it from 18 Oct 2025, 10:04:30 to 18 Oct 2025, 10:05:30.", await viewer.TextAsync(".head"));
        await viewer.Page.ClickAsync(".head >> text=Undo…");
        await viewer.Page.ClickAsync("button:has-text('Undo')");
        Assert.Equal(7, await EventsOfAsync(id));
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Fact]
    public async Task Times_that_cannot_be_are_told_so()
    {
        await Sarah.PlayAsync(running, "notimes@example.com", "session_notimes");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        Assert.Equal(422, (await viewer.GoAsync($"{Company}/act?do=unbind&id=session_notimes&from=2025-10-18T10:00&to=2025-10-18T09:00")).Status);
        Assert.Contains("The start must be before the end.", await viewer.TextAsync("main"));
        Assert.Equal(422, (await viewer.GoAsync($"{Company}/act?do=unbind&id=session_notimes&from=yesterday")).Status);
    }

    [Fact]
    public async Task A_frozen_profile_wears_a_tag_and_thaws()
    {
        var id = await Sarah.PlayAsync(running, "frozen@example.com", "session_frozen");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}?tab=claims");

        await viewer.Page.ClickAsync("aside >> text=Freeze…");
        Assert.Equal("No events would move.", await viewer.TextAsync(".moves"));
        await viewer.Page.ClickAsync("button:has-text('Freeze')");
        Assert.StartsWith("frozen", await viewer.TextAsync(".tag.kept"));
        await running.Backend.WebhookAsync("signed_up", email: "frozen@example.com", externalId: "frozen-1");
        await viewer.Page.ReloadAsync();
        Assert.Contains("it arrived after the profile was frozen", string.Join('\n', await viewer.TextsAsync(".claims small")));

        await viewer.Page.ClickAsync(".tag.kept >> text=Undo…");
        await viewer.Page.ClickAsync("button:has-text('Undo')");
        Assert.Equal(0, await viewer.Page.Locator(".tag.kept").CountAsync());
        Assert.Equal(2, (await running.Backend.ProfileAsync(id))["identifiers"]!.AsArray().Count);
    }

    [Fact]
    public async Task Every_payment_told_of_is_a_row_and_those_that_count_are_the_total()
    {
        const string Email = "ledger@example.com";
        var id = await Sarah.PlayAsync(running, Email, "session_ledger");
        await running.Backend.WebhookAsync("Order Completed", new { order_id = "ch_abc123stripe" + Email, total = 79.99, currency = "USD" }, email: Email, at: "2025-10-18T10:13:00Z", eventId: "ledger_again");
        await running.Backend.WebhookAsync("refund_processed", new { orderId = "ch_abc123stripe" + Email, amount = 20, currency = "USD" }, email: Email, at: "2025-10-18T10:20:00Z", eventId: "ledger_back");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}");

        await viewer.Page.ClickAsync(".stat >> text=Total revenue");

        Assert.Equal(
            [
                "refund_processed counted, a refund ch_abc123stripeledger@exa… 18 Oct 2025, 10:20 −$20.00",
                "Order Completed not counted: an earlier event reported the same payment ch_abc123stripeledger@exa… 18 Oct 2025, 10:13 $79.99",
                "payment_processed counted ch_abc123stripeledger@exa… 18 Oct 2025, 10:12 $79.99",
            ],
            await viewer.TextsAsync(".ledger tbody tr"));
        Assert.Equal(["Total in USD $59.99"], await viewer.TextsAsync(".ledger tfoot tr"));
        Assert.Equal("$59.99", (await viewer.TextsAsync(".stat b"))[0]);
        await viewer.Page.ClickAsync(".ledger >> text=refund_processed");
        await Expect(viewer.Page.Locator("aside h2").First).ToHaveTextAsync("refund_processed");
    }

    [Fact]
    public async Task The_audit_log_says_who_did_what_in_sentences()
    {
        await Sarah.PlayAsync(running, "audited@example.com", "session_audited");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{Company}/act?do=unbind&id=session_audited");
        await viewer.Page.ClickAsync("main .ask button:has-text('Un-bind')");

        await viewer.Page.ClickAsync("nav >> text=Audit log");

        Assert.Equal("admin un-bound session session_audited", (await viewer.TextsAsync("tbody td:first-child"))[0]);
        Assert.Equal("3 events and 1 session moved", (await viewer.TextsAsync("tbody td:nth-child(2)"))[0]);
    }

    [NoStore]
    [Fact]
    public async Task An_act_needs_a_member_and_the_forms_token()
    {
        var id = await Sarah.PlayAsync(running, "guarded@example.com", "session_guarded");
        var fields = new Dictionary<string, string> { ["do"] = "freeze", ["id"] = id, ["line"] = "1" };
        using var stranger = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = running.Server.Address };
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{People}/{id}");
        using var member = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = running.Server.Address };
        member.DefaultRequestHeaders.Add("Cookie", string.Join("; ", (await viewer.Page.Context.CookiesAsync()).Select(cookie => $"{cookie.Name}={cookie.Value}")));

        foreach (var path in new[] { $"{Company}/act/do", $"{Company}/act/undo" })
        {
            var turnedAway = await stranger.PostAsync(path, new FormUrlEncodedContent(fields), Cancel);
            Assert.Equal(HttpStatusCode.Redirect, turnedAway.StatusCode);
            Assert.Contains("/login", turnedAway.Headers.Location!.ToString());

            var refused = await member.PostAsync(path, new FormUrlEncodedContent(fields), Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("Nothing was changed", await refused.Content.ReadAsStringAsync(Cancel));
        }

        Assert.Equal(HttpStatusCode.OK, (await member.GetAsync($"{People}/{id}", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await stranger.GetAsync($"{Company}/act?do=freeze&id={id}", Cancel)).StatusCode);
        await viewer.Page.ReloadAsync();
        Assert.Equal(0, await viewer.Page.Locator(".tag.kept").CountAsync());
    }

    [Theory]
    [InlineData("act?do=revoke&id=nonsense")]
    [InlineData("act?do=revoke&id=czzzz")]
    [InlineData("act?do=revoke&id=p000000000000000000000001000000000000000000000002")]
    [InlineData("act?do=undo&id=merge_000000000000000000000000")]
    [InlineData("act?do=unbind&id=session_nobody_has")]
    [InlineData("act?do=freeze&id=000000000000000000000000")]
    [InlineData("act?do=isolate&id=000000000000000000000000")]
    [InlineData("act?do=merge&id=000000000000000000000000")]
    [InlineData("act")]
    [InlineData("people/000000000000000000000000/merge")]
    public async Task What_is_not_there_cannot_be_acted_on(string path)
    {
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);

        Assert.Equal(404, (await viewer.GoAsync($"{Company}/{path}")).Status);
        Assert.Equal("Not found", await viewer.TextAsync("h1"));
    }

    [NoStore]
    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("javascript:alert(1)")]
    public async Task An_act_never_leads_to_another_site(string back)
    {
        var id = await Sarah.PlayAsync(running, "home@example.com", "session_home");
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        await viewer.GoAsync($"{Company}/act?do=freeze&id={id}&back=" + Uri.EscapeDataString(back));

        await viewer.Page.ClickAsync("a.btn:has-text('Cancel')");

        Assert.StartsWith(running.Server.Address.ToString(), viewer.Page.Url);
    }

    [NoStore]
    [Fact]
    public async Task What_outsiders_sent_stays_text_on_the_pages_of_acts()
    {
        const string Evil = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></title>";
        var shopper = running.NewShopper("session_evil_act" + Evil);
        await shopper.TrackAsync("page_view");
        var id = (await shopper.IdentifyAsync("evil.act@example.com", Evil, externalId: "x" + Evil, eventId: "evil" + Evil))["profileId"]!;
        await running.NewShopper("session_other" + Evil).IdentifyAsync("evil.act@other.example.com", Evil);
        await running.Backend.WebhookAsync("payment_processed", new { orderId = Evil, amount = 5, currency = "USD" }, email: "evil.act@example.com", externalId: "x" + Evil, eventId: "evil_pay" + Evil);
        await using var viewer = await Viewer.OpenAsync(browser, running.Server);
        var claim = "c" + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes("evil" + Evil));

        foreach (var path in new[]
        {
            $"{People}/{id}?tab=claims", $"{People}/{id}?tab=revenue", $"{People}/{id}/merge?q=" + Uri.EscapeDataString(Evil), $"{People}/{id}/merge?with=" + (await running.Backend.ProfileOfAsync("evil.act@other.example.com"))!["id"],
            $"{People}/duplicates", $"{Company}/act?do=revoke&id={claim}", $"{Company}/act?do=unbind&id=" + Uri.EscapeDataString("session_evil_act" + Evil), $"{Company}/act?do=freeze&id={id}&back=/" + Uri.EscapeDataString(Evil),
        })
        {
            Assert.Equal(200, (await viewer.GoAsync(path)).Status);
            Assert.Equal(0, await viewer.Page.Locator("img").CountAsync());
            Assert.Equal(2, await viewer.Page.Locator("script").CountAsync());
        }

        await viewer.GoAsync($"{Company}/act?do=revoke&id={claim}");
        await viewer.Page.ClickAsync("button:has-text('Revoke')");
        Assert.Equal(1, await viewer.Page.Locator(".notice").CountAsync());
        Assert.Equal(0, await viewer.Page.Locator("img").CountAsync());
        await viewer.GoAsync($"{Company}/audit");
        Assert.Contains("revoked the claim that session session_evil_act", await viewer.TextAsync("tbody"));
        Assert.Equal(0, await viewer.Page.Locator("img").CountAsync());
        Assert.Empty(viewer.Complaints);
    }

    [NoStore]
    [Fact]
    public async Task On_a_phone_nothing_scrolls_sideways_and_without_a_script_everything_works()
    {
        var id = await Sarah.PlayAsync(running, "thumb@example.com", "session_thumb" + new string('t', 100));
        await using var viewer = await Viewer.OpenAsync(browser, running.Server, 390, ColorScheme.Dark, javaScript: false);
        await viewer.GoAsync($"{People}/{id}?tab=claims");
        await viewer.Page.ClickAsync(".claims >> text=Revoke…");
        await viewer.Page.ClickAsync("button:has-text('Revoke')");
        await viewer.Page.ClickAsync(".notice >> text=Undo");
        Assert.Equal(7, await EventsOfAsync(id));

        await using var scripted = await Viewer.OpenAsync(browser, running.Server, 390);
        foreach (var path in new[] { $"{People}/{id}?tab=claims", $"{People}/{id}?tab=revenue", $"{People}/{id}/merge?q=example", $"{Company}/audit", $"{People}/duplicates", $"{Company}/act?do=unbind&id=session_thumb" + new string('t', 100) })
        {
            await scripted.GoAsync(path);
            Assert.False(await scripted.ScrollsSidewaysAsync(), path);
        }
    }

    private async Task<int> EventsOfAsync(string id) => (int)(await running.Backend.ProfileAsync(id))["totals"]!["events"]!;
}
