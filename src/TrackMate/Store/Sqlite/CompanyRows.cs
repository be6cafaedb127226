using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Companies as they stand in the store, with what they have chosen.</summary>
internal static class CompanyRows
{
    public static List<Company> Read(Database database)
    {
        var companies = new List<Company>();
        using var rows = database.Use("SELECT id, company_id, name, secret, settings FROM company ORDER BY id");
        while (rows.Next())
            companies.Add(new(rows.Long(0), rows.Text(1), rows.Text(2), rows.Bytes(3).ToArray(), JsonSerializer.Deserialize(rows.Text(4), SettingsJson.Default.CompanySettings)!));
        return companies;
    }

    public static string Write(CompanySettings settings) => JsonSerializer.Serialize(settings, SettingsJson.Default.CompanySettings);

    /// <exception cref="JsonException">They are none.</exception>
    public static CompanySettings ReadSettings(string json) => JsonSerializer.Deserialize(json, SettingsJson.Default.CompanySettings) ?? throw new JsonException("Settings are null.");

    /// <summary>Goes up with each change of a company, a key or a member, whichever process made it.</summary>
    public static long Version(Database database)
    {
        using var version = database.Use("SELECT version FROM registry_version");
        version.Next();
        return version.Long(0);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CompanySettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
