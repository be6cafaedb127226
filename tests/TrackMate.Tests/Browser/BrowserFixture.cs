using Microsoft.Playwright;

namespace TrackMate.Tests.Browser;

/// <summary>One real Chromium for the tests of a collection; each test opens a window of its own in it.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>For what Playwright would wait for without end, should the browser answer no more.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Debian's package <c>chromium-headless-shell</c>.</summary>
    private const string Shell = "/usr/bin/chromium-headless-shell";

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Where the system's Chromium is, if it can be without its windows, which take more processor time than its pages do; CHROMIUM names another one.</summary>
    public static string Program => Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } given ? given : File.Exists(Shell) ? Shell : "/usr/bin/chromium";

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

/// <summary>Classes of this collection share a browser and run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<BrowserFixture>
{
    public const string Name = "Browser";
}

/// <summary>A second browser beside it: tests that look at pages are a third of a run, and in one browser they would end last.</summary>
[CollectionDefinition(Name)]
public sealed class SecondBrowserCollection : ICollectionFixture<BrowserFixture>
{
    public const string Name = "Second browser";
}
