using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>A company with all its settings, as <c>company show --json</c> writes it for scripts.</summary>
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
    int NewSessionsPerDay,
    long? EventsPerDay,
    bool SuppressErased)
{
    public static CompanyDocument Of(Company company)
    {
        var settings = company.Settings;
        return new(
            company.CompanyId, company.Name, settings.AllowedOrigins, settings.PaymentTypes, settings.RefundTypes, settings.Currency,
            settings.UserRegistered, settings.ServerSessionGapMinutes, settings.Placeholders, settings.MaxEmailsPerPerson, settings.NewSessionsPerDay, settings.EventsPerDay, settings.SuppressErased);
    }
}

/// <summary>A key as <c>key list --json</c> writes it: never the key itself.</summary>
internal sealed record KeyDocument(long Number, string Key, string Name, IReadOnlyList<string> Scopes, string CreatedAt, string? RevokedAt)
{
    public static KeyDocument Of(ApiKey key) =>
        new(key.Number, key.Shown, key.Name, ApiKey.Write(key.Scopes).Split(' '), Time(key.CreatedAt), key.RevokedAt is { } at ? Time(at) : null);

    private static string Time(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-ddTHH:mm:ssZ");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CompanyDocument))]
[JsonSerializable(typeof(IReadOnlyList<CompanyDocument>))]
[JsonSerializable(typeof(IReadOnlyList<KeyDocument>))]
internal sealed partial class ManageJson : JsonSerializerContext
{
    /// <summary>Read by scripts and people, never pasted into HTML.</summary>
    public static readonly ManageJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
