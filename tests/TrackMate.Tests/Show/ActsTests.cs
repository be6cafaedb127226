using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>What an operator can ask, change and take back (B12), over the calls with the scope <c>admin</c>.</summary>
public sealed class ActsTests(RunningServer running) : IClassFixture<RunningServer>
{
    private ShopBackend Backend => running.Backend;

    private static string Email => RunningServer.Unique() + "@example.com";

    /// <summary>A person with so many page views in a session of its own, and one payment.</summary>
    private async Task<(string Id, Shopper Shopper)> PersonAsync(string email, int views, string day = "2025-10-18")
    {
        var shopper = running.NewShopper(RunningServer.Unique("session_1729260000_"));
        for (var i = 0; i < views; i++) await shopper.TrackAsync("page_view", at: $"{day}T10:0{i}:00Z");
        var id = (await shopper.IdentifyAsync(email, name: email.Split('@')[0], at: $"{day}T10:09:00Z"))["profileId"]!;
        await Backend.WebhookAsync("payment_processed", new { amount = 79.99, currency = "USD" }, email, at: $"{day}T10:12:00Z");
        return (id, shopper);
    }

    private async Task<string> ExportAsync(string id) =>
        (await Backend.GetAsync($"/api/profiles/{id}")).AssertOk().Text + (await Backend.GetAsync($"/api/profiles/{id}/timeline?limit=1000")).AssertOk().Text;

    private async Task<JsonArray> ClaimsAsync(string id) => (await Backend.GetAsync($"/api/profiles/{id}/claims")).AssertOk().Body!["claims"]!.AsArray();

    private Task<Answer> ActAsync(string path, object? body = null) => Backend.PostAsync(path, System.Text.Json.JsonSerializer.SerializeToNode(body ?? new { })!);

    private static (string? Events, string? Sessions, string? Revenue) MovedBy(Answer answer) => (answer["events"], answer["sessions"], answer.Body!["revenue"]!.ToJsonString());

    [Fact]
    public async Task A_merge_is_previewed_done_and_taken_back_to_the_byte()
    {
        var (first, _) = await PersonAsync(Email, views: 3);
        var (second, _) = await PersonAsync(Email, views: 2, day: "2025-10-19");
        var before = (await ExportAsync(first), await ExportAsync(second));

        var preview = (await ActAsync($"/api/profiles/{first}/merge", new { profileId = second, dryRun = true })).AssertOk();
        Assert.Equal(("3", "2", """[{"currency":"USD","amount":"79.99"}]"""), MovedBy(preview));
        Assert.Null(preview["mergeId"]);
        Assert.Equal(before, (await ExportAsync(first), await ExportAsync(second)));

        var merge = (await ActAsync($"/api/profiles/{first}/merge", new { profileId = second })).AssertOk();
        Assert.Equal(MovedBy(preview), MovedBy(merge));
        var merged = (await Backend.GetAsync($"/api/profiles/{second}")).Body!;
        Assert.Equal((first, 8, "159.98"), (merged["id"]!.ToString(), (int)merged["totals"]!["events"]!, merged["totals"]!["revenue"]![0]!["amount"]!.ToString()));

        var timeline = await Backend.TimelineAsync(first);
        var came = timeline.First(shown => shown["timestamp"]!.ToString().StartsWith("2025-10-19", StringComparison.Ordinal));
        Assert.Equal("merge", came["binding"]!["method"]!.ToString());
        Assert.Equal(["event", "session", "claim", "identifier", "merge", "identifier", "profile"], came["binding"]!["chain"]!.AsArray().Select(link => link!["kind"]!.ToString()));
        Assert.Contains(came["binding"]!["chain"]!.AsArray(), link => link!["mergeId"]?.ToString() == merge["mergeId"]);

        // Sent again, as after an answer that was lost: the same merge, and nothing moves.
        var again = (await ActAsync($"/api/profiles/{first}/merge", new { profileId = second })).AssertOk();
        Assert.Equal((merge["mergeId"], "0"), (again["mergeId"], again["events"]));

        var undone = (await ActAsync($"/api/profiles/{second}/unmerge", new { mergeId = merge["mergeId"], dryRun = true })).AssertOk();
        Assert.Equal(MovedBy(merge), MovedBy(undone));
        (await ActAsync($"/api/profiles/{second}/unmerge", new { mergeId = merge["mergeId"] })).AssertOk();
        Assert.Equal(before, (await ExportAsync(first), await ExportAsync(second)));
    }

    [Fact]
    public async Task What_a_merge_brought_can_be_taken_back_after_more_has_happened()
    {
        var (first, _) = await PersonAsync(Email, views: 1);
        var email = Email;
        var (second, shopper) = await PersonAsync(email, views: 1, day: "2025-10-19");
        var merge = await ActAsync($"/api/profiles/{first}/merge", new { profileId = second });
        await shopper.TrackAsync("page_view", at: "2025-10-19T11:00:00Z");
        Assert.Equal(first, (await Backend.WebhookAsync("order_shipped", email: email, at: "2025-10-19T11:30:00Z"))["profileId"]);
        (await ActAsync($"/api/profiles/{first}/unmerge", new { mergeId = merge["mergeId"] })).AssertOk();
        Assert.Equal(5, (await Backend.TimelineAsync(second)).Count);
    }

