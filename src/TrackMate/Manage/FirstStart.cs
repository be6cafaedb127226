using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using TrackMate.Bind;
using TrackMate.Host;

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
    public static FirstStart Ensure(Registry registry, ServerOptions options) => registry.Alone(() => Make(registry, options));

    private static FirstStart Make(Registry registry, ServerOptions options)
    {
        var company = options.CompanyId is { } companyId
            ? registry.Find(companyId) ?? registry.AddCompany(companyId, companyId)
            : registry.Companies.FirstOrDefault() ?? registry.AddCompany(FirstCompanyId, "Demo");

        string? madeKey = null;
        if (options.ApiKey is { } given)
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
            if (options.AdminPassword is null) madePassword = NewPassword();
            registry.SetPassword(AdminName, HashPassword(options.AdminPassword ?? madePassword!));
        }

        return new(company, madeKey, madePassword);
    }

    public static string NewPassword() => RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20);

    public static string HashPassword(string password) => new PasswordHasher<string>().HashPassword(AdminName, password);
}
