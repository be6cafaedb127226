using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Receive;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary><c>GET /api/profiles/{id}/export</c>, for keys with the scope <c>admin</c>: all that is held of a person, as it was sent.</summary>
internal sealed class ExportApi(MessageStore store, Registry registry, TimeProvider time)
{
    public const string ContentType = "application/x-ndjson";

    public async Task Export(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, registry, Scopes.Admin);
        if (!ProfileId.TryParse((string?)http.Request.RouteValues["id"], out var id)) throw NotFound();
        using var held = new HeldMemory(http, Show.Export.HeldBytes);
        var export = new Export(company, time.GetUtcNow().ToUnixTimeMilliseconds(), store);
        var found = await export.WriteAsync(id, profile =>
        {
            http.Response.ContentType = ContentType;
            http.Response.Headers.ContentDisposition = $"attachment; filename=\"{profile}.ndjson\"";
            http.Response.Headers.CacheControl = "no-store";
            return http.Response.Body;
        }, http.RequestAborted);
        if (!found) throw NotFound();
    }

    private static Refused NotFound() => new(Reason.NotFound, "The company has no profile with this id.");
}