    [Fact]
    public async Task A_revoked_session_leaves_the_person_until_it_is_lifted_whoever_says_it_again()
    {
        var email = Email;
        var (id, shopper) = await PersonAsync(email, views: 3);
        var before = await ExportAsync(id);
        var claim = Assert.Single(await ClaimsAsync(id), claim => claim!["kind"]!.ToString() == "session")!;
        Assert.Equal(("standing", "identify", "claimed", shopper.SessionId), (claim["status"]!.ToString(), claim["method"]!.ToString(), claim["trust"]!.ToString(), claim["sessionId"]!.ToString()));

        var preview = (await ActAsync($"/api/claims/{claim["id"]}/revoke", new { dryRun = true })).AssertOk();
        Assert.Equal(("3", "1", "[]"), MovedBy(preview));
        Assert.Equal(before, await ExportAsync(id));
        Assert.Equal(MovedBy(preview), MovedBy((await ActAsync($"/api/claims/{claim["id"]}/revoke")).AssertOk()));
        Assert.Null((await Backend.SessionAsync(shopper.SessionId)).Body!["userId"]);
        Assert.Equal(["payment_processed"], (await Backend.TimelineAsync(id)).Select(shown => shown["eventType"]!.ToString()));
        Assert.Null((await Backend.ProfileAsync(id))["name"]);

        // The browser says it once more; it stays revoked.
        await shopper.IdentifyAsync(email, at: "2025-10-18T10:30:00Z");
        Assert.Null((await Backend.SessionAsync(shopper.SessionId)).Body!["userId"]);
        Assert.All((await ClaimsAsync(id)).Where(listed => listed!["kind"]!.ToString() == "session"), listed => Assert.Equal("revoked", listed!["status"]!.ToString()));

        (await ActAsync($"/api/claims/{claim["id"]}/lift")).AssertOk();
        Assert.Equal(before, await ExportAsync(id));
    }

    [Fact]
    public async Task A_revoked_join_stays_apart_although_the_next_webhook_says_it_again()
    {
        var (email, externalId) = (Email, RunningServer.Unique("customer-"));
        await Backend.WebhookAsync("order_placed", email: email, externalId: externalId, at: "2025-10-18T10:00:00Z");
        await Backend.WebhookAsync("order_shipped", externalId: externalId, at: "2025-10-18T11:00:00Z");
        var id = (await Backend.ProfileOfAsync(email))!["id"]!.ToString();
        var shipped = (await Backend.TimelineAsync(id))[^1];
        Assert.Equal(["event", "identifier", "join", "identifier", "profile"], shipped["binding"]!["chain"]!.AsArray().Select(link => link!["kind"]!.ToString()));
        var join = Assert.Single(await ClaimsAsync(id))!;
        Assert.Equal(shipped["binding"]!["chain"]![2]!["claimId"]!.ToString(), join["id"]!.ToString());

        Assert.Equal("1", (await ActAsync($"/api/claims/{join["id"]}/revoke")).AssertOk()["events"]);
        Assert.Equal(["order_placed"], (await Backend.TimelineAsync(id)).Select(shown => shown["eventType"]!.ToString()));
        var again = await Backend.WebhookAsync("order_placed", email: email, externalId: externalId, at: "2025-10-18T12:00:00Z");
        Assert.Equal(["revoked"], again.Body!["warnings"]!.AsArray().Select(warning => warning!.ToString()));
        Assert.Equal(2, (await Backend.TimelineAsync(id)).Count);
        Assert.Equal("revoked", Assert.Single(await ClaimsAsync(id))!["status"]!.ToString());

        (await ActAsync($"/api/claims/{join["id"]}/lift")).AssertOk();
        Assert.Equal(3, (await Backend.TimelineAsync(id)).Count);
    }

    [Fact]
    public async Task An_unbound_stretch_of_a_session_is_nobodys_and_comes_back()
    {
        var (id, shopper) = await PersonAsync(Email, views: 4);
        var before = await ExportAsync(id);
        var unbound = (await ActAsync($"/api/sessions/{Uri.EscapeDataString(shopper.SessionId)}/unbind", new { from = "2025-10-18T10:01:00Z", to = "2025-10-18T10:03:00Z" })).AssertOk();
        Assert.Equal(("2", "[]"), (unbound["events"], unbound.Body!["revenue"]!.ToJsonString()));
        Assert.Equal(4, (await Backend.TimelineAsync(id)).Count);
        Assert.Equal([id, null, null, id, id], (await Backend.SessionAsync(shopper.SessionId)).Body!["events"]!.AsArray().Select(shown => shown!["userId"]?.ToString()));

        Assert.Contains(await ClaimsAsync(id), listed => listed!["kind"]!.ToString() == "unbind" && listed["id"]!.ToString() == unbound["claimId"]);
        (await ActAsync($"/api/claims/{unbound["claimId"]}/revoke")).AssertOk();
        Assert.Equal(before, await ExportAsync(id));
    }

