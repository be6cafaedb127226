using System.Text.RegularExpressions;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>A person before the dashboard in a real browser. What the browser complains of is kept: a page that breaks its own policy or throws fails the test.</summary>
public sealed class Viewer : IAsyncDisposable
{
    private readonly IBrowserContext window;
    private readonly Uri address;
    private readonly List<string> complaints = [];

    private Viewer(IBrowserContext window, IPage page, Uri address)
    {
        this.window = window;
        this.address = address;
        Page = page;
        page.Console += (_, message) =>
        {
            // An answer that is an error is told to the console too; the tests look at answers themselves.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) complaints.Add(message.Text);
        };
        page.PageError += (_, error) => complaints.Add(error);
        page.Dialog += async (_, dialog) =>
        {
            complaints.Add("A dialog opened: " + dialog.Message);
            await dialog.DismissAsync();
        };
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Complaints => complaints;

    public static async Task<Viewer> OpenAsync(BrowserFixture browser, ServerProcess server, int width = 1360, ColorScheme scheme = ColorScheme.Light, bool javaScript = true)
    {
        var window = await browser.NewWindowAsync(width, scheme: scheme, javaScript: javaScript);
        window.SetDefaultTimeout(20_000);
        return new(window, await window.NewPageAsync().WaitAsync(BrowserFixture.Limit), server.Address);
    }

    /// <summary>Goes to a page, by way of the login where it asks for one.</summary>
    public async Task<IResponse> GoAsync(string path)
    {
        var answer = (await Page.GotoAsync(new Uri(address, path).ToString()))!;
        if (!new Uri(Page.Url).AbsolutePath.Equals("/login", StringComparison.Ordinal)) return answer;
        await LogInAsync();
        return await Page.GotoAsync(new Uri(address, path).ToString()) ?? answer;
    }

    public async Task LogInAsync(string password = ServerProcess.AdminPassword, string name = "admin")
    {
        await Page.FillAsync("#name", name);
        await Page.FillAsync("#password", password);
        await Page.ClickAsync("button[type=submit]");
    }

    public Task<string> TextAsync(string selector) => Page.InnerTextAsync(selector);

    /// <summary>The visible text of each that matches, its white space as single spaces.</summary>
    public async Task<IReadOnlyList<string>> TextsAsync(string selector) =>
        [.. (await Page.Locator(selector).AllInnerTextsAsync().WaitAsync(BrowserFixture.Limit)).Select(text => Regex.Replace(text, @"\s+", " ").Trim())];

    public async Task<bool> ScrollsSidewaysAsync() => await Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth").WaitAsync(BrowserFixture.Limit);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await window.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            // Chromium does not always close a window on a busy machine; it goes with the browser.
        }
    }
}
