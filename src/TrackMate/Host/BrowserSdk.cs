using TrackMate.Receive;
using TrackMate.Show;

namespace TrackMate.Host;

/// <summary>Serves the browser SDK, which is built from clients/browser and embedded in the program: <c>/trackmate.js</c>, and <c>/trackmate.extra.js</c> with features that few sites need.</summary>
internal static class BrowserSdk
{
    private static readonly StaticAsset Script = Read("trackmate.js");
    private static readonly StaticAsset ExtraScript = Read("trackmate.extra.js");

    /// <summary>Each under its own name, and under a neutral one for a path of the shop's own site.</summary>
    public static void Map(WebApplication app)
    {
        app.MapPublic(HttpMethods.Get, ["/trackmate.js", "/t/script.js"], http => SendAsync(http, Script));
        app.MapPublic(HttpMethods.Get, ["/trackmate.extra.js", "/t/script.extra.js"], http => SendAsync(http, ExtraScript));
    }

    private static StaticAsset Read(string name) => StaticAsset.Read(name, "text/javascript; charset=utf-8", Health.Version + "-");

    private static Task SendAsync(HttpContext http, StaticAsset script)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return script.SendAsync(http, "public, max-age=3600");
    }
}
