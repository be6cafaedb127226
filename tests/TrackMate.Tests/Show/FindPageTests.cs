using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;
using static Microsoft.Playwright.Assertions;

namespace TrackMate.Tests.Show;

/// <summary>Finding people in the dashboard, as somebody with a keyboard does it.</summary>
[Collection(BrowserCollection.Name)]
public sealed class FindPageTests(BrowserFixture browser)
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";

    [NoStore]
    [Fact]
    public async Task Suggestions_come_while_typing_and_the_keyboard_chooses_one()
    {
        await using var server = await ServerProcess.StartAsync();
        await FillAsync(server, ("ada@example.com", "Ada Lovelace"), ("grace@example.com", "Grace Hopper"), ("grace.kelly@example.com", "Grace Kelly"));
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(People);
        var input = viewer.Page.GetByRole(AriaRole.Combobox, new() { Name = "Find a person" });
        await Expect(input).ToHaveAttributeAsync("aria-expanded", "false");
        Assert.Equal("Ctrl K", await viewer.TextAsync(".find kbd"));

        await viewer.Page.Keyboard.PressAsync("Control+k");
        await viewer.Page.Keyboard.TypeAsync("GRACE");
        await Expect(viewer.Page.Locator(".find").GetByRole(AriaRole.Option)).ToHaveTextAsync(["Grace Kellygrace.kelly@example.com", "Grace Hoppergrace@example.com"]);
        await Expect(input).ToHaveAttributeAsync("aria-expanded", "true");
        Assert.Contains("2 people", await viewer.TextAsync(".find [role=status]"));
        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(viewer.Page.Locator(".find").GetByRole(AriaRole.Option).Nth(1)).ToHaveAttributeAsync("aria-selected", "true");
        Assert.Equal(await viewer.Page.Locator(".find").GetByRole(AriaRole.Option).Nth(1).GetAttributeAsync("id"), await input.GetAttributeAsync("aria-activedescendant"));
        await viewer.Page.Keyboard.PressAsync("Enter");
        await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("Grace Hopper");

        await viewer.Page.Keyboard.PressAsync("Control+k");
        await viewer.Page.Keyboard.TypeAsync("kelly");
        await Expect(viewer.Page.Locator(".find").GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await viewer.Page.Keyboard.PressAsync("Escape");
        await Expect(viewer.Page.Locator(".find").GetByRole(AriaRole.Option)).ToHaveCountAsync(0);
        Assert.Equal("kelly", await input.InputValueAsync());
        await viewer.Page.Keyboard.PressAsync("Enter");
        await Expect(viewer.Page.Locator(".names b")).ToHaveTextAsync(["Grace Kelly"]);
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_suggestion_is_chosen_with_the_mouse_and_without_scripts_the_search_is_a_form()
    {
        await using var server = await ServerProcess.StartAsync();
        await FillAsync(server, ("ada@example.com", "Ada <b>Lovelace</b>"));
        await using (var viewer = await Viewer.OpenAsync(browser, server))
        {
            await viewer.GoAsync(People);
            await viewer.Page.FillAsync("#find", "love");
            await viewer.Page.ClickAsync(".find li");
            await Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("Ada <b>Lovelace</b>");
            Assert.Empty(viewer.Complaints);
        }

        await using var plain = await Viewer.OpenAsync(browser, server, javaScript: false);
        await plain.GoAsync(People);
        Assert.False(await plain.Page.IsVisibleAsync(".find kbd"));
        await plain.Page.FillAsync("#find", "love");
        await plain.Page.PressAsync("#find", "Enter");
        Assert.Equal(["Ada <b>Lovelace</b>"], await plain.TextsAsync(".names b"));
    }

    [Fact]
    public async Task Suggestions_are_for_whoever_is_logged_in_and_of_one_company()
    {
        await using var server = await ServerProcess.StartAsync();
        await FillAsync(server, ("ada@example.com", "Ada Lovelace"));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await server.Http.GetAsync(new Uri($"{People}/suggestions?q=ada", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        var shop = await Shop.OpenAsync(server);
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(People);
        var answers = await viewer.Page.EvaluateAsync<string[]>($"Promise.all(['{People}', '/c/{shop.CompanyId}/people', '/c/TM-NOBODY/people'].map(async (path) => {{ const answer = await fetch(path + '/suggestions?q=ada'); return answer.status + ' ' + (answer.ok ? (await answer.json()).suggestions.map((one) => one.name).join() : ''); }}))");
        Assert.Equal(["200 Ada Lovelace", "200 ", "404 "], answers);
    }

    [Fact]
    public async Task People_are_paged_both_ways_by_when_they_were_created()
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        // The one created last came first.
        foreach (var i in Enumerable.Range(0, 120).Reverse())
            (await backend.WebhookAsync("signed_up", email: $"person{i}@example.com", at: $"2025-10-{1 + (i / 20):00}T{i % 20:00}:00:00Z")).AssertOk();
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(People);
        Assert.Equal("120 people, sorted by creation time", await viewer.TextAsync("[data-live=count]"));
        Task AssertPageAsync(IEnumerable<int> persons) => Expect(viewer.Page.Locator(".names b")).ToHaveTextAsync([.. persons.Select(i => $"person{i}@example.com")]);
        var down = Enumerable.Range(0, 120).Reverse().ToList();
        await AssertPageAsync(down.Take(50));
        Assert.Equal(0, await viewer.Page.Locator("[rel=prev]").CountAsync());
        await viewer.Page.ClickAsync("[rel=next]");
        await AssertPageAsync(down.Skip(50).Take(50));
        await viewer.Page.ClickAsync("[rel=next]");
        await AssertPageAsync(down.Skip(100));
        Assert.Equal(0, await viewer.Page.Locator("[rel=next]").CountAsync());
        await viewer.Page.ClickAsync("[rel=prev]");
        await AssertPageAsync(down.Skip(50).Take(50));
        await viewer.Page.ClickAsync("[rel=prev]");
        await AssertPageAsync(down.Take(50));
        Assert.Equal(0, await viewer.Page.Locator("[rel=prev]").CountAsync());
        await viewer.Page.ClickAsync("text=Oldest first");
        await AssertPageAsync(Enumerable.Range(0, 50));
        await viewer.Page.ClickAsync("[rel=next]");
        await AssertPageAsync(Enumerable.Range(50, 50));
        Assert.Equal("true", await viewer.Page.GetAttributeAsync(".choice >> text=Oldest first", "aria-current"));
        Assert.Empty(viewer.Complaints);
    }

    [Fact]
    public async Task A_merged_persons_name_stands_beside_its_own_email()
    {
        await using var server = await ServerProcess.StartAsync();
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var ann = (await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync("ann@example.com", "Ann", at: "2025-10-18T10:00:00Z"))["profileId"]!;
        var bob = (await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync("bob@example.com", "Bob", at: "2025-10-18T11:00:00Z"))["profileId"]!;
        (await backend.PostAsync($"/api/profiles/{ann}/merge", $$"""{"profileId":"{{bob}}"}""")).AssertOk();
        await using var viewer = await Viewer.OpenAsync(browser, server);
        await viewer.GoAsync(People);
        Assert.Equal(["Bob"], await viewer.TextsAsync(".names b"));
        Assert.Equal(["bob@example.com, ann@example.com"], await viewer.TextsAsync(".names .quiet"));
        await viewer.GoAsync($"{People}/{ann}");
        Assert.Equal("Bob", await viewer.TextAsync("h1"));
        Assert.Equal("bob@example.com", await viewer.TextAsync(".sub .wrap"));
    }

    private static async Task FillAsync(ServerProcess server, params (string Email, string Name)[] persons)
    {
        foreach (var (email, name) in persons) (await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync(email, name)).AssertOk();
    }
}
