using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>What a first start has created. Secrets are in this record once, to be printed, and nowhere else.</summary>
/// <param name="ApiKey">The generated key; null if a key was supplied or existed.</param>
/// <param name="AdminPassword">The generated password; null if a password was supplied or existed.</param>
internal sealed record FirstStart(Company Company, string? ApiKey, string? AdminPassword)
{
    public const string AdminName = "admin";

    /// <summary>The company that a first start creates if no name is given. The README, the guides and the samples use it.</summary>
    public const string FirstCompanyId = "TM-DEMO";

    /// <summary>Creates the company, key and login that the environment names, or <c>TM-DEMO</c> with random secrets if nothing exists.</summary>
    /// <remarks>It creates all or nothing, so a generated key exists only if it was printed. If two servers start at the same moment, the second one finds what the first one created.</remarks>
    public static FirstStart Ensure(Registry registry, FirstStartSettings settings) => registry.Alone(() => Make(registry, settings));

    private static FirstStart Make(Registry registry, FirstStartSettings settings)
    {
        var company = settings.CompanyId is { } companyId
            ? registry.Find(companyId) ?? registry.AddCompany(companyId, companyId)
            : registry.Companies.FirstOrDefault() ?? registry.AddCompany(FirstCompanyId, "Demo");

        string? madeKey = null;
        if (settings.ApiKey is { } given)
        {
            if (registry.IsRevoked(given)) throw new InvalidSettingException("TRACKMATE_API_KEY", "it has been revoked; set another key, or none");
            if (registry.FindKey(given) is not { } known) registry.AddKey(company, "from TRACKMATE_API_KEY", Scopes.All, given);
            else if (known.Company.Number != company.Number)
                throw new InvalidSettingException("TRACKMATE_API_KEY", $"it is a key of {known.Company.CompanyId}, not of {company.CompanyId}");
        }
        else if (registry.KeysOf(company).Count == 0)
        {
            madeKey = registry.AddKey(company, "first key", Scopes.All);
        }

        string? madePassword = null;
        if (registry.FindMember(AdminName) is null)
        {
            if (settings.AdminPassword is null) madePassword = NewPassword();
            registry.SetPassword(AdminName, HashPassword(settings.AdminPassword ?? madePassword!));
        }

        return new(company, madeKey, madePassword);
    }

    public static string NewPassword() => RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20);

    public static string HashPassword(string password) => new PasswordHasher<string>().HashPassword(AdminName, password);
}

/// <summary>The settings of a first start from the environment; null for those that are not set.</summary>
/// <param name="CompanyId">The company to create if it does not exist.</param>
/// <param name="ApiKey">A key of the company with all scopes, of 32 characters or more.</param>
/// <param name="AdminPassword">The password of the login to create if there is none.</param>
internal sealed record FirstStartSettings(string? CompanyId, string? ApiKey, string? AdminPassword);