    [Fact]
    public async Task A_whole_session_that_is_unbound_stays_nobodys_whatever_it_says_of_itself_later()
    {
        var (id, shopper) = await PersonAsync(Email, views: 2);
        (await ActAsync($"/api/sessions/{Uri.EscapeDataString(shopper.SessionId)}/unbind")).AssertOk();
        await shopper.IdentifyAsync(Email, at: "2025-10-20T10:00:00Z");
        await shopper.TrackAsync("page_view", at: "2025-10-20T10:01:00Z");
        Assert.Null((await Backend.SessionAsync(shopper.SessionId)).Body!["userId"]);
        Assert.Equal(["payment_processed"], (await Backend.TimelineAsync(id)).Select(shown => shown["eventType"]!.ToString()));
    }

    /// <summary>An act that moves nothing yet is an act all the same: previewed, noted, and taken back.</summary>
    [Fact]
    public async Task A_session_that_nobody_has_identified_is_unbound_ahead_of_time_but_not_by_a_preview()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper(RunningServer.Unique("session_1729260000_"));
        await shopper.TrackAsync("page_view", at: "2025-10-18T10:00:00Z");
        var path = $"/api/sessions/{Uri.EscapeDataString(shopper.SessionId)}/unbind";
        (await shop.Backend.PostAsync(path, new JsonObject { ["dryRun"] = true })).AssertOk();
        Assert.Empty((await shop.Backend.GetAsync("/api/audit")).Body!["entries"]!.AsArray());
        await shopper.IdentifyAsync(Email, at: "2025-10-18T10:01:00Z");
        Assert.NotNull((await shop.Backend.SessionAsync(shopper.SessionId)).Body!["userId"]);

