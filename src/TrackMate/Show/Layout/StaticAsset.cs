using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace TrackMate.Show;

/// <summary>
/// An embedded file, compressed once with each coding. The request's headers decide which one is sent, and whether the browser has it already (RFC 9110, 12.5.3 and
/// 13.1.2).
/// </summary>
internal sealed class StaticAsset
{
    private readonly string contentType;
    private readonly Encoded plain;

    /// <summary>The smallest first.</summary>
    private readonly Encoded[] compressed;

    private sealed record Encoded(string Coding, byte[] Bytes, EntityTagHeaderValue ETag);

    private StaticAsset(byte[] bytes, string contentType, string tag)
    {
        this.contentType = contentType;
        // A strong tag identifies exact bytes, so each coding has its own.
        plain = new("identity", bytes, new($"\"{tag}\""));
        compressed =
        [
            new("br", Compress(bytes, to => new BrotliStream(to, CompressionLevel.SmallestSize)), new($"\"{tag}-br\"")),
            new("gzip", Compress(bytes, to => new GZipStream(to, CompressionLevel.SmallestSize)), new($"\"{tag}-gzip\"")),
        ];
    }

    /// <summary>A hash of the file, which identifies its version.</summary>
    public string Hash => HashOf(plain.Bytes);

    /// <param name="name">The name of the resource.</param>
    /// <param name="version">A prefix of the hash in the tag.</param>
    public static StaticAsset Read(string name, string contentType, string version = "")
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return new(bytes, contentType, version + HashOf(bytes));
    }

    public async Task SendAsync(HttpContext http, string cacheControl)
    {
        var request = http.Request.GetTypedHeaders();
        var chosen = Choose(request.AcceptEncoding);
        var headers = http.Response.Headers;
        headers.ETag = chosen.ETag.ToString();
        headers.CacheControl = cacheControl;
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.XContentTypeOptions = "nosniff";
        // A cache may send the tag of another coding of the same file, which is equally valid.
        if (request.IfNoneMatch.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || compressed.Append(plain).Any(each => each.ETag.Compare(tag, useStrongComparison: false))))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.ContentType = contentType;
        if (chosen != plain) headers.ContentEncoding = chosen.Coding;
        http.Response.ContentLength = chosen.Bytes.Length;
        await http.Response.Body.WriteAsync(chosen.Bytes, http.RequestAborted);
    }

    /// <summary>The coding that the browser prefers, and the smallest of equal ones. If none is acceptable the plain file is sent, since a missing script would be worse.</summary>
    private Encoded Choose(IList<StringWithQualityHeaderValue> accepted)
    {
        double? Named(string coding) => accepted.FirstOrDefault(value => value.Value.Equals(coding, StringComparison.OrdinalIgnoreCase)) is { } value ? value.Quality ?? 1 : null;
        var others = Named("*");
        double Quality(Encoded encoded) => Named(encoded.Coding) ?? others ?? 0;

        var best = compressed.MaxBy(Quality)!;
        var asIs = Named(plain.Coding);
        if (Quality(best) > 0) return Quality(best) >= (asIs ?? 0) ? best : plain;
        // Only "identity" is excluded, and every browser supports gzip.
        return asIs is 0 && others is null && Named("gzip") is null ? compressed[^1] : plain;
    }

    private static byte[] Compress(byte[] bytes, Func<Stream, Stream> encoder)
    {
        using var compressed = new MemoryStream();
        using (var encoding = encoder(compressed)) encoding.Write(bytes);
        return compressed.ToArray();
    }

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
}
