using System.Globalization;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>The arguments of <c>company set</c> as they were typed. Null and empty values leave a setting unchanged.</summary>
internal sealed record CompanyChange
{
    private const int MaxNameLength = 200;
    private const int MaxTypeLength = 200;
    private const int MinutesOfDay = 1440;
    private const int MinRejectedKept = 100;
    private const int MaxRejectedKept = 1_000_000;
    private const int MaxRejectedDays = 3650;
    private const int MaxAgeDays = 3650;
    private const int MaxSessionEventsOfDay = 1_000_000;

    public string? Name { get; init; }

    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Whether to allow all origins again.</summary>
    public bool NoOrigins { get; init; }

    public IReadOnlyList<string> PaymentTypes { get; init; } = [];

    public IReadOnlyList<string> RefundTypes { get; init; } = [];

    public string? Currency { get; init; }

    public string? UserRegistered { get; init; }

    public string? SessionGap { get; init; }

    public IReadOnlyList<string> Placeholders { get; init; } = [];

    public bool NoPlaceholders { get; init; }

    public string? MaxEmails { get; init; }

    public string? ClaimedJoins { get; init; }

    public string? MaxNewSessions { get; init; }

    public string? MaxEventAge { get; init; }

    public string? MaxSessionEvents { get; init; }

    /// <summary>Sets both quotas, of browsers and of API keys.</summary>
    public string? Quota { get; init; }

    public string? BrowserQuota { get; init; }

    public string? KeyQuota { get; init; }

    public string? SuppressErased { get; init; }

    public string? Tokens { get; init; }

    public string? RejectedKept { get; init; }

    public string? RejectedDays { get; init; }

    /// <returns>The company's name and settings after the change.</returns>
    /// <exception cref="InvalidSettingException">A value is invalid, or there is nothing to change.</exception>
    public (string Name, CompanySettings Settings) ApplyTo(Company company)
    {
        var old = company.Settings;
        if (NoOrigins && Origins.Count > 0) throw new InvalidSettingException("--no-origins", "it removes all origins, so it cannot be combined with --origin");
        if (NoPlaceholders && Placeholders.Count > 0) throw new InvalidSettingException("--no-placeholders", "it removes all placeholders, so it cannot be combined with --placeholder");
        if (this == new CompanyChange() { Origins = Origins, PaymentTypes = PaymentTypes, RefundTypes = RefundTypes, Placeholders = Placeholders }
            && Origins.Count + PaymentTypes.Count + RefundTypes.Count + Placeholders.Count == 0)
            throw new InvalidSettingException("company set", "nothing to change was given; see its settings with: trackmate company set --help");

        var settings = old with
        {
            AllowedOrigins = NoOrigins ? [] : Changed(old.AllowedOrigins, Origins, OriginOf),
            PaymentTypes = Changed(old.PaymentTypes, PaymentTypes, type => TypeOf("--payment-type", type)),
            RefundTypes = Changed(old.RefundTypes, RefundTypes, type => TypeOf("--refund-type", type)),
            Currency = Currency is null ? old.Currency : CurrencyOf(Currency),
            UserRegistered = UserRegistered is null ? old.UserRegistered : SwitchOf("--user-registered", UserRegistered),
            ServerSessionGapMinutes = SessionGap is null ? old.ServerSessionGapMinutes : GapOf(SessionGap),
            MaxEmailsPerPerson = MaxEmails is null ? old.MaxEmailsPerPerson : MaxEmailsOf(MaxEmails),
            ClaimedJoins = ClaimedJoins is null ? old.ClaimedJoins : ClaimedJoinsOf(ClaimedJoins),
            NewSessionsPerDay = MaxNewSessions is null ? old.NewSessionsPerDay : MaxNewSessionsOf(MaxNewSessions),
            MaxBrowserEventAgeDays = MaxEventAge is null ? old.MaxBrowserEventAgeDays : NumberOrNone("--max-event-age", MaxEventAge, "days", MaxAgeDays),
            MaxSessionEventsPerDay = MaxSessionEvents is null ? old.MaxSessionEventsPerDay : NumberOrNone("--max-session-events", MaxSessionEvents, "events a day", MaxSessionEventsOfDay),
            Placeholders = NoPlaceholders ? [] : Changed(old.Placeholders, Placeholders, PlaceholderOf),
            BrowserEventsPerDay = (BrowserQuota ?? Quota) is { } browsers ? QuotaOf(BrowserQuota is null ? "--quota" : "--browser-quota", browsers) : old.BrowserEventsPerDay,
            KeyEventsPerDay = (KeyQuota ?? Quota) is { } keys ? QuotaOf(KeyQuota is null ? "--quota" : "--key-quota", keys) : old.KeyEventsPerDay,
            SuppressErased = SuppressErased is null ? old.SuppressErased : SwitchOf("--suppress-erased", SuppressErased),
            TokenMode = Tokens is null ? old.TokenMode : TokenModeOf(Tokens),
            RejectedKept = RejectedKept is null ? old.RejectedKept : NumberOf("--rejected-kept", RejectedKept, "events", MinRejectedKept, MaxRejectedKept),
            RejectedDays = RejectedDays is null ? old.RejectedDays : NumberOf("--rejected-days", RejectedDays, "days", 1, MaxRejectedDays),
        };
        if (settings.PaymentTypes.Intersect(settings.RefundTypes, StringComparer.Ordinal).FirstOrDefault() is { } both)
            throw new InvalidSettingException("--payment-type", $"'{both}' cannot pay and refund at once");
        return (Name is null ? company.Name : NameOf(Name), settings);
    }

