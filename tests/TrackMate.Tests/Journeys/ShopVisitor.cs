using Microsoft.Playwright;

namespace TrackMate.Tests.Journeys;

/// <summary>Somebody at the sample shop's page: clicks what a person clicks, and sees what the console says.</summary>
public sealed class ShopVisitor
{
    private ShopVisitor(IPage page)
    {
        Page = page;
        Complaints = Browser.Complaints.Of(page);
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings of the page's console, and what it threw.</summary>
    public IReadOnlyCollection<string> Complaints { get; }

    public static async Task<ShopVisitor> EnterAsync(IBrowserContext window, Uri shop, string path = "/")
    {
        var visitor = new ShopVisitor(await window.NewPageAsync());
        await visitor.Page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.Reduce }); // Nobody waits for a page to glide.
        await visitor.Page.GotoAsync(new Uri(shop, path).ToString());
        await visitor.IsReadyAsync();
        return visitor;
    }

    /// <summary>The page works and TrackMate's script has taken the snippet's place.</summary>
    public Task IsReadyAsync() => Page.WaitForFunctionAsync("() => 'ready' in document.documentElement.dataset && TrackMate.version");

    public async Task AddHeadphonesAsync()
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Look at them" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Add to cart" }).ClickAsync();
    }

    public async Task RegisterAsync(string name, string email)
    {
        await Page.Locator("header").GetByRole(AriaRole.Link, new() { Name = "Cart" }).ClickAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "Create an account to go on" }).ClickAsync();
        var form = Page.Locator("#register");
        await form.GetByLabel("Name").FillAsync(name);
        await form.GetByLabel("E-mail").FillAsync(email);
        await form.GetByLabel("Password").FillAsync("correct horse");
        await form.GetByRole(AriaRole.Button).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Go to checkout" }).WaitForAsync();
    }

    /// <returns>The order's id.</returns>
    public async Task<string> PayAsync()
    {
        await Page.GetByRole(AriaRole.Button, new() { Name = "Go to checkout" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Pay $79.99" }).ClickAsync();
        await Assertions.Expect(Page.Locator("#order-id")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^ch_"));
        return await Page.Locator("#order-id").InnerTextAsync();
    }

    public Task ConfirmationArrivesAsync() => Page.Locator("[data-stage=confirmed].done").WaitForAsync();

    public async Task SignOutAsync()
    {
        if (await Page.GetByRole(AriaRole.Button, new() { Name = "Close" }).IsVisibleAsync()) await Page.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).WaitForAsync();
        await IsReadyAsync();
    }

    public Task<string> SessionIdAsync() => Page.EvaluateAsync<string>("TrackMate.getSessionId()");
}
