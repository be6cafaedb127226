using System.Text.Json.Serialization;

namespace TrackMate.Bind;

/// <summary>What a company has chosen. Settings are inputs of the view (B9): changing one changes what is shown, never what is stored.</summary>
public sealed record CompanySettings
{
    /// <summary>Origins whose pages may send to the public calls, such as <c>https://shop.com</c>; none listed means any.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Event types of servers that pay (Totals of a profile).</summary>
    public IReadOnlyList<string> PaymentTypes { get; init; } = ["payment_processed", "Order Completed"];

    /// <summary>Event types of servers that give money back.</summary>
    public IReadOnlyList<string> RefundTypes { get; init; } = ["payment_refunded", "refund_processed", "Order Refunded"];

    /// <summary>ISO 4217 code of money that names no currency.</summary>
    public string Currency { get; init; } = "USD";

    /// <summary>Whether a person's first browser identify shows as <c>user_registered</c> (B3).</summary>
    public bool UserRegistered { get; init; } = true;

    /// <summary>Server events of a person this many minutes apart, or more, are two server sessions (B7).</summary>
    public int ServerSessionGapMinutes { get; init; } = 30;

    /// <summary>Most e-mails that webhooks can join into one person (B13); an explicit merge knows no limit.</summary>
    public int MaxEmailsPerPerson { get; init; } = 10;

    /// <summary>How far what only browsers claim may join identifiers (B13).</summary>
    public ClaimedJoins ClaimedJoins { get; init; }

    /// <summary>No choice of companies; tests have it smaller, to meet it.</summary>
    [JsonIgnore]
    public JoinLimits JoinLimits { get; init; } = new();

    /// <summary>Sessions that may begin to claim one identifier in a UTC day, as browsers say it: the first so many are believed (B13).</summary>
    public int NewSessionsPerDay { get; init; } = 10_000;

    /// <summary>On a person whom verified messages know, a browser's event that is older when it comes, by so many days, is kept and does not count; none means no bound.</summary>
    public int? MaxBrowserEventAgeDays { get; init; }

    /// <summary>On such a person so many events of a browser's session count on a UTC day, the earliest; none means no bound.</summary>
    public int? MaxSessionEventsPerDay { get; init; }

    /// <summary>Identifiers that mean nobody, besides those of B11.</summary>
    public IReadOnlyList<string> Placeholders { get; init; } = [];

    /// <summary>Messages that browsers may send in one UTC day before 429; none means no limit. Anybody can use it up, so it is never that of API keys.</summary>
    public long? BrowserEventsPerDay { get; init; }

    /// <summary>Events that API keys may send in one UTC day before 429; none means no limit.</summary>
    public long? KeyEventsPerDay { get; init; }

    /// <summary>Both at once: the one limit of both together that settings of before there were two are read with.</summary>
    public long? EventsPerDay
    {
        init => (BrowserEventsPerDay, KeyEventsPerDay) = (value, value);
    }

    /// <summary>Whether whoever is erased stays away: a keyed hash is kept, and messages that name them are not.</summary>
    public bool SuppressErased { get; init; }

    /// <summary>What becomes of a browser's identify without a valid token (B15).</summary>
    public TokenMode TokenMode { get; init; }

    /// <summary>What tokens are signed with; null before the first key.</summary>
    public TokenAlgorithm? TokenAlgorithm { get; init; }

    /// <summary>Refused events, and warnings, that are kept of each side: of browsers, and of API keys. The newest stay.</summary>
    public int RejectedKept { get; init; } = 10_000;

    /// <summary>Days that they are kept at most.</summary>
    public int RejectedDays { get; init; } = 30;

    /// <summary>What is derived for a change that is not in force yet; null where everything chosen is in force.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NextSettings? Next { get; init; }

    /// <summary>No choice: which of its two ledgers a company's payments are read from, 0 or 1. The other one is written while a change of what pays is derived.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Ledger { get; init; }

    /// <summary>As they will be once <see cref="Next"/> is in force.</summary>
    public CompanySettings Wanted() => Next is { } next
        ? this with { ServerSessionGapMinutes = next.ServerSessionGapMinutes, PaymentTypes = next.PaymentTypes, RefundTypes = next.RefundTypes, Currency = next.Currency, Ledger = next.HasLedgerOf(this) ? Ledger : 1 - Ledger, Next = null }
        : this;

    public long ServerSessionGapMilliseconds => ServerSessionGapMinutes * 60_000L;

    /// <summary>The gap that runs of server events are stored by: never longer than the one in force, so that a reader can join what belongs together.</summary>
    public long StoredGapMilliseconds => Math.Min(ServerSessionGapMinutes, Next?.ServerSessionGapMinutes ?? ServerSessionGapMinutes) * 60_000L;
}

/// <summary>Settings that rows rest on which are derived before they are in force.</summary>
public sealed record NextSettings(int ServerSessionGapMinutes, IReadOnlyList<string> PaymentTypes, IReadOnlyList<string> RefundTypes, string Currency)
{
    public static NextSettings Of(CompanySettings settings) => new(settings.ServerSessionGapMinutes, settings.PaymentTypes, settings.RefundTypes, settings.Currency);

    public bool HasLedgerOf(CompanySettings settings) =>
        PaymentTypes.SequenceEqual(settings.PaymentTypes) && RefundTypes.SequenceEqual(settings.RefundTypes) && Currency == settings.Currency;
}
