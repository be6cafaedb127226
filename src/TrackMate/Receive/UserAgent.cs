using System.Collections.Concurrent;
using TrackMate.Bind;

namespace TrackMate.Receive;

/// <summary>Browser, system and device class out of a User-Agent header: all of it that is ever kept (B16).</summary>
internal static class UserAgent
{
    /// <summary>Headers remembered; a crowd has few, and one who invents them only empties the memory.</summary>
    private const int Remembered = 4096;

    /// <summary>Browsers' headers are shorter; longer ones are read each time, so that they cannot fill the memory.</summary>
    private const int MaxRemembered = 512;

    private static readonly ConcurrentDictionary<string, Agent> Known = new(StringComparer.Ordinal);

    /// <returns>Null for a missing header: a missing one is no bot, and nothing is known.</returns>
    public static Agent? Parse(string? header)
    {
        if (string.IsNullOrWhiteSpace(header)) return null;
        if (header.Length > MaxRemembered) return Read(header);
        if (Known.TryGetValue(header, out var agent)) return agent;
        if (Known.Count >= Remembered) Known.Clear();
        return Known[header] = Read(header);
    }

    private static Agent Read(string header) => new(BrowserOf(header), SystemOf(header), DeviceOf(header), Bots.IsBot(header));

    // Nearly every browser also calls itself Safari, and many Chrome: the more particular name comes first.
    private static string BrowserOf(string header) => header switch
    {
        _ when Has(header, "Edg") => "Edge",
        _ when Has(header, "OPR/") || Has(header, "Opera") => "Opera",
        _ when Has(header, "SamsungBrowser") => "Samsung Internet",
        _ when Has(header, "Vivaldi") => "Vivaldi",
        _ when Has(header, "YaBrowser") => "Yandex",
        _ when Has(header, "Firefox/") || Has(header, "FxiOS") => "Firefox",
        _ when Has(header, "Chrome/") || Has(header, "CriOS") || Has(header, "Chromium") => "Chrome",
        _ when Has(header, "Safari/") && Has(header, "Version/") => "Safari",
        _ => "Other",
    };

    private static string SystemOf(string header) => header switch
    {
        _ when Has(header, "iPhone") || Has(header, "iPad") || Has(header, "iPod") => "iOS",
        _ when Has(header, "Android") => "Android",
        _ when Has(header, "Windows") => "Windows",
        _ when Has(header, "CrOS") => "ChromeOS",
        _ when Has(header, "Mac OS X") || Has(header, "Macintosh") => "macOS",
        _ when Has(header, "Linux") || Has(header, "X11") => "Linux",
        _ => "Other",
    };

    private static string DeviceOf(string header) => header switch
    {
        _ when Has(header, "iPad") || Has(header, "Tablet") || (Has(header, "Android") && !Has(header, "Mobile")) => "tablet",
        _ when Has(header, "Mobi") || Has(header, "iPhone") => "phone",
        _ when Has(header, "TV") => "tv",
        _ => "desktop",
    };

    private static bool Has(string header, string word) => header.Contains(word, StringComparison.Ordinal);
}
