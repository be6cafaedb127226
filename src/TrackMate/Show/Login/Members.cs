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

/// <summary>Who may see the dashboard: a member with the password, and then the cookie that says so until the password changes.</summary>
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

    /// <returns>Whom the password opens the dashboard for; null if it does not.</returns>
    /// <exception cref="RejectionException">More log in at once than can be checked.</exception>
    public async Task<ClaimsPrincipal?> FindAsync(string name, string password, IPAddress? address)
    {
        var member = registry.FindMember(name);
        if (!await checks.IsRightAsync(address, name, member?.PasswordHash, password) || member is null) return null;
        var login = RandomNumberGenerator.GetHexString(32);
        return new(new ClaimsIdentity([new(ClaimTypes.Name, name), new(StampClaim, member.Value.Stamp), new(LoginClaim, login)], CookieAuthenticationDefaults.AuthenticationScheme));
    }

    /// <summary>Ends a login: no copy of its cookie opens anything any more, on any server.</summary>
    public void End(ClaimsPrincipal principal)
    {
        // As long as a cookie may be good; one that is ended is given no new time.
        if (IsCurrent(principal)) registry.EndLogin(principal.FindFirstValue(LoginClaim)!, 2 * LoggedInFor);
    }

    /// <summary>Whether the password that somebody logged in with is still the member's, and they have not logged out.</summary>
    public bool IsCurrent(ClaimsPrincipal? principal)
    {
        if (Matches(principal)) return true;
        if (principal?.FindFirstValue(LoginClaim) is not { } login || registry.IsEnded(login)) return false;
        // Another server may have let them in a moment ago, by what this one has not read yet.
        registry.Refresh();
        return Matches(principal);
    }

    private bool Matches(ClaimsPrincipal? principal) =>
        principal?.Identity?.Name is { } name && registry.FindMember(name) is { } member && principal.FindFirstValue(StampClaim) == member.Stamp
        && principal.FindFirstValue(LoginClaim) is { } login && !registry.IsEnded(login);

    /// <summary>Only addresses within this site are gone back to.</summary>
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

        // A strict cookie stays at home when a link on another site is followed; a page that loads itself again asks from here, with the cookie.
        if (HttpMethods.IsGet(http.Request.Method) && http.Request.Headers["Sec-Fetch-Site"] == "cross-site" && http.Request.Headers["Sec-Fetch-Mode"] == "navigate")
        {
            http.Response.ContentType = "text/html; charset=utf-8";
            return http.Response.WriteAsync("<!doctype html><html lang=en><meta http-equiv=refresh content=0><title>TrackMate</title>", http.RequestAborted);
        }

        http.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }

    /// <summary>Keeps the keys of cookies and forms with the data, so that a restart logs nobody out, nor another server on the same database.</summary>
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

            // Beside the data, for its owner alone. Asked for before the store is opened, so this may make the data folder too.
            var folder = Path.Combine(installation.DataFolder, "keys");
            FolderLock.Make(installation.DataFolder, "keys");
            keys.XmlRepository = new FileSystemXmlRepository(new(folder), logs);
        });
        // It warns that the keys are not encrypted, on each start: what guards the data guards them, the folder's mode or the database's password.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }
}
