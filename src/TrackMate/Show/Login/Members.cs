using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Show;

/// <summary>Decides who may see the dashboard: a member with the password, and then the cookie, until the password changes.</summary>
internal sealed class Members(Registry registry, PasswordChecks checks)
{
    private const string StampClaim = "stamp";
    private const string LoginClaim = "login";
    private static readonly TimeSpan LoggedInFor = TimeSpan.FromDays(7);

    public static void Add(WebApplicationBuilder builder, Installation installation)
    {
        builder.Services.AddSingleton<Members>();
        builder.Services.AddSingleton<Lockout>();
        builder.Services.AddSingleton<PasswordChecks>();
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie =>
        {
            cookie.Cookie.Name = "trackmate";
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.ExpireTimeSpan = LoggedInFor;
            cookie.SlidingExpiration = true;
            cookie.LoginPath = "/login";
            cookie.ReturnUrlParameter = "returnUrl";
            cookie.Events.OnValidatePrincipal = context =>
            {
                if (!context.HttpContext.RequestServices.GetRequiredService<Members>().IsCurrent(context.Principal)) context.RejectPrincipal();
                return Task.CompletedTask;
            };
            cookie.Events.OnRedirectToLogin = Challenge;
        });
        builder.Services.AddAntiforgery(forms =>
        {
            forms.Cookie.Name = "trackmate-forms";
            forms.Cookie.HttpOnly = true;
            forms.Cookie.SameSite = SameSiteMode.Strict;
            forms.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        KeepKeys(builder, installation);
    }

    /// <returns>The member whose password it is; null if it is wrong.</returns>
    /// <exception cref="RejectionException">More logins arrive at once than can be checked.</exception>
    public async Task<ClaimsPrincipal?> FindAsync(string name, string password, IPAddress? address)
    {
        var member = registry.FindMember(name);
        if (!await checks.IsRightAsync(address, name, member?.PasswordHash, password) || member is null) return null;
        var login = RandomNumberGenerator.GetHexString(32);
        return new(new ClaimsIdentity([new(ClaimTypes.Name, name), new(StampClaim, member.Value.Stamp), new(LoginClaim, login)], CookieAuthenticationDefaults.AuthenticationScheme));
    }

    /// <summary>Ends a login on every server. Copies of its cookie are invalid from now on.</summary>
    public void End(ClaimsPrincipal principal)
    {
        // Remembered as long as the cookie could be valid. An ended login is never renewed.
        if (IsCurrent(principal)) registry.EndLogin(principal.FindFirstValue(LoginClaim)!, 2 * LoggedInFor);
    }

    /// <summary>Whether the password of the login is still the member's, and the login was not ended.</summary>
    public bool IsCurrent(ClaimsPrincipal? principal)
    {
        if (Matches(principal)) return true;
        if (principal?.FindFirstValue(LoginClaim) is not { } login || registry.IsEnded(login)) return false;
        // Another server may have created the login a moment ago, with data that this server has not read yet.
        registry.Refresh();
        return Matches(principal);
    }

    private bool Matches(ClaimsPrincipal? principal) =>
        principal?.Identity?.Name is { } name && registry.FindMember(name) is { } member && principal.FindFirstValue(StampClaim) == member.Stamp
        && principal.FindFirstValue(LoginClaim) is { } login && !registry.IsEnded(login);

    /// <summary>The address to return to after the login. Only addresses within this site are allowed.</summary>
    public static string ReturnTo(string? address) =>
        address?.StartsWith(Links.Home, StringComparison.Ordinal) is true && !address.StartsWith("//", StringComparison.Ordinal) && !address.StartsWith("/\\", StringComparison.Ordinal) && !address.Any(char.IsControl)
            ? address
            : Links.Home;

    private static Task Challenge(RedirectContext<CookieAuthenticationOptions> context)
    {
        var http = context.HttpContext;
        if (http.Request.Headers.XRequestedWith == "XMLHttpRequest" || http.GetEndpoint()?.Metadata.GetMetadata<Page>() is null)
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        // A strict cookie is not sent when a user follows a link from another site. This page reloads itself, and that request comes from this site, with the cookie.
        if (HttpMethods.IsGet(http.Request.Method) && http.Request.Headers["Sec-Fetch-Site"] == "cross-site" && http.Request.Headers["Sec-Fetch-Mode"] == "navigate")
        {
            http.Response.ContentType = "text/html; charset=utf-8";
            return http.Response.WriteAsync("<!doctype html><html lang=en><meta http-equiv=refresh content=0><title>TrackMate</title>", http.RequestAborted);
        }

        http.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }

    /// <summary>Stores the keys of cookies and forms with the data, so that neither a restart nor another server on the same database ends any login.</summary>
    private static void KeepKeys(WebApplicationBuilder builder, Installation installation)
    {
        builder.Services.AddDataProtection(protection => protection.ApplicationDiscriminator = "trackmate");
        builder.Services.AddOptions<KeyManagementOptions>().Configure<ILoggerFactory>((keys, logs) =>
        {
            if (installation.Engine.IsShared)
            {
                keys.XmlRepository = new ProtectionKeys(installation.Engine);
                return;
            }

            // In the data folder, readable for its owner only. This runs before the store is opened, so it may have to create the data folder.
            var folder = Path.Combine(installation.DataFolder, "keys");
            FolderLock.Make(installation.DataFolder, "keys");
            keys.XmlRepository = new FileSystemXmlRepository(new(folder), logs);
        });
        // Data protection warns at each start that the keys are not encrypted. They are protected as the data is: by the folder's mode or the database's password.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }
}
