using Microsoft.Playwright;

namespace TrackMate.Tests.Browser;

/// <summary>One real Chromium for all tests that look at pages; each test opens a window of its own in it.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>For what Playwright would wait for without end, should the browser answer no more.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Where the system's Chromium is; CHROMIUM names another one.</summary>
    public static string Program => Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } given ? given : "/usr/bin/chromium";

    public IBrowser Chromium => browser ?? throw new InvalidOperationException("The browser is not started.");

    /// <summary>A window without cookies or storage, as of a person who comes for the first time.</summary>
    public async Task<IBrowserContext> NewWindowAsync(int width = 1360, int height = 1010, ColorScheme scheme = ColorScheme.Light, bool javaScript = true, string? userAgent = null) =>
        await Chromium.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            JavaScriptEnabled = javaScript,
            TimezoneId = "UTC",
            Locale = "en-GB",
            UserAgent = userAgent,
        }).WaitAsync(Limit);

    public async ValueTask InitializeAsync()
    {
        // For what never comes; a slow machine is no failure.
        Assertions.SetDefaultExpectTimeout(20_000);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}

/// <summary>Classes of this collection share the browser and run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<BrowserFixture>
{
    public const string Name = "Browser";
}
