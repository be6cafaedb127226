using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace TrackMate.Host;

/// <summary><c>/trackmate.js</c>: the browser SDK, built from clients/browser and carried inside the program.</summary>
internal static class BrowserSdk
{
    private static readonly byte[] Script = Read();
    private static readonly byte[] Gzipped = Gzip(Script);
    private static readonly string ETag = $"\"{Health.Version}-{Convert.ToHexStringLower(SHA256.HashData(Script))[..16]}\"";

    public static async Task Handle(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ETag = ETag;
        headers.CacheControl = "public, max-age=3600";
        headers.AccessControlAllowOrigin = "*";
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.Vary = "Accept-Encoding";
        if (http.Request.Headers.IfNoneMatch.Contains(ETag))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.ContentType = "text/javascript; charset=utf-8";
        var gzip = http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (gzip) headers.ContentEncoding = "gzip";
        var body = gzip ? Gzipped : Script;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static byte[] Read()
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("trackmate.js")!;
        var script = new byte[resource.Length];
        resource.ReadExactly(script);
        return script;
    }

    private static byte[] Gzip(byte[] script)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.SmallestSize)) gzip.Write(script);
        return zipped.ToArray();
    }
}
