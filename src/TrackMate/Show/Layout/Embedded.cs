using System.Collections.Frozen;

namespace TrackMate.Show;

/// <summary>The dashboard's stylesheet and scripts, embedded in the program. Their addresses contain a hash of the content, so browsers may cache them forever.</summary>
internal static class Embedded
{
    private static readonly Dictionary<string, StaticAsset> Read = new(StringComparer.Ordinal);

    private static readonly string StylesheetPath = Add("app.css", "text/css; charset=utf-8");
    private static readonly string ScriptPath = Add("dashboard.js", "text/javascript; charset=utf-8");
    private static readonly string FindScriptPath = Add("find.js", "text/javascript; charset=utf-8");

    private static readonly FrozenDictionary<string, StaticAsset> Served = Read.ToFrozenDictionary(StringComparer.Ordinal);

    public static string Stylesheet => Links.Within(StylesheetPath);

    public static string Script => Links.Within(ScriptPath);

    public static string FindScript => Links.Within(FindScriptPath);

    public static void Map(WebApplication app) => app.MapGet("/assets/{name}", Handle).ShortCircuit();

    private static Task Handle(HttpContext http)
    {
        if (Served.TryGetValue(http.Request.Path, out var asset)) return asset.SendAsync(http, "public, max-age=31536000, immutable");
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static string Add(string name, string contentType)
    {
        var asset = StaticAsset.Read(name, contentType);
        var path = $"/assets/{Path.GetFileNameWithoutExtension(name)}-{asset.Hash}{Path.GetExtension(name)}";
        Read.Add(path, asset);
        return path;
    }
}
