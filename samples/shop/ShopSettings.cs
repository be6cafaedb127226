namespace Shop;

/// <summary>What the environment says.</summary>
/// <param name="TrackMateUrl"><c>TRACKMATE_URL</c>: where browsers and this back end reach TrackMate.</param>
/// <param name="Company"><c>TRACKMATE_COMPANY</c>: whose events these are. Public: it is in the page.</param>
/// <param name="ApiKey"><c>TRACKMATE_API_KEY</c>: proves that this back end speaks for the company. Secret: it never goes to a browser.</param>
/// <param name="Urls"><c>SHOP_URLS</c>: where the shop listens.</param>
internal sealed record ShopSettings(Uri TrackMateUrl, string Company, string ApiKey, string Urls)
{
    /// <exception cref="InvalidOperationException">A setting is missing or cannot be what it is.</exception>
    public static ShopSettings FromEnvironment()
    {
        static string? Get(string name) => Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

        if (!Uri.TryCreate(Get("TRACKMATE_URL") ?? "http://127.0.0.1:5080", UriKind.Absolute, out var trackMateUrl) || trackMateUrl.Scheme is not ("http" or "https"))
            throw new InvalidOperationException("TRACKMATE_URL is not an address such as http://127.0.0.1:5080.");
        return new(
            trackMateUrl,
            Get("TRACKMATE_COMPANY") ?? "TM-DEMO",
            Get("TRACKMATE_API_KEY") ?? throw new InvalidOperationException("Set TRACKMATE_API_KEY to the API key that TrackMate printed at its first start."),
            Get("SHOP_URLS") ?? "http://127.0.0.1:5090");
    }
}