        var other = shop.NewShopper(RunningServer.Unique("session_1729260000_"));
        await other.TrackAsync("page_view", at: "2025-10-18T10:00:00Z");
        var unbound = (await shop.Backend.PostAsync($"/api/sessions/{Uri.EscapeDataString(other.SessionId)}/unbind", new JsonObject())).AssertOk();
        Assert.Equal("0", unbound["events"]);
        await other.IdentifyAsync(Email, at: "2025-10-18T10:01:00Z");
        Assert.Null((await shop.Backend.SessionAsync(other.SessionId)).Body!["userId"]);
        Assert.Equal(["unbind"], (await shop.Backend.GetAsync("/api/audit")).Body!["entries"]!.AsArray().Select(entry => entry!["action"]!.ToString()));
        (await shop.Backend.PostAsync($"/api/claims/{unbound["claimId"]}/revoke", new JsonObject())).AssertOk();
        Assert.NotNull((await shop.Backend.SessionAsync(other.SessionId)).Body!["userId"]);
    }

    [Fact]
    public async Task A_merged_profile_is_frozen_whole_although_a_part_of_it_was_already()
    {
        var (email, externalId) = (Email, RunningServer.Unique("customer-"));
        var (first, _) = await PersonAsync(Email, views: 1);
        var (second, _) = await PersonAsync(email, views: 1);
        (await ActAsync($"/api/profiles/{first}/freeze")).AssertOk();
        (await ActAsync($"/api/profiles/{first}/merge", new { profileId = second })).AssertOk();
        var whole = (await ActAsync($"/api/profiles/{first}/freeze")).AssertOk();
        var answer = await Backend.WebhookAsync("order_placed", email: email, externalId: externalId, at: TimeProvider.System.GetUtcNow().ToString("O"));
        Assert.Equal(["profile_frozen"], answer.Body!["warnings"]!.AsArray().Select(warning => warning!.ToString()));
        (await ActAsync($"/api/claims/{whole["claimId"]}/revoke")).AssertOk();
        Assert.Equal(3, (await Backend.ProfileAsync(first))["identifiers"]!.AsArray().Count);
    }

    /// <summary>A call sent again, after an answer that was lost, does not take back what somebody else has done since.</summary>
    [Fact]
    public async Task What_was_taken_back_already_is_not_taken_back_again()
    {
        var (id, _) = await PersonAsync(Email, views: 1);
        var first = (await ActAsync($"/api/profiles/{id}/isolate")).AssertOk()["claimId"];
        (await ActAsync($"/api/claims/{first}/revoke")).AssertOk();
        var second = (await ActAsync($"/api/profiles/{id}/isolate")).AssertOk()["claimId"];
        (await ActAsync($"/api/claims/{first}/revoke")).AssertOk();
        Assert.Contains(await ClaimsAsync(id), claim => claim!["id"]!.ToString() == second);
    }

    [Fact]
    public async Task Everything_that_an_identifier_joined_is_undone_at_once()
    {
        var (shared, a, b) = (RunningServer.Unique("office-"), Email, Email);
        var shop = await running.NewShopAsync(new() { MaxEmailsPerPerson = 10 });
        foreach (var email in new[] { a, b }) await shop.Backend.WebhookAsync("order_placed", email: email, externalId: shared, at: "2025-10-18T10:00:00Z");
        var id = (await shop.Backend.ProfileOfAsync(a))!["id"]!.ToString();
        Assert.Equal(id, (await shop.Backend.ProfileOfAsync(b))!["id"]!.ToString());

        var office = (await shop.Backend.ProfileAsync(id))["identifiers"]!.AsArray().Single(identifier => identifier!["kind"]!.ToString() == "externalId")!["id"]!.ToString();
        var isolated = (await shop.Backend.PostAsync($"/api/profiles/{office}/isolate", new JsonObject())).AssertOk();
        Assert.Equal("1", isolated["events"]);
        Assert.NotEqual((await shop.Backend.ProfileOfAsync(a))!["id"]!.ToString(), (await shop.Backend.ProfileOfAsync(b))!["id"]!.ToString());
        await shop.Backend.WebhookAsync("order_placed", email: Email, externalId: shared, at: "2025-10-19T10:00:00Z");
        Assert.Single((await shop.Backend.ProfileAsync(office))["identifiers"]!.AsArray());

        (await shop.Backend.PostAsync($"/api/claims/{isolated["claimId"]}/revoke", new JsonObject())).AssertOk();
        Assert.Equal(id, (await shop.Backend.ProfileOfAsync(b))!["id"]!.ToString());
    }

    /// <summary>Of what browsers claim only each one's first counts, so without the isolated one, others come first.</summary>
    [Fact]
    public async Task Whom_an_isolated_identifier_stood_in_the_way_of_join_until_it_is_taken_back()
    {
        var shop = await running.NewShopAsync();
        var (a, b) = (Email, Email);
        await shop.NewShopper().IdentifyAsync(a, externalId: "first", at: "2025-10-18T10:00:00Z");
        await shop.NewShopper().IdentifyAsync(b, externalId: "first", at: "2025-10-18T10:01:00Z");
        await shop.NewShopper().IdentifyAsync(b, externalId: "second", at: "2025-10-18T10:02:00Z");
        async Task<IEnumerable<string>> IdentifiersOf(string email) => (await shop.Backend.ProfileOfAsync(email))!["identifiers"]!.AsArray().Select(identifier => identifier!["value"]!.ToString());
        Assert.Equal([a, "first"], await IdentifiersOf(a));
        Assert.Equal([b], await IdentifiersOf(b));

        var id = (await shop.Backend.ProfileOfAsync(a))!["identifiers"]![1]!["id"]!.ToString();
        var isolated = (await shop.Backend.PostAsync($"/api/profiles/{id}/isolate", new JsonObject())).AssertOk();
        Assert.Equal([a], await IdentifiersOf(a));
        Assert.Equal([b, "second"], await IdentifiersOf(b));

        (await shop.Backend.PostAsync($"/api/claims/{isolated["claimId"]}/revoke", new JsonObject())).AssertOk();
        Assert.Equal([a, "first"], await IdentifiersOf(a));
        Assert.Equal([b], await IdentifiersOf(b));
    }

    [Fact]
    public async Task A_frozen_profile_takes_no_new_identifier()
    {
        var (email, externalId) = (Email, RunningServer.Unique("customer-"));
        var (id, _) = await PersonAsync(email, views: 1);
        var frozen = (await ActAsync($"/api/profiles/{id}/freeze")).AssertOk();
        var answer = await Backend.WebhookAsync("order_placed", email: email, externalId: externalId, at: TimeProvider.System.GetUtcNow().ToString("O"));
        Assert.Equal(["profile_frozen"], answer.Body!["warnings"]!.AsArray().Select(warning => warning!.ToString()));
        Assert.Single((await Backend.ProfileAsync(id))["identifiers"]!.AsArray());
        Assert.Equal(id, answer["profileId"]);

        (await ActAsync($"/api/claims/{frozen["claimId"]}/revoke")).AssertOk();
        Assert.Equal(2, (await Backend.ProfileAsync(id))["identifiers"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_audit_log_gives_fifty_entries_where_no_number_is_asked_for()
    {
        var shop = await running.NewShopAsync();
        var first = (await shop.NewShopper().IdentifyAsync(Email, at: "2025-10-18T10:00:00Z"))["profileId"];
        var second = (await shop.NewShopper().IdentifyAsync(Email, at: "2025-10-18T10:01:00Z"))["profileId"];
        for (var i = 0; i < 26; i++)
        {
            var merge = (await shop.Backend.PostAsync($"/api/profiles/{first}/merge", new JsonObject { ["profileId"] = second })).AssertOk();
            (await shop.Backend.PostAsync($"/api/profiles/{first}/unmerge", new JsonObject { ["mergeId"] = merge["mergeId"] })).AssertOk();
        }

        var page = (await shop.Backend.GetAsync("/api/audit")).AssertOk();
        Assert.Equal(50, page.Body!["entries"]!.AsArray().Count);
        Assert.NotNull(page["nextCursor"]);
    }

    [Fact]
    public async Task The_audit_log_says_who_did_what_and_keeps_quiet_about_previews()
    {
        var shop = await running.NewShopAsync();
        var first = (await shop.NewShopper().IdentifyAsync(Email, at: "2025-10-18T10:00:00Z"))["profileId"];
        var second = (await shop.NewShopper().IdentifyAsync(Email, at: "2025-10-18T10:01:00Z"))["profileId"];
        await shop.Backend.PostAsync($"/api/profiles/{first}/merge", new JsonObject { ["profileId"] = second, ["dryRun"] = true });
        var merge = await shop.Backend.PostAsync($"/api/profiles/{first}/merge", new JsonObject { ["profileId"] = second });
        await shop.Backend.PostAsync($"/api/profiles/{first}/unmerge", new JsonObject { ["mergeId"] = merge["mergeId"] });
        var page = (await shop.Backend.GetAsync("/api/audit?limit=1")).AssertOk();
        var entries = page.Body!["entries"]!.AsArray().Concat((await shop.Backend.GetAsync($"/api/audit?limit=1&cursor={page["nextCursor"]}")).Body!["entries"]!.AsArray()).ToList();
        Assert.Equal(["unmerge", "merge"], entries.Select(entry => entry!["action"]!.ToString()));
        Assert.All(entries, entry =>
        {
            Assert.StartsWith(entry!["actor"]!.ToString().TrimEnd('…'), shop.ApiKey, StringComparison.Ordinal);
            Assert.Equal(merge["mergeId"], entry["detail"]!["id"]!.ToString());
        });
    }

    [Fact]
    public async Task Claims_are_paged_newest_first_each_once()
    {
        var email = Email;
        for (var i = 0; i < 5; i++) await running.NewShopper(RunningServer.Unique("session_1729260000_")).IdentifyAsync(email, at: $"2025-10-18T10:0{i / 2}:00Z");
        for (var i = 0; i < 3; i++) await Backend.WebhookAsync("order_placed", email: email, externalId: RunningServer.Unique(), at: $"2025-10-18T10:0{i}:00Z");
        var id = (await Backend.ProfileOfAsync(email))!["id"]!.ToString();
        var whole = (await ClaimsAsync(id)).Select(claim => claim!.ToJsonString()).ToList();
        Assert.Equal(8, whole.Count);
        var paged = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await Backend.GetAsync($"/api/profiles/{id}/claims?limit=2" + (cursor is null ? "" : $"&cursor={cursor}"))).AssertOk();
            paged.AddRange(page.Body!["claims"]!.AsArray().Select(claim => claim!.ToJsonString()));
            cursor = page["nextCursor"];
        }
        while (cursor is not null);

        Assert.Equal(whole, paged);
        Assert.Equal("two_externalids", (await ClaimsAsync(id))[0]!["stop"]!.ToString());
    }

    /// <summary>A stranger who names somebody from ever new sessions: those beyond the day's number are kept and bind nothing, whatever came first.</summary>
    [Fact]
    public async Task Of_the_sessions_that_begin_to_claim_one_identifier_in_a_day_the_first_are_believed()
    {
        var shop = await running.NewShopAsync(new() { NewSessionsPerDay = 2 });
        var email = Email;
        var shoppers = Enumerable.Range(0, 4).Select(_ => shop.NewShopper(RunningServer.Unique("session_1729260000_"))).ToList();
        foreach (var i in new[] { 3, 1, 2, 0 })
        {
            await shoppers[i].TrackAsync("page_view", at: $"2025-10-18T10:0{i}:00Z");
            await shoppers[i].IdentifyAsync(email, name: $"Name {i}", at: $"2025-10-18T10:1{i}:00Z");
        }

        var id = (await shop.Backend.ProfileOfAsync(email))!["id"]!.ToString();
        async Task<IEnumerable<bool>> OwnedAsync() => await Task.WhenAll(shoppers.Select(async shopper => (await shop.Backend.SessionAsync(shopper.SessionId)).Body!["userId"] is not null));
        Assert.Equal([true, true, false, false], await OwnedAsync());
        Assert.Equal("Name 1", (await shop.Backend.ProfileAsync(id))["name"]!.ToString());
        var claims = (await shop.Backend.GetAsync($"/api/profiles/{id}/claims")).Body!["claims"]!.AsArray();
        Assert.Equal(["too_many_sessions", "too_many_sessions", null, null], claims.Select(claim => claim!["stop"]?.ToString()));

        // A back end that says the same is neither counted nor stopped; the next day begins anew.
        await shop.Backend.WebhookAsync("order_placed", email: email, sessionId: shoppers[3].SessionId, at: "2025-10-18T10:20:00Z");
        Assert.Equal([true, true, false, true], await OwnedAsync());
        await shoppers[2].IdentifyAsync(email, at: "2025-10-17T10:00:00Z");
        Assert.Equal([true, true, true, true], await OwnedAsync());

        await shop.ChangeAsync(settings => settings with { NewSessionsPerDay = 1 });
        Assert.Equal([true, false, true, true], await OwnedAsync());
        await shop.ChangeAsync(settings => settings with { NewSessionsPerDay = 10_000 });
        Assert.Equal([true, true, true, true], await OwnedAsync());
    }

    [Fact]
    public async Task What_is_not_there_or_not_possible_is_said()
    {
        var email = Email;
        var (id, _) = await PersonAsync(email, views: 1);
        var nobody = new string('0', 24);
        (await ActAsync($"/api/profiles/{id}/merge", new { profileId = nobody })).AssertRefused(404);
        (await ActAsync($"/api/profiles/{nobody}/merge", new { profileId = id })).AssertRefused(404);
        (await ActAsync($"/api/profiles/{id}/merge", new { profileId = id })).AssertRefused(422, "profileId");
        (await ActAsync($"/api/profiles/{id}/merge", new { profileId = "someone" })).AssertRefused(422, "profileId");
        (await ActAsync($"/api/profiles/{id}/merge")).AssertRefused(422, "profileId");
        (await ActAsync($"/api/profiles/{id}/merge", new { profileId = nobody, dryRun = "yes" })).AssertRefused(422, "dryRun");
        (await Backend.PostAsync($"/api/profiles/{id}/merge", "{\"profileId\":")).AssertRefused(400);
        (await ActAsync($"/api/profiles/{id}/unmerge", new { mergeId = "merge_nothing" })).AssertRefused(404);
        (await ActAsync("/api/claims/cbm90aGluZw/revoke")).AssertRefused(404);
        (await ActAsync("/api/claims/nonsense!/revoke")).AssertRefused(404);
        (await ActAsync("/api/sessions/session_of_nobody/unbind")).AssertRefused(404);
        (await ActAsync("/api/sessions/session_of_nobody/unbind", new { from = "2025-10-18T10:00:00Z", to = "2025-10-18T10:00:00Z" })).AssertRefused(422, "from");
        (await ActAsync("/api/sessions/session_of_nobody/unbind", new { from = "noon" })).AssertRefused(422, "from");
        (await Backend.GetAsync($"/api/profiles/{nobody}/claims")).AssertRefused(404);
        Assert.Equal(3, (await Backend.TimelineAsync(id)).Count);
    }

    [Fact]
    public async Task Only_a_key_with_the_scope_admin_of_the_same_company_acts()
    {
        var (id, _) = await PersonAsync(Email, views: 1);
        var foreign = await running.NewShopAsync();
        var claim = Assert.Single(await ClaimsAsync(id), claim => claim!["kind"]!.ToString() == "session")!["id"]!.ToString();
        foreach (var path in new[] { $"/api/profiles/{id}/freeze", $"/api/profiles/{id}/isolate", $"/api/claims/{claim}/revoke" })
            (await foreign.Backend.PostAsync(path, new JsonObject())).AssertRefused(404);
        (await foreign.Backend.GetAsync($"/api/profiles/{id}/claims")).AssertRefused(404);
        (await running.NewShopper().SendAsync($"/api/profiles/{id}/freeze", new JsonObject())).AssertRefused(401);
        var reader = new ShopBackend(running.Http, await foreign.AddKeyAsync(TrackMate.Manage.Scopes.Read | TrackMate.Manage.Scopes.Write));
        foreach (var path in new[] { $"/api/profiles/{id}/merge", $"/api/profiles/{id}/unmerge", $"/api/claims/{claim}/revoke", $"/api/claims/{claim}/lift", "/api/sessions/s/unbind", $"/api/profiles/{id}/isolate", $"/api/profiles/{id}/freeze" })
            (await reader.PostAsync(path, new JsonObject())).AssertRefused(403);
        (await reader.GetAsync($"/api/profiles/{id}/claims")).AssertRefused(403);
        (await reader.GetAsync("/api/audit")).AssertRefused(403);
    }

    /// <summary>Strangers claim from sessions of their own, with an event in each, to be a customer.</summary>
    private static async Task<List<Shopper>> AttackAsync(Shop shop, string victim, int sessions)
    {
        var strangers = new List<Shopper>();
        for (var i = 0; i < sessions; i++)
        {
            var stranger = shop.NewShopper(RunningServer.Unique("session_1700000000_"));
            await stranger.TrackAsync("page_view", at: $"2025-10-19T11:{i % 60:00}:00Z");
            (await stranger.IdentifyAsync(victim, at: $"2025-10-19T11:{i % 60:00}:30Z")).AssertOk();
            strangers.Add(stranger);
        }

        return strangers;
    }

    [Fact]
    public async Task Every_claim_that_named_somebody_is_undone_by_one_act_and_taken_back_to_the_byte()
    {
        var shop = await running.NewShopAsync();
        var email = Email;
        var own = shop.NewShopper(RunningServer.Unique("session_1729260000_"));
        await own.TrackAsync("page_view", at: "2025-10-18T10:00:00Z");
        var id = (await shop.Backend.WebhookAsync("order_shipped", email: email, sessionId: own.SessionId, at: "2025-10-18T10:05:00Z"))["profileId"]!;
        async Task<string> ShownAsync() => (await shop.Backend.GetAsync($"/api/profiles/{id}")).AssertOk().Text + (await shop.Backend.GetAsync($"/api/profiles/{id}/timeline?limit=1000")).AssertOk().Text;
        Task<Answer> UndoAsync(object body) => shop.Backend.PostAsync("/api/claims/revoke", System.Text.Json.JsonSerializer.SerializeToNode(body)!);
        var clean = await ShownAsync();

        var strangers = await AttackAsync(shop, email, 12);
        var attacked = await ShownAsync();
        var preview = (await UndoAsync(new { identifier = new { email }, dryRun = true })).AssertOk();
        Assert.Equal(("12", "12", """{"claims":12,"sessions":12,"pairs":0,"exact":true}""", null), (preview["events"], preview["sessions"], preview.Body!["claims"]!.ToJsonString(), preview["claimId"]));
        Assert.Equal(attacked, await ShownAsync());

        var act = (await UndoAsync(new { identifier = new { email } })).AssertOk();
        Assert.Equal(MovedBy(preview), MovedBy(act));
        Assert.Equal(clean, await ShownAsync());

        // What they say again is ignored; a back end is not.
        await strangers[3].IdentifyAsync(email, at: "2025-10-19T12:00:00Z");
        Assert.Equal(clean, await ShownAsync());
        Assert.Equal("0", (await UndoAsync(new { identifier = new { email } })).AssertOk()["events"]);

        var audit = (await shop.Backend.GetAsync("/api/audit")).AssertOk().Body!["entries"]![0]!;
        Assert.Equal(("undo_claims", "12", act["claimId"]), (audit["action"]!.ToString(), audit["detail"]!["claims"]!.ToString(), audit["detail"]!["id"]!.ToString()));

        var back = (await shop.Backend.PostAsync($"/api/claims/{act["claimId"]}/revoke", new JsonObject())).AssertOk();
        Assert.Equal(MovedBy(act), MovedBy(back));
        (await UndoAsync(new { sessions = new[] { strangers[3].SessionId }, from = "2020-01-01T00:00:00Z" })).AssertOk();
        (await UndoAsync(new { sessions = strangers.Where((_, i) => i != 3).Select(stranger => stranger.SessionId) })).AssertOk();
        Assert.Equal(clean, await ShownAsync());
    }

    [Fact]
    public async Task More_claims_than_the_writer_takes_at_once_are_undone_in_steps_as_one_act()
    {
        var shop = await running.NewShopAsync();
        var since = TimeProvider.System.GetUtcNow().AddSeconds(-1);
        var (first, last) = (Email, Email);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            var stranger = shop.NewShopper(RunningServer.Unique("session_1700000000_"));
            await stranger.TrackAsync("page_view", at: "2025-10-19T11:00:00Z");
            (await stranger.SendAsync("/api/profile", JsonNode.Parse($$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{stranger.SessionId}}","email":"{{(i % 2 == 0 ? first : last)}}","timestamp":"2025-10-19T11:01:00Z"}""")!)).AssertOk();
        }));
        Task<Answer> UndoAsync(object body) => shop.Backend.PostAsync("/api/claims/revoke", System.Text.Json.JsonSerializer.SerializeToNode(body)!);
        async Task<int> EventsAsync(string email) => (int)((await shop.Backend.ProfileOfAsync(email))?["totals"]!["events"] ?? 0);
        Assert.Equal((151, 151), (await EventsAsync(first), await EventsAsync(last)));

        var preview = (await UndoAsync(new { from = since, dryRun = true })).AssertOk();
        Assert.Equal(("300", """{"claims":300,"sessions":300,"pairs":0,"exact":false}"""), (preview["events"], preview.Body!["claims"]!.ToJsonString()));
        var act = (await UndoAsync(new { from = since })).AssertOk();
        Assert.Equal(preview.Body["claims"]!.ToJsonString(), act.Body!["claims"]!.ToJsonString());
        Assert.Equal((0, 0), (await EventsAsync(first), await EventsAsync(last)));
        Assert.Single((await shop.Backend.GetAsync("/api/audit")).AssertOk().Body!["entries"]!.AsArray(), entry => entry!["action"]!.ToString() == "undo_claims");

        (await shop.Backend.PostAsync($"/api/claims/{act["claimId"]}/revoke", new JsonObject())).AssertOk();
        Assert.Equal((151, 151), (await EventsAsync(first), await EventsAsync(last)));
        Assert.Equal("0", (await shop.Backend.PostAsync($"/api/claims/{act["claimId"]}/revoke", new JsonObject())).AssertOk().Body!["claims"]!["claims"]!.ToString());
    }

    [Fact]
    public async Task What_two_customers_were_claimed_to_be_comes_apart_and_a_back_end_settles_it()
    {
        var shop = await running.NewShopAsync();
        var (email, external) = (Email, RunningServer.Unique());
        var a = (await shop.Backend.WebhookAsync("payment_processed", new { amount = 10, currency = "USD" }, email, at: "2025-10-18T10:00:00Z"))["profileId"]!;
        var b = (await shop.Backend.WebhookAsync("payment_processed", new { amount = 5, currency = "USD" }, externalId: external, at: "2025-10-18T11:00:00Z"))["profileId"]!;
        var stranger = shop.NewShopper(RunningServer.Unique("session_1700000000_"));
        Task<Answer> ClaimAsync(string at) => stranger.SendAsync("/api/profile", JsonNode.Parse($$"""{"company_id":"{{shop.CompanyId}}","sessionId":"{{stranger.SessionId}}","email":"{{email}}","externalId":"{{external}}","timestamp":"{{at}}"}""")!);
        await ClaimAsync("2025-10-18T12:00:00Z");
        async Task<bool> IsOneAsync() => (await shop.Backend.GetAsync($"/api/profiles/{a}")).AssertOk()["id"] == (await shop.Backend.GetAsync($"/api/profiles/{b}")).AssertOk()["id"];
        Assert.True(await IsOneAsync());

        Task<Answer> UndoAsync(object body) => shop.Backend.PostAsync("/api/claims/revoke", System.Text.Json.JsonSerializer.SerializeToNode(body)!);
        var preview = (await UndoAsync(new { identifier = new { externalId = external }, dryRun = true })).AssertOk();
        Assert.Equal(("""[{"currency":"USD","amount":"5.00"}]""", """{"claims":1,"sessions":1,"pairs":1,"exact":true}"""), (preview.Body!["revenue"]!.ToJsonString(), preview.Body["claims"]!.ToJsonString()));
        Assert.Equal(MovedBy(preview), MovedBy((await UndoAsync(new { identifier = new { userId = b } })).AssertOk()));
        Assert.False(await IsOneAsync());
        await ClaimAsync("2025-10-18T13:00:00Z");
        Assert.False(await IsOneAsync());

        await shop.Backend.WebhookAsync("order_shipped", email: email, externalId: external, at: "2025-10-18T14:00:00Z");
        Assert.True(await IsOneAsync());
    }

    [Fact]
    public async Task Claims_are_undone_by_at_least_one_thing_that_can_be()
    {
        var shop = await running.NewShopAsync();
        Task<Answer> UndoAsync(string body) => shop.Backend.PostAsync("/api/claims/revoke", body);
        (await UndoAsync("{}")).AssertRefused(422);
        (await UndoAsync("""{"dryRun":true}""")).AssertRefused(422);
        foreach (var sessions in new[] { "[]", "\"s\"", "[1]", "[\"\"]", $"[\"{new string('s', 201)}\"]", $"[{string.Join(',', Enumerable.Repeat("\"s\"", 1001))}]" }) (await UndoAsync($$"""{"sessions":{{sessions}}}""")).AssertRefused(422, "sessions");
        foreach (var identifier in new[] { "\"a@b.c\"", "{}", """{"email":"nobody"}""", """{"email":"a@b.c","userId":"x"}""", """{"userId":"x"}""", """{"externalId":1}""" }) (await UndoAsync($$"""{"identifier":{{identifier}}}""")).AssertRefused(422, "identifier");
        (await UndoAsync("""{"from":"noon"}""")).AssertRefused(422, "from");
        (await UndoAsync("""{"from":"2025-10-18T10:00:00Z","to":"2025-10-18T10:00:00Z"}""")).AssertRefused(422, "from");
        (await UndoAsync("""{"from":"2025-10-18T10:00:00Z","dryRun":1}""")).AssertRefused(422, "dryRun");
        Assert.Equal("0", (await UndoAsync("""{"identifier":{"email":"nobody@example.com"}}""")).AssertOk().Body!["claims"]!["claims"]!.ToString());
        (await UndoAsync("""{"sessions":["\ud800"]}""")).AssertRefused(400);
    }

    [Theory]
    [InlineData("/api/sessions/s/unbind", """{"from":"\ud800"}""")]
    [InlineData("/api/sessions/s/unbind", """{"to":"\u0000"}""")]
    [InlineData("/api/profiles/671234567890abcdef123456/merge", """{"profileId":"\udc00"}""")]
    [InlineData("/api/profiles/671234567890abcdef123456/unmerge", """{"mergeId":"a\ud83d"}""")]
    [InlineData("/api/claims/x/revoke", """{"\ud800":1}""")]
    [InlineData("/api/claims/x/lift", """{"dryRun":true,"a":"\u0000"}""")]
    public async Task Text_that_no_store_takes_is_rejected_wherever_it_stands(string path, string body) => (await Backend.PostAsync(path, body)).AssertRefused(400);

    [Fact]
    public async Task So_it_is_in_addresses()
    {
        foreach (var query in new[] { "/api/profiles?q=%00", "/api/profiles?email=a%00@b.c", "/api/profiles?externalId=%00", "/api/profiles?cursor=%00", "/api/events/x?y=%00", "/api/profiles/671234567890abcdef123456/timeline?eventType=%00" })
            Assert.Equal(400, (int)(await Backend.GetAsync(query)).Status);
        foreach (var path in new[] { "/api/sessions/%00", "/api/events/a%00b", "/api/sessions/%ED%A0%80", "/api/events/%ff%fe", $"/api/events/{new string('e', 4000)}", "/api/profiles?q=%ED%A0%80", "/api/profiles?email=%ED%A0%80@shop.com" })
            Assert.InRange((int)(await Backend.GetAsync(path)).Status, 200, 499);
        foreach (var path in new[] { "/api/sessions/%00/unbind", "/api/sessions/%ED%A0%80/unbind", "/api/claims/%ED%A0%80/revoke", "/api/claims/%00/lift" })
            Assert.InRange((int)(await Backend.PostAsync(path, new JsonObject())).Status, 400, 499);
    }
}
