using System.Globalization;
using System.Net;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Sql.Postgres;

namespace TrackMate.Host;

/// <summary>The settings from the environment, validated before anything starts.</summary>
/// <param name="Installation"><c>TRACKMATE_DATA</c>: the folder of the embedded store; <c>TRACKMATE_DATABASE</c>: a PostgreSQL database instead.</param>
/// <param name="Urls"><c>TRACKMATE_URLS</c>: the addresses to listen on, separated by semicolons.</param>
/// <param name="CompanyId"><c>TRACKMATE_COMPANY</c>: created at the start if it does not exist.</param>
/// <param name="ApiKey"><c>TRACKMATE_API_KEY</c>: created at the start with all scopes if it does not exist; 32 characters or more.</param>
/// <param name="AdminPassword"><c>TRACKMATE_ADMIN_PASSWORD</c>: the password of the login <c>admin</c>, which is created at the start if it does not exist; 12 characters or more.</param>
/// <param name="RequestsPerSecond"><c>TRACKMATE_RATE_LIMIT</c>: requests per second that one address may send to the public calls; null for <c>off</c>.</param>
/// <param name="DiskReserve"><c>TRACKMATE_DISK_RESERVE</c>: with less free space on the data folder's disk, browsers get 503.</param>
/// <param name="PairsPerAddress"><c>TRACKMATE_PAIRS_PER_ADDRESS</c>: different pairs of e-mail and externalId that browsers of one address may claim per hour; null for <c>off</c>.</param>
/// <param name="PairsPerSession"><c>TRACKMATE_PAIRS_PER_SESSION</c>: the same for one session.</param>
/// <param name="PublicUrl"><c>TRACKMATE_PUBLIC_URL</c>: the address for browsers, without a slash at the end; null if pages and the first start should derive it.</param>
/// <param name="Edge"><c>TRACKMATE_MAX_CONNECTIONS</c>, <c>TRACKMATE_MAX_CONNECTIONS_PER_ADDRESS</c>, <c>TRACKMATE_BODY_MEMORY</c>, <c>TRACKMATE_BODY_MEMORY_PER_ADDRESS</c> (MiB), <c>TRACKMATE_BODY_SECONDS</c>: limits of connections.</param>
/// <param name="TrustedProxies"><c>TRACKMATE_TRUSTED_PROXIES</c>: addresses or networks whose X-Forwarded-For, -Proto and -Prefix are trusted.</param>
/// <param name="PathBase"><c>TRACKMATE_PATH_BASE</c>: the path under which a proxy serves the server, such as <c>/trackmate</c>; empty for none.</param>
internal sealed record ServerOptions(
    Installation Installation,
    string Urls,
    string? CompanyId,
    string? ApiKey,
    string? AdminPassword,
    int? RequestsPerSecond,
    DiskReserve DiskReserve,
    int? PairsPerAddress,
    int? PairsPerSession,
    string? PublicUrl,
    EdgeLimits Edge,
    IReadOnlyList<IPNetwork> TrustedProxies,
    string PathBase)
{
    private const int DefaultRequestsPerSecond = 100;
    private const int DefaultPairsPerAddress = 1000;
    private const int DefaultPairsPerSession = 20;
    public const int MinPasswordLength = 12;

    /// <exception cref="InvalidSettingException">A setting has an invalid value.</exception>
    public static ServerOptions FromEnvironment(Func<string, string?> variable)
    {
        string? Get(string name) => Given(variable, name);

        var rate = RateOf(Get("TRACKMATE_RATE_LIMIT"));
        return new(
            InstallationFrom(variable),
            UrlsFrom(variable),
            Get("TRACKMATE_COMPANY") is { } company ? CompanyIdOf(company) : null,
            AtLeast("TRACKMATE_API_KEY", Get("TRACKMATE_API_KEY"), Manage.ApiKey.MinLength),
            AtLeast("TRACKMATE_ADMIN_PASSWORD", Get("TRACKMATE_ADMIN_PASSWORD"), MinPasswordLength),
            rate,
            ReserveOf(Get("TRACKMATE_DISK_RESERVE")),
            // An operator who turns off the limit per address, as for a load test, turns off this limit per address too.
            PairsOf("TRACKMATE_PAIRS_PER_ADDRESS", Get("TRACKMATE_PAIRS_PER_ADDRESS"), rate is null ? null : DefaultPairsPerAddress),
            PairsOf("TRACKMATE_PAIRS_PER_SESSION", Get("TRACKMATE_PAIRS_PER_SESSION"), DefaultPairsPerSession),
            PublicUrlOf(Get("TRACKMATE_PUBLIC_URL")),
            EdgeOf(Get, isLimited: rate is not null),
            ProxiesOf(Get("TRACKMATE_TRUSTED_PROXIES")),
            PathBaseOf(Get("TRACKMATE_PATH_BASE")));
    }

    /// <exception cref="InvalidSettingException">The database's connection string is invalid.</exception>
    public static Installation InstallationFrom(Func<string, string?> variable)
    {
        var dataFolder = DataFolderFrom(variable);
        if (Given(variable, "TRACKMATE_DATABASE") is not { } database) return Installation.In(dataFolder);
        try
        {
            return new(PostgresEngine.Of(database), dataFolder);
        }
        catch (FormatException e)
        {
            throw new InvalidSettingException("TRACKMATE_DATABASE", e.Message);
        }
    }

    /// <summary>The folder of this machine's own files, as a full path.</summary>
    public static string DataFolderFrom(Func<string, string?> variable) => Path.GetFullPath(Given(variable, "TRACKMATE_DATA") ?? "./data");

    /// <exception cref="InvalidSettingException">One of the addresses is invalid.</exception>
    public static string UrlsFrom(Func<string, string?> variable) => UrlsOf(Given(variable, "TRACKMATE_URLS") ?? "http://127.0.0.1:5080");

    public static string? Given(Func<string, string?> variable, string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    /// <exception cref="InvalidSettingException">The id is not 1 to 64 letters, digits, dashes or underscores.</exception>
    public static string CompanyIdOf(string text) =>
        text.Length is >= 1 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? text
            : throw new InvalidSettingException("company_id", "it is 1 to 64 letters, digits, dashes or underscores, such as TM-SHOP99");

    private static string UrlsOf(string urls)
    {
        var given = urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (given.Length == 0) throw new InvalidSettingException("TRACKMATE_URLS", $"'{urls}' holds no address to listen on; {ExampleUrl}");
        foreach (var url in given)
        {
            if (WrongIn(url) is { } wrong) throw new InvalidSettingException("TRACKMATE_URLS", $"'{url}' {wrong}");
        }

        return string.Join(';', given);
    }

    /// <summary>The fault of an address to listen on, as the end of a sentence; null if Kestrel accepts it.</summary>
    private static string? WrongIn(string url)
    {
        if (!url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !url.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) return $"does not begin with http:// or https://; {ExampleUrl}";
        if (url.Contains(',', StringComparison.Ordinal)) return "has a comma; separate several addresses with semicolons";
        if (url.Any(char.IsWhiteSpace)) return "has a blank in it; separate several addresses with semicolons";
        if (url.StartsWith("http://unix:", StringComparison.OrdinalIgnoreCase)) return null;
        // "*" and "+" mean all addresses. They are no valid hosts of a URI.
        var address = url.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Host.Length == 0) return $"is no address with a port from 1 to 65535; {ExampleUrl}";
        if (uri.UserInfo.Length > 0) return $"has a user name; {ExampleUrl}";
        if (uri.AbsolutePath != "/" || uri.Query.Length > 0 || uri.Fragment.Length > 0 || address.IndexOfAny(['?', '#']) >= 0) return "has a path; give only the host and the port";
        return null;
    }

    private const string ExampleUrl = "write it as http://127.0.0.1:5080";

    private static DiskReserve ReserveOf(string? text) => text is null
        ? DiskReserve.Default
        : DiskReserve.Parse(text) ?? throw new InvalidSettingException("TRACKMATE_DISK_RESERVE", $"'{text}' is not a share of the disk such as 5%, a size such as 2GiB, nor off");

    private static string? AtLeast(string name, string? value, int length) =>
        value is null || value.Length >= length ? value : throw new InvalidSettingException(name, $"it has {value.Length} characters and needs {length} or more");

    private static int? RateOf(string? text)
    {
        if (text is null) return DefaultRequestsPerSecond;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rate) && rate is >= 1 and <= 1_000_000
            ? rate
            : throw new InvalidSettingException("TRACKMATE_RATE_LIMIT", $"'{text}' is not a number of requests a second from 1 to 1000000, nor off");
    }

    private static int? PairsOf(string name, string? text, int? otherwise)
    {
        if (text is null) return otherwise;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pairs) && pairs is >= 1 and <= 1_000_000
            ? pairs
            : throw new InvalidSettingException(name, $"'{text}' is not a number of pairs an hour from 1 to 1000000, nor off");
    }

    private static string PathBaseOf(string? text)
    {
        var path = text?.TrimEnd('/') ?? "";
        return path.Length == 0 || Show.PathBases.IsPathBase(path)
            ? path
            : throw new InvalidSettingException("TRACKMATE_PATH_BASE", $"'{text}' is not a path such as /trackmate");
    }

    private static string? PublicUrlOf(string? text)
    {
        if (text is null) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length + url.Fragment.Length + url.UserInfo.Length == 0
            ? url.GetLeftPart(UriPartial.Path).TrimEnd('/')
            : throw new InvalidSettingException("TRACKMATE_PUBLIC_URL", $"'{text}' is not an address such as https://trackmate.shop.com");
    }

    private static EdgeLimits EdgeOf(Func<string, string?> get, bool isLimited)
    {
        int Number(string name, int least, int most, int otherwise) => get(name) is not { } text ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
            : throw new InvalidSettingException(name, $"'{text}' is not a whole number from {least} to {most}");

        var otherwise = EdgeLimits.Default;
        var connections = Number("TRACKMATE_MAX_CONNECTIONS", 10, 1_000_000, otherwise.Connections);
        var ofAddress = Number("TRACKMATE_MAX_CONNECTIONS_PER_ADDRESS", 1, 1_000_000, otherwise.ConnectionsPerAddress!.Value);
        var memory = Number("TRACKMATE_BODY_MEMORY", 8, 65_536, (int)(otherwise.HeldBytes >> 20));
        var memoryOfAddress = Number("TRACKMATE_BODY_MEMORY_PER_ADDRESS", 2, 65_536, (int)(otherwise.HeldBytesPerAddress!.Value >> 20));
        var seconds = Number("TRACKMATE_BODY_SECONDS", 1, 3600, (int)otherwise.BodyTime.TotalSeconds);
        return new(connections, isLimited ? ofAddress : null, (long)memory << 20, isLimited ? (long)memoryOfAddress << 20 : null, TimeSpan.FromSeconds(seconds));
    }

    private static List<IPNetwork> ProxiesOf(string? text)
    {
        var networks = new List<IPNetwork>();
        foreach (var part in (text ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPAddress.TryParse(part, out var address)) networks.Add(new(address, address.AddressFamily is System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128));
            else if (IPNetwork.TryParse(part, out var network)) networks.Add(network);
            else throw new InvalidSettingException("TRACKMATE_TRUSTED_PROXIES", $"'{part}' is neither an address nor a network such as 10.0.0.0/8");
        }

        return networks;
    }
}
