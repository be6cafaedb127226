using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Mvc;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>The dashboard: pages drawn on the server, one stylesheet, one script that only adds to them.</summary>
internal static class Dashboard
{
    /// <summary>Forms here are small; nobody who is not logged in makes us read more.</summary>
    public const long MaxFormBytes = 64 * 1024;

    /// <summary>A batch that is kept whole, indented and escaped as forms are; only for those who are logged in.</summary>
    private const long MaxMendedBytes = 2 * 1024 * 1024;

    public static void Add(WebApplicationBuilder builder, Installation installation)
    {
        builder.Services.AddRazorComponents();
        Members.Add(builder, installation);
        builder.Services.AddSingleton<LiveFeed>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LiveFeed>());
        // It logs each form that was open too long as an error, with a stack; the page says it to the one who can mend it.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);
    }

    /// <summary>The steps that stand between routing and the pages.</summary>
    public static void Use(WebApplication app)
    {
        var rateLimit = app.Services.GetRequiredService<RateLimit>();
        app.Use(next => http => PageAnswers.Middleware(http, next));
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(next => http => FormBodies.Middleware(http, next, rateLimit));
        app.UseAntiforgery();
    }

    public static void Map(WebApplication app)
    {
        Embedded.Map(app);
        app.MapRazorComponents<App>().RequireAuthorization().WithMetadata(Page.Marker)
            .Add(page => page.Metadata.Add(new RequestSizeLimitAttribute(page.Metadata.OfType<ComponentTypeMetadata>().Any(component => component.Type == typeof(RejectedPage)) ? MaxMendedBytes : MaxFormBytes)));
        app.MapGet("/", Home).RequireAuthorization().WithMetadata(Page.Marker);
        app.MapPost("/logout", LogOut).WithMetadata(Page.Marker, new RequestSizeLimitAttribute(MaxFormBytes), new RequireAntiforgeryTokenAttribute());
        ActForms.Map(app);
        app.MapGet("/c/{companyId}/live/events", LiveStream.Handle).RequireAuthorization();
        app.MapGet("/c/{companyId}/people/suggestions", Suggestions.Handle).RequireAuthorization();
    }

    /// <summary>The first company's people, or how to get some.</summary>
    private static IResult Home(Registry registry, MessageStore store)
    {
        var company = registry.Companies.First();
        using var snapshot = store.Read(company);
        return Results.Redirect(new ArrivalReader(snapshot.Database).First(company).Any ? Links.People(company.CompanyId) : Links.GetStarted(company.CompanyId));
    }

    private static async Task LogOut(HttpContext http)
    {
        // The middleware only notes what it found; whoever reads no form has to look.
        if (http.Features.Get<IAntiforgeryValidationFeature>() is not { IsValid: true })
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        // A copy of the cookie, wherever it was taken, is worth nothing afterwards.
        http.RequestServices.GetRequiredService<Members>().End(http.User);
        await http.SignOutAsync();
        http.Response.Redirect(Links.Login);
    }
}
