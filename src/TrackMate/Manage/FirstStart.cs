using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>What a start made that was not there yet. Secrets stand here once, to be printed, and nowhere else.</summary>
/// <param name="ApiKey">Made and not given: null where the key was given or there was one.</param>
/// <param name="AdminPassword">Made and not given: null where the password was given or there was one.</param>
internal sealed record FirstStart(Company Company, string? ApiKey, string? AdminPassword)
{
    public const string AdminName = "admin";

    /// <summary>The company of a first start that is told none; the README, the guides and the samples use it.</summary>
    public const string FirstCompanyId = "TM-DEMO";


    /// <summary>Makes the company, key and admin that the environment names, or <c>TM-DEMO</c> with random secrets where nothing is there at all.</summary>
    /// <remarks>All of it or nothing, so that a key is there only where it was printed; of servers that start at the same moment the second finds it there.</remarks>
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

/// <summary>What the environment says of a first start; null for what it leaves out.</summary>
/// <param name="CompanyId">The company that is made where it is not there.</param>
/// <param name="ApiKey">A key of it with all scopes, of 32 characters or more.</param>
/// <param name="AdminPassword">The password of the login that is made where there is none.</param>
internal sealed record FirstStartSettings(string? CompanyId, string? ApiKey, string? AdminPassword);
