using TrackMate.Show;

namespace TrackMate.Host;

/// <summary><c>/trackmate.js</c>: the browser SDK, built from clients/browser and carried inside the program.</summary>
internal static class BrowserSdk
{
    private static readonly StaticAsset Script = StaticAsset.Read("trackmate.js", "text/javascript; charset=utf-8", Health.Version + "-");

    public static Task Handle(HttpContext http)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return Script.SendAsync(http, "public, max-age=3600");
    }
}
