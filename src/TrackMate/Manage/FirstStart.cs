using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using TrackMate.Bind;
using TrackMate.Host;
using TrackMate.Store;

namespace TrackMate.Manage;

/// <summary>What a start made that was not there yet. Secrets stand here once, to be printed, and nowhere else.</summary>
/// <param name="ApiKey">Made and not given: null where the key was given or there was one.</param>
/// <param name="AdminPassword">Made and not given: null where the password was given or there was one.</param>
internal sealed record FirstStart(Company Company, string? ApiKey, string? AdminPassword)
{
    public const string AdminName = "admin";
    private const string DemoCompanyId = "TM-DEMO";

    /// <summary>Makes the company, key and admin that the environment names, or those of a demo where nothing is there at all.</summary>
    public static FirstStart Ensure(Registry registry, ServerOptions options)
    {
        var engine = options.Installation.Engine;
        if (!engine.IsShared) return Make(registry, options);

        // Servers that start at the same moment on one database make what is missing one after the other: the second finds it there.
        using var alone = engine.Open();
        alone.BeginWrite([(Engine.NoCompany, Hold.Rewrite)]);
        // A transaction begins, and waits for its lock, with the first that is asked in it.
        using (var version = alone.Use("SELECT version FROM registry_version")) version.Next();
        registry.Refresh();
        var first = Make(registry, options);
        alone.Rollback();
        return first;
    }

    private static FirstStart Make(Registry registry, ServerOptions options)
    {
        var company = options.CompanyId is { } companyId
            ? registry.Find(companyId) ?? registry.AddCompany(companyId, companyId)
            : registry.Companies.FirstOrDefault() ?? registry.AddCompany(DemoCompanyId, "Demo");

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
