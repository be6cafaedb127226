using TrackMate.Show;

namespace TrackMate.Host;

/// <summary>Serves the browser SDK, which is built from clients/browser and embedded in the program: <c>/trackmate.js</c>, and <c>/trackmate.extra.js</c> with features that few sites need.</summary>
internal static class BrowserSdk
{
    private static readonly StaticAsset Script = Read("trackmate.js");
    private static readonly StaticAsset ExtraScript = Read("trackmate.extra.js");

    public static Task Handle(HttpContext http) => SendAsync(http, Script);

    public static Task HandleExtra(HttpContext http) => SendAsync(http, ExtraScript);

    private static StaticAsset Read(string name) => StaticAsset.Read(name, "text/javascript; charset=utf-8", Health.Version + "-");

    private static Task SendAsync(HttpContext http, StaticAsset script)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return script.SendAsync(http, "public, max-age=3600");
    }
}