    /// <exception cref="InvalidSettingException">The name is blank or too long.</exception>
    public static string NameOf(string name) =>
        name.Trim() is { Length: >= 1 and <= MaxNameLength } trimmed
            ? trimmed
            : throw new InvalidSettingException("--name", $"it is 1 to {MaxNameLength} characters");

    private static IReadOnlyList<string> Changed(IReadOnlyList<string> old, IReadOnlyList<string> given, Func<string, string> check) =>
        given.Count == 0 ? old : [.. given.Select(check).Distinct(StringComparer.Ordinal)];

    private static string OriginOf(string text) =>
        AllowedOrigin.Normalize(text)
            ?? throw new InvalidSettingException("--origin", $"'{text}' is not an origin such as https://shop.com: scheme and host, a port if it has one, and nothing after it. https://*.shop.com is every subdomain, capacitor:// every host of an app's scheme, null what files send");

    private static string TypeOf(string option, string text) =>
        text.Length is >= 1 and <= MaxTypeLength && !text.Any(char.IsControl) && !string.IsNullOrWhiteSpace(text)
            ? text
            : throw new InvalidSettingException(option, $"an event type is 1 to {MaxTypeLength} printable characters");

    private static string CurrencyOf(string text) =>
        text.ToUpperInvariant() is var code && Money.IsCurrency(code)
            ? code
            : throw new InvalidSettingException("--currency", $"'{text}' is not a currency's three letters, such as USD (ISO 4217)");

    private static bool SwitchOf(string option, string text) => text.ToLowerInvariant() switch
    {
        "on" => true,
        "off" => false,
        _ => throw new InvalidSettingException(option, $"'{text}' is neither on nor off"),
    };

    private static TokenMode TokenModeOf(string text) => text.ToLowerInvariant() switch
    {
        "off" => TokenMode.Off,
        "observe" => TokenMode.Observe,
        "enforce" => TokenMode.Enforce,
        _ => throw new InvalidSettingException("--tokens", $"'{text}' is neither off nor observe nor enforce"),
    };

    private static ClaimedJoins ClaimedJoinsOf(string text) => text.ToLowerInvariant() switch
    {
        "all" => Bind.ClaimedJoins.All,
        "new" => Bind.ClaimedJoins.New,
        "none" => Bind.ClaimedJoins.None,
        _ => throw new InvalidSettingException("--claimed-joins", $"'{text}' is neither all nor new nor none"),
    };

    private static int GapOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) && minutes is >= 1 and <= MinutesOfDay
            ? minutes
            : throw new InvalidSettingException("--session-gap", $"'{text}' is not a number of minutes from 1 to {MinutesOfDay}");

    private static int MaxEmailsOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var emails) && emails is >= 1 and <= 1000
            ? emails
            : throw new InvalidSettingException("--max-emails", $"'{text}' is not a number of e-mails from 1 to 1000");

    private static int MaxNewSessionsOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sessions) && sessions is >= 1 and <= 1_000_000_000
            ? sessions
            : throw new InvalidSettingException("--max-new-sessions", $"'{text}' is not a number of sessions a day from 1 to 1000000000");

    private static int NumberOf(string option, string text, string what, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new InvalidSettingException(option, $"'{text}' is not a number of {what} from {least} to {most}");

    private static int? NumberOrNone(string option, string text, string what, int most) =>
        text.Equals("none", StringComparison.OrdinalIgnoreCase) ? null : NumberOf(option, text, what, 1, most);

    private static string PlaceholderOf(string text) =>
        text.Trim() is { Length: >= 1 and <= MaxTypeLength } trimmed
            ? trimmed
            : throw new InvalidSettingException("--placeholder", $"it is 1 to {MaxTypeLength} characters; blank ones count as not given anyway");

    private static long? QuotaOf(string option, string text)
    {
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var events) && events is >= 1 and <= 1_000_000_000_000
            ? events
            : throw new InvalidSettingException(option, $"'{text}' is neither a number of events a day from 1 on nor none");
    }
}
