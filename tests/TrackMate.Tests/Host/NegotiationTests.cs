using System.IO.Compression;
using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>What is sent again and how it is encoded, as RFC 9110 has it: the script, the dashboard's files, pages and what is read.</summary>
public sealed class NegotiationTests(RunningServer running) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("gzip", "gzip")]
    [InlineData("GZIP", "gzip")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("br;q=0.5, gzip", "gzip")]
    [InlineData("br;q=1.0, gzip;q=0.8, *;q=0.1", "br")]
    [InlineData("gzip;q=0", null)]
    [InlineData("gzip;q=0.0", null)]
    [InlineData("gzip;q=0.000", null)]
    [InlineData("gzip; q=0", null)]
    [InlineData("gzip;q=0, br;q=0", null)]
    [InlineData("gzip;q=0, br", "br")]
    [InlineData("br;q=0, *", "gzip")]
    [InlineData("*", "br")]
    [InlineData("*;q=0", null)]
    [InlineData("*;q=0, gzip", "gzip")]
    [InlineData("identity", null)]
    [InlineData("identity, gzip;q=0.5", null)]
    [InlineData("identity;q=0.5, gzip", "gzip")]
    [InlineData("identity;q=0", "gzip")]
    [InlineData("identity;q=0, gzip;q=0", null)]
    [InlineData("deflate", null)]
    [InlineData("zstd", null)]
    [InlineData("notgzip", null)]
    [InlineData("x-gzip-like", null)]
    [InlineData("gzip;q=nonsense", null)]
    [InlineData(",,,", null)]
    public async Task The_script_is_encoded_as_the_browser_likes_it(string? accepted, string? coding)
    {
        foreach (var path in new[] { "/trackmate.js", "/t/script.js", "/trackmate.extra.js", "/t/script.extra.js", await AssetAsync() })
        {
            var plain = await running.Http.GetByteArrayAsync(path);
            using var answer = await GetAsync(path, ("Accept-Encoding", accepted));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(coding ?? "", string.Join(", ", answer.Content.Headers.ContentEncoding));
            Assert.Contains("Accept-Encoding", answer.Headers.Vary);
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            Assert.Equal(answer.Content.Headers.ContentLength, bytes.Length);
            Assert.Equal(plain, Decoded(bytes, coding));
        }
    }

    [Theory]
    [InlineData("{0}", true)]
    [InlineData("W/{0}", true)]
    [InlineData("\"other\", {0}", true)]
    [InlineData("\"other\",W/{0} , \"third\"", true)]
    [InlineData("*", true)]
    [InlineData("\"other\"", false)]
    [InlineData("W/\"other\"", false)]
    [InlineData("", false)]
    [InlineData("nonsense", false)]
    [InlineData("w/{0}x", false)]
    public async Task What_the_browser_has_is_not_sent_again(string given, bool has)
    {
        foreach (var path in new[] { "/trackmate.js", "/t/script.js", "/trackmate.extra.js", "/t/script.extra.js", await AssetAsync() })
        {
            foreach (var (accepted, then) in new[] { (null, null), ("gzip", "gzip"), ("br", "br"), ("gzip", null), (null, "br") })
            {
                using var first = await GetAsync(path, ("Accept-Encoding", accepted));
                var tag = first.Headers.ETag!.ToString();
                using var second = await GetAsync(path, ("Accept-Encoding", then), ("If-None-Match", string.Format(System.Globalization.CultureInfo.InvariantCulture, given, tag)), ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"));
                Assert.Equal(has ? HttpStatusCode.NotModified : HttpStatusCode.OK, second.StatusCode);
                Assert.NotNull(second.Headers.ETag);
                Assert.NotNull(second.Headers.CacheControl);
                Assert.Contains("Accept-Encoding", second.Headers.Vary);
                Assert.Equal(has, (await second.Content.ReadAsByteArrayAsync()).Length == 0);
            }
        }
    }

    /// <summary>A strong tag names exact bytes: one for each encoding.</summary>
    [Fact]
    public async Task Each_encoding_has_a_tag_of_its_own()
    {
        var tags = new List<string>();
        foreach (var accepted in new[] { null, "gzip", "br" })
        {
            using var answer = await GetAsync("/trackmate.js", ("Accept-Encoding", accepted));
            Assert.False(answer.Headers.ETag!.IsWeak);
            tags.Add(answer.Headers.ETag.Tag);
        }

        Assert.Equal(3, tags.Distinct().Count());
    }

    [Theory]
    [InlineData("/login", "text/html")]
    [InlineData("/docs", "text/html")]
    [InlineData("/openapi/v1.json", "application/json")]
    [InlineData("/api/profiles", "application/json")]
    [InlineData("/nowhere", "text/html")]
    public async Task Pages_and_what_is_read_are_compressed(string path, string type)
    {
        using var plain = await GetAsync(path);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        foreach (var coding in new[] { "gzip", "br" })
        {
            using var answer = await GetAsync(path, ("Accept-Encoding", coding));
            Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
            Assert.Equal([coding], answer.Content.Headers.ContentEncoding);
            Assert.Contains("Accept-Encoding", answer.Headers.Vary);
            Assert.NotEmpty(Decoded(await answer.Content.ReadAsByteArrayAsync(), coding));
        }

        using var refused = await GetAsync(path, ("Accept-Encoding", "gzip;q=0, br;q=0"));
        Assert.Empty(refused.Content.Headers.ContentEncoding);
    }

    private async Task<string> AssetAsync() => System.Text.RegularExpressions.Regex.Match(await running.Http.GetStringAsync("/login"), "/assets/[a-z]+-[0-9a-f]{16}\\.css").Value;

    private async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
        foreach (var (name, value) in headers.Where(header => header.Value is not null)) request.Headers.TryAddWithoutValidation(name, value);
        return await running.Http.SendAsync(request);
    }

    private static byte[] Decoded(byte[] bytes, string? coding)
    {
        if (coding is null) return bytes;
        using var decoded = new MemoryStream();
        using Stream decoder = coding == "br" ? new BrotliStream(new MemoryStream(bytes), CompressionMode.Decompress) : new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        decoder.CopyTo(decoded);
        return decoded.ToArray();
    }
}
