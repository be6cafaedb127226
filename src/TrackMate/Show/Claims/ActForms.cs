using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Acts;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Receives the forms of acts. The page that follows reports the result from the audit log.</summary>
internal static class ActForms
{
    private const long MaxFormBytes = 64 * 1024;

    public static void Map(WebApplication app)
    {
        object[] guards = [Page.Marker, new RequestSizeLimitAttribute(MaxFormBytes), new RequireAntiforgeryTokenAttribute()];
        app.MapPost("/c/{companyId}/act/do", Do).RequireAuthorization().WithMetadata(guards);
        app.MapPost("/c/{companyId}/act/undo", Undo).RequireAuthorization().WithMetadata(guards);
        app.MapPost("/c/{companyId}/act/undo-claims", UndoClaims).RequireAuthorization().WithMetadata(guards);
        app.MapPost("/c/{companyId}/act/accept-suggestions", AcceptAll).RequireAuthorization().WithMetadata(guards);
        // A visitor who had to log in first returns to the form's address without the form.
        foreach (var address in new[] { "/c/{companyId}/act/do", "/c/{companyId}/act/undo", "/c/{companyId}/act/undo-claims", "/c/{companyId}/act/accept-suggestions" })
            app.MapGet(address, (string companyId) => Results.Redirect(Links.People(companyId))).RequireAuthorization().WithMetadata(Page.Marker);
    }

    private static Task Do(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, time, async (company, form, by) =>
        {
            var act = AskedAct.Read(name => form[name]).Prepare(Clock.Of(http, time));
            return LineOf(await store.ActAsync(company, (acts, current) => act(acts, current, by)));
        });

    /// <summary>Undoes all matching claims of browsers.</summary>
    private static Task UndoClaims(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, time, async (company, form, by) =>
        {
            string Field(string name) => form[name].ToString();
            var filter = AskedClaims.Read(Field("sessions"), Field("identifier"), Field("from"), Field("to"), company, Clock.Of(http, time));
            return (await new ClaimUndo(store).UndoAsync(company, filter, by) ?? throw AskedClaims.TooMany()).Line;
        });

    /// <summary>Merges all pairs that browsers' claims suggest.</summary>
    private static Task AcceptAll(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, time, (company, _, by) => AcceptSuggestions.AllAsync(store, company, by), Links.Audit(companyId));

    /// <summary>Undoes the act in a line of the audit log; if the line itself records an undoing, repeats the act.</summary>
    private static Task Undo(HttpContext http, string companyId, Registry registry, MessageStore store, TimeProvider time) =>
        ActAsync(http, companyId, registry, time, async (company, form, by) =>
        {
            var number = long.TryParse(form["line"], CultureInfo.InvariantCulture, out var given) ? given : 0;
            var line = store.Read(database => Audit.Find(database, company, number), company);
            if (line is null || ActIdOf(line) is not { } actId) throw new RejectionException(Reason.NotFound, "The audit log has no act of this number that could be undone.");
            if (ClaimSet.IsId(actId))
                return ((IsUndoing(line.Action) ? await new ClaimUndo(store).AgainAsync(company, actId, by) : await new ClaimUndo(store).RestoreAsync(company, actId, by)) ?? throw Acts.RefusedBy(ActRefusal.NotFound, "act")).Line;
            return LineOf(await store.ActAsync(company, (acts, current) => IsUndoing(line.Action) ? acts.DoAgain(current, actId, by) : acts.TakeBack(current, actId, by)));
        });

    private static long? LineOf(ActAnswer answer) => (answer.Outcome ?? throw Acts.RefusedBy(answer.AttributedRejection!.Value, "claim, session or profile")).Line;

    /// <summary>The act that a line of the audit log is about; null if there is none.</summary>
    public static string? ActIdOf(AuditLine line) => JsonElement.Parse(line.Detail) is { ValueKind: JsonValueKind.Object } detail && detail.TryGetProperty("id", out var id) ? id.GetString() : null;

    public static bool IsUndoing(string action) => action is "lift" or "restore_claims" or "unmerge" or "rebind" or "unisolate" or "unfreeze";

    /// <param name="afterwards">The page that follows if the form names none.</param>
    /// <param name="act">Acts, and returns the number of the line of the audit log; null if nothing changed.</param>
    private static async Task ActAsync(HttpContext http, string companyId, Registry registry, TimeProvider time, Func<Company, IFormCollection, ActBy, Task<long?>> act, string? afterwards = null)
    {
        // The middleware only records the result of its check, and reading a form enforces it. This code reads the form later, so it checks the result itself.
        if (http.Features.Get<IAntiforgeryValidationFeature>() is not { IsValid: true })
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var company = registry.Find(companyId) ?? throw new RejectionException(Reason.NotFound, "No company has this id.");
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        AddressText.Check(form);
        var line = await act(company, form, new(http.User.Identity!.Name!, time.GetUtcNow().ToUnixTimeMilliseconds(), DryRun: false));
        var back = form["back"].ToString();
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = Links.WithNotice(Members.ReturnTo(back.Length > 0 ? back : afterwards ?? Links.People(companyId)), line ?? 0);
    }
}
