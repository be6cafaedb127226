using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Receive;
using TrackMate.Store;
using TrackMate.Store.Write;

namespace TrackMate.Show;

/// <summary>Where the forms of acts are sent. What was done is told by the page that follows, out of the audit log.</summary>
internal static class ActForms
{
    private const long MaxFormBytes = 64 * 1024;

    public static void Map(WebApplication app)
    {
        object[] guards = [Page.Marker, new RequestSizeLimitAttribute(MaxFormBytes), new RequireAntiforgeryTokenAttribute()];
        app.MapPost("/c/{companyId}/act/do", Do).RequireAuthorization().WithMetadata(guards);
        app.MapPost("/c/{companyId}/act/undo", Undo).RequireAuthorization().WithMetadata(guards);
        // Who had to log in first comes back to the form's address without the form.
        foreach (var address in new[] { "/c/{companyId}/act/do", "/c/{companyId}/act/undo" })
            app.MapGet(address, (string companyId) => Results.Redirect(Links.People(companyId))).RequireAuthorization().WithMetadata(Page.Marker);
    }

    private static Task Do(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, store, time, (company, form) => AskedAct.Read(name => form[name]).Prepare(company, Clock.Of(http, time)));

    /// <summary>Undoes a line of the audit log at once; where the line was itself an undoing, does it again.</summary>
    private static Task Undo(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, store, time, (company, form) =>
        {
            using var snapshot = store.Read(company);
            var line = long.TryParse(form["line"], CultureInfo.InvariantCulture, out var number) ? Audit.Find(snapshot.Database, company, number) : null;
            if (line is null || ActIdOf(line) is not { } actId) throw new Refused(Reason.NotFound, "The audit log has no act of this number that could be undone.");
            return IsUndoing(line.Action) ? (acts, by) => acts.DoAgain(company, actId, by) : (acts, by) => acts.TakeBack(company, actId, by);
        });

    /// <summary>The act that a line of the audit log is about; null where it is about none.</summary>
    public static string? ActIdOf(AuditLine line) => JsonElement.Parse(line.Detail) is { ValueKind: JsonValueKind.Object } detail && detail.TryGetProperty("id", out var id) ? id.GetString() : null;

    public static bool IsUndoing(string action) => action is "lift" or "unmerge" or "rebind" or "unisolate" or "unfreeze";

    private static async Task ActAsync(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time, Func<Company, IFormCollection, Func<ActWriter, ActBy, ActAnswer>> prepare)
    {
        // The middleware only notes what it found; whoever reads no form has to look.
        if (http.Features.Get<IAntiforgeryValidationFeature>() is not { IsValid: true })
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var company = registry.Find(companyId) ?? throw new Refused(Reason.NotFound, "There is no company of this id here.");
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var act = prepare(company, form);
        var by = new ActBy(http.User.Identity!.Name!, time.GetUtcNow().ToUnixTimeMilliseconds(), DryRun: false);
        var answer = await store.ActAsync(company, acts => act(acts, by));
        if (answer.Outcome is not { } outcome) throw Acts.RefusedBy(answer.Refusal!.Value, "claim, session or profile");
        var back = form["back"].ToString();
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = Links.WithNotice(Members.ReturnTo(back.Length > 0 ? back : Links.People(companyId)), outcome.Line ?? 0);
    }
}
