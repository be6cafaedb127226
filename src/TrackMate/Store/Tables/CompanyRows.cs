using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>Companies as they stand in the store, with what they have chosen.</summary>
internal static class CompanyRows
{
    public static List<Company> Read(Database database)
    {
        var companies = new List<Company>();
        using var rows = database.Use("SELECT id, company_id, name, secret, settings FROM company ORDER BY id");
        while (rows.Next())
            companies.Add(new(rows.Long(0), rows.Text(1), rows.Text(2), rows.Bytes(3).ToArray(), JsonSerializer.Deserialize<CompanySettings>(rows.Text(4), SettingsJson.Options)!));
        return companies;
    }

    public static string Write(CompanySettings settings) => JsonSerializer.Serialize(settings, SettingsJson.Options);

    /// <exception cref="JsonException">They are none.</exception>
    public static CompanySettings ReadSettings(string json) => JsonSerializer.Deserialize<CompanySettings>(json, SettingsJson.Options) ?? throw new JsonException("Settings are null.");

    /// <summary>Goes up with each change of a company, a key or a member, whichever process made it.</summary>
    public static long Version(Database database)
    {
        using var version = database.Use("SELECT version FROM registry_version");
        version.Next();
        return version.Long(0);
    }
}

/// <summary>How settings are written. By reflection: what is generated at compile time sets what is missing to zero, and what an older version wrote has not every setting.</summary>
internal static class SettingsJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter() },
    };
}
