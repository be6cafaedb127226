using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>A company with all its settings, as <c>company show --json</c> prints it.</summary>
internal sealed record CompanyDocument(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string Name,
    IReadOnlyList<string> AllowedOrigins,
    IReadOnlyList<string> PaymentTypes,
    IReadOnlyList<string> RefundTypes,
    string Currency,
    bool UserRegistered,
    int SessionGapMinutes,
    IReadOnlyList<string> Placeholders,
    int MaxEmailsPerPerson,
    string ClaimedJoins,
    int NewSessionsPerDay,
    int? MaxBrowserEventAgeDays,
    int? MaxSessionEventsPerDay,
    long? BrowserEventsPerDay,
    long? KeyEventsPerDay,
    string Tokens,
    string? TokenAlgorithm,
    int RejectedKept,
    int RejectedDays,
    bool SuppressErased)
{
    public static CompanyDocument Of(Company company)
    {
        var settings = company.Settings;
        return new(
            company.CompanyId, company.Name, settings.AllowedOrigins, settings.PaymentTypes, settings.RefundTypes, settings.Currency,
            settings.UserRegistered, settings.ServerSessionGapMinutes, settings.Placeholders, settings.MaxEmailsPerPerson, settings.ClaimedJoins.ToString().ToLowerInvariant(), settings.NewSessionsPerDay, settings.MaxBrowserEventAgeDays, settings.MaxSessionEventsPerDay, settings.BrowserEventsPerDay, settings.KeyEventsPerDay,
            settings.TokenMode.ToString().ToLowerInvariant(), settings.TokenAlgorithm?.ToString(),
            settings.RejectedKept, settings.RejectedDays, settings.SuppressErased);
    }
}

/// <summary>A key as <c>key list --json</c> prints it, without the key itself.</summary>
internal sealed record KeyDocument(long Number, string Key, string Name, IReadOnlyList<string> Scopes, string CreatedAt, string? RevokedAt)
{
    public static KeyDocument Of(ApiKey key) =>
        new(key.Number, key.Shown, key.Name, ApiKey.Write(key.Scopes).Split(' '), Time(key.CreatedAt), key.RevokedAt is { } at ? Time(at) : null);

    public static string Time(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-ddTHH:mm:ssZ");
}

/// <summary>A token key as <c>token-key list --json</c> prints it, without the key itself.</summary>
/// <param name="State"><c>in force</c>, <c>revoked</c>, or <c>unreadable</c> if the data folder no longer has the key that its secret was encrypted with.</param>
internal sealed record TokenKeyDocument(string Kid, string Algorithm, string State, string CreatedAt, string? RevokedAt)
{
    public static TokenKeyDocument Of(TokenKey key) => new(
        key.Kid, key.Algorithm.ToString(), key.RevokedAt is not null ? "revoked" : key.Key is null ? "unreadable" : "in force",
        KeyDocument.Time(key.CreatedAt), key.RevokedAt is { } at ? KeyDocument.Time(at) : null);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CompanyDocument))]
[JsonSerializable(typeof(IReadOnlyList<CompanyDocument>))]
[JsonSerializable(typeof(IReadOnlyList<KeyDocument>))]
[JsonSerializable(typeof(IReadOnlyList<TokenKeyDocument>))]
internal sealed partial class ManageJson : JsonSerializerContext
{
    /// <summary>For scripts and people. The output must not be inserted into HTML.</summary>
    public static readonly ManageJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
