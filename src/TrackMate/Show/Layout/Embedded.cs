using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace TrackMate.Show;

/// <summary>The dashboard's stylesheet and script, carried inside the program. Their addresses hold a hash of what they are, so browsers keep them for good.</summary>
internal static class Embedded
{
    private sealed record Asset(byte[] Bytes, byte[] Gzipped, string ContentType, string ETag);

    private static readonly Dictionary<string, Asset> Read = new(StringComparer.Ordinal);

    public static readonly string Stylesheet = Add("app.css", "text/css; charset=utf-8");
    public static readonly string Script = Add("dashboard.js", "text/javascript; charset=utf-8");

    private static readonly FrozenDictionary<string, Asset> Served = Read.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Map(WebApplication app) => app.MapGet("/assets/{name}", Handle).ShortCircuit();

    private static async Task Handle(HttpContext http)
    {
        if (!Served.TryGetValue(http.Request.Path, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var headers = http.Response.Headers;
        headers.ETag = asset.ETag;
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.Vary = "Accept-Encoding";
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        if (http.Request.Headers.IfNoneMatch.Contains(asset.ETag))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.ContentType = asset.ContentType;
        var gzip = http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (gzip) headers.ContentEncoding = "gzip";
        var body = gzip ? asset.Gzipped : asset.Bytes;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static string Add(string name, string contentType)
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.SmallestSize)) gzip.Write(bytes);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var address = $"/assets/{Path.GetFileNameWithoutExtension(name)}-{hash}{Path.GetExtension(name)}";
        Read.Add(address, new(bytes, zipped.ToArray(), contentType, $"\"{hash}\""));
        return address;
    }
}
