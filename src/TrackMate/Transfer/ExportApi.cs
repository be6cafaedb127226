using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;

namespace TrackMate.Transfer;

/// <summary><c>GET /api/profiles/{id}/export</c>, for keys with the scope <c>admin</c>: all that is held of a person, as it was sent.</summary>
internal sealed class ExportApi(MessageStore store, Registry registry, TimeProvider time)
{
    public const string ContentType = "application/x-ndjson";

    public async Task Export(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, registry, Scopes.Admin);
        var id = Queries.ProfileOf(http);
        using var held = new HeldMemory(http, Transfer.Export.HeldBytes);
        var export = new Export(company, time.GetUtcNow().ToUnixTimeMilliseconds(), store);
        var found = await export.WriteAsync(id, profile =>
        {
            http.Response.ContentType = ContentType;
            http.Response.Headers.ContentDisposition = $"attachment; filename=\"{profile}.ndjson\"";
            http.Response.Headers.CacheControl = "no-store";
            return http.Response.Body;
        }, http.RequestAborted);
        if (!found) throw Queries.NoProfile();
    }
}
