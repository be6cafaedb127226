using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;

namespace TrackMate.Transfer;

/// <summary><c>GET /api/profiles/{id}/export</c>, for keys with the scope <c>admin</c>: all that is held of a person, as it was sent.</summary>
internal sealed class ExportApi(MessageStore store, Registry registry, TimeProvider time)
{
    public const string ContentType = "application/x-ndjson";

    public static void Map(WebApplication app)
    {
        var api = app.Services.GetRequiredService<ExportApi>();
        app.MapGet("/api/profiles/{id}/export", api.Export).Describe(new("exportProfile", CallGroup.Decide, "Export a person",
            "All that is held of a person, as NDJSON: who they are, each message that concerns them as it was sent, and the acts about them. trackmate import takes it.",
            typeof(string), "\"{\\\"type\\\":\\\"profile\\\",\\\"format\\\":\\\"trackmate-export/1\\\"}\"")
        {
            Parameters = [RouteParameter.Profile],
            ContentType = ContentType,
            Problems = [401, 403, 404, 503],
            Scope = Scopes.Admin,
        });
    }

    public async Task Export(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, registry);
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
