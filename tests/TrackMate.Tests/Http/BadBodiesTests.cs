using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Http;

/// <summary>Bodies that no store should ever see: each gets its status and a sentence, and leaves nothing behind.</summary>
public sealed class BadBodiesTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>The calls that take a body, and the member of each that holds what senders choose.</summary>
    private static readonly (string Path, string Field)[] Calls = [("/api/events", "eventData"), ("/api/profile", "traits"), ("/api/webhooks/events", "eventData")];

    public static TheoryData<string, int, string> BadValues => Rows(
        (400, "a key twice", """{"a":1,"a":2}"""),
        (400, "a key twice, once escaped", """{"a":1,"\u0061":2}"""),
        (400, "an empty key twice", """{"":1,"":2}"""),
        (400, "a key twice, far inside", """{"list":[{"x":{"y":1,"z":2,"y":3}}]}"""),
        (400, "a zero character", """{"a":"b\u0000c"}"""),
        (400, "a zero character in a key", """{"b\u0000":1}"""),
        (400, "half a surrogate pair", """{"a":"\ud83d"}"""),
        (400, "the other half", """{"a":"x\ude00"}"""),
        (400, "two first halves", """{"a":"\ud83d\ud83d\ude00"}"""),
        (400, "half a pair before an escape", """{"a":"\ud83d\n"}"""),
        (400, "half a surrogate pair in a key", """{"\ud83d":1}"""),
        (422, "an exponent past every double", """{"a":1e309}"""),
        (422, "an exponent that fills a disk", """{"a":1e131071}"""),
        (422, "an exponent that is no integer", """{"a":1e99999999999999999999}"""),
        (422, "a small exponent", """{"a":[1E-309]}"""),
        (422, "41 digits", """{"a":12345678901234567890123456789012345678901}"""),
        (422, "41 digits about a point", """{"a":-1234567890123456789012345678.9012345678901}"""),
        (422, "seventeen deep", """{"a":""" + new string('[', 16) + new string(']', 16) + "}"),
        (422, "seventeen objects deep", string.Concat(Enumerable.Repeat("{\"a\":", 17)) + "1" + new string('}', 17)),
        (422, "100,000 deep", """{"a":""" + new string('[', 100_000) + new string(']', 100_000) + "}"),
        (422, "100,000 deep and never closed", """{"a":""" + new string('[', 100_000)),
        (422, "257 keys", KeyCount(257)),
        (422, "an array", "[]"),
        (422, "a string", "\"a\""),
        (422, "a number", "1"),
        (422, "a boolean", "true"));

    [Theory]
    [MemberData(nameof(BadValues))]
    public async Task A_value_that_breaks_a_rule_is_refused(string what, int status, string value)
    {
        Assert.NotEmpty(what);
        foreach (var (path, field) in Calls)
        {
            var sender = new Sender(running);
            (await sender.PostAsync(path, sender.Body(path, $"\"{field}\":{value}"))).AssertRefused(status, field);
            await sender.AssertNothingStoredAsync();
        }
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public async Task A_bad_value_refuses_an_unknown_member_too(string what, int status, string value)
    {
        Assert.NotEmpty(what);
        if (what is "an array" or "a string" or "a number" or "a boolean") return;
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            (await sender.PostAsync(path, sender.Body(path, $"\"extra\":{value}"))).AssertRefused(status);
            await sender.AssertNothingStoredAsync();
        }
    }

    [Theory]
    [InlineData("sixteen deep", """{"a":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}""")]
    [InlineData("the largest exponent", """{"a":1E+308,"b":1e-308}""")]
    [InlineData("40 digits", """{"a":1234567890123456789012345678901234567890}""")]
    [InlineData("a negative zero and trailing zeros", """{"a":-0,"b":1.10,"c":0e0}""")]
    [InlineData("pairs of surrogates", """{"a":"\ud83d\ude00","😀":"é\u00e9\/\t"}""")]
    [InlineData("the same key in two objects", """{"a":{"a":{"a":[{"a":1},{"a":2}]}}}""")]
    [InlineData("keys in no order", """{"z":1,"a":2,"m":{"z":null,"a":false}}""")]
    [InlineData("nothing", "{}")]
    public async Task A_value_at_the_edge_comes_back_as_it_was_sent(string what, string value)
    {
        Assert.NotEmpty(what);
        var sender = new Sender(running);
        (await sender.PostAsync("/api/events", sender.Body("/api/events", $"\"eventData\":{value}"))).AssertOk();
        (await sender.PostAsync("/api/profile", sender.Body("/api/profile", $"\"traits\":{value}"))).AssertOk();
        (await sender.PostAsync("/api/webhooks/events", sender.Body("/api/webhooks/events", $"\"eventData\":{value}"))).AssertOk();

        var sent = JsonNode.Parse(value)!;
        foreach (var found in await running.Backend.TimelineAsync((await running.Backend.ProfileOfAsync(sender.Email))!["id"]!.ToString()))
        {
            if (found["eventType"]!.ToString() == "user_registered") continue;
            Assert.Equal(sent.ToJsonString(), found["eventData"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task Two_hundred_and_fifty_six_keys_are_taken()
    {
        var sender = new Sender(running);
        (await sender.PostAsync("/api/events", sender.Body("/api/events", $"\"eventData\":{KeyCount(256)}"))).AssertOk();
        Assert.Equal(256, (await running.Backend.SessionAsync(sender.SessionId)).Body!["events"]![0]!["eventData"]!.AsObject().Count);
    }

    /// <summary>Keys of the envelope count like any other object's.</summary>
    [Fact]
    public async Task An_envelope_of_257_keys_is_refused()
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            var own = JsonNode.Parse(sender.Body(path))!.AsObject().Count;
            var more = string.Join(',', Enumerable.Range(0, 257 - own).Select(i => $"\"more{i}\":{i}"));
            (await sender.PostAsync(path, sender.Body(path, more))).AssertRefused(422);
            await sender.AssertNothingStoredAsync();
            (await sender.PostAsync(path, sender.Body(path, more[..more.LastIndexOf(',')]))).AssertOk();
        }
    }

    [Theory]
    [InlineData(400, "")]
    [InlineData(400, " \n\t")]
    [InlineData(400, "{")]
    [InlineData(400, "}")]
    [InlineData(400, "hello")]
    [InlineData(400, "nul")]
    [InlineData(400, "{'a':1}")]
    [InlineData(400, "{\"a\":NaN}")]
    [InlineData(400, "{\"a\":01}")]
    [InlineData(400, "{\"a\":\"\n\"}")]
    [InlineData(400, "a=1&b=2")]
    [InlineData(422, "[]")]
    [InlineData(422, "null")]
    [InlineData(422, "\"{}\"")]
    [InlineData(422, "5")]
    [InlineData(422, "true")]
    [InlineData(422, "{}")]
    public async Task What_is_no_object_is_refused(int status, string body)
    {
        foreach (var (path, _) in Calls)
        {
            (await new Sender(running).PostAsync(path, body)).AssertRefused(status);
        }
    }

    [Theory]
    [InlineData("cut off in the middle", 400)]
    [InlineData("something after it", 400)]
    [InlineData("another object after it", 400)]
    [InlineData("a comma too many", 400)]
    [InlineData("a comment", 400)]
    [InlineData("a key of the envelope twice", 400)]
    [InlineData("a key of the envelope twice, once escaped", 400)]
    [InlineData("an unknown key twice", 400)]
    [InlineData("an unknown key twice, once escaped", 400)]
    [InlineData("a key that is half a surrogate pair", 400)]
    [InlineData("a key with a zero character", 400)]
    [InlineData("half a surrogate pair in a field", 400)]
    [InlineData("more than a mebibyte", 413)]
    [InlineData("more than 32 KiB", 413)]
    public async Task A_good_body_that_is_spoilt_is_refused_whole(string what, int status)
    {
        foreach (var (path, field) in Calls)
        {
            var sender = new Sender(running);
            var good = sender.Body(path, $"\"{field}\":{{}}");
            var bad = what switch
            {
                "cut off in the middle" => good[..^2],
                "something after it" => good + " x",
                "another object after it" => good + good,
                "a comma too many" => good[..^1] + ",}",
                "a comment" => good[..^1] + "/* a */}",
                "a key of the envelope twice" => good[..^1] + $",\"{field}\":{{}}}}",
                "a key of the envelope twice, once escaped" => good[..^1] + $",\"\\u00{(int)field[0]:x}{field[1..]}\":{{}}}}",
                "an unknown key twice" => good[..^1] + ",\"more\":1,\"more\":1}",
                "an unknown key twice, once escaped" => good[..^1] + ",\"more\":1,\"\\u006dore\":1}",
                "a key that is half a surrogate pair" => good[..^1] + ",\"\\ud83d\":1}",
                "a key with a zero character" => good[..^1] + ",\"a\\u0000\":1}",
                "half a surrogate pair in a field" => good[..^1] + ",\"eventId\":\"\\ud83d\"}",
                "more than a mebibyte" => good + new string(' ', 1024 * 1024 + 1 - good.Length),
                "more than 32 KiB" => good[..^2] + $"\"a\":\"{new string('a', 32 * 1024)}\"}}}}",
                _ => throw new ArgumentOutOfRangeException(nameof(what), what, "not told"),
            };
            (await sender.PostAsync(path, bad)).AssertRefused(status);
            await sender.AssertNothingStoredAsync();
            (await sender.PostAsync(path, good)).AssertOk();
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc0, 0xaf })]
    [InlineData(new byte[] { 0xed, 0xa0, 0xbd })]
    [InlineData(new byte[] { 0xf4, 0x90, 0x80, 0x80 })]
    [InlineData(new byte[] { 0xe2, 0x82 })]
    public async Task Bytes_that_are_not_UTF8_are_refused(byte[] bytes)
    {
        foreach (var (path, field) in Calls)
        {
            var sender = new Sender(running);
            var (before, after) = (Encoding.UTF8.GetBytes(sender.Body(path)[..^1] + $",\"{field}\":{{\"a\":\""), Encoding.UTF8.GetBytes("\"}}"));
            Assert.Contains("UTF-8", (await sender.PostAsync(path, [.. before, .. bytes, .. after])).AssertRefused(400)["detail"]);
            await sender.AssertNothingStoredAsync();
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/plain;charset=UTF-8")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData(null)]
    public async Task A_body_is_JSON_whatever_its_content_type_says(string? contentType)
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            var content = new ByteArrayContent(Encoding.UTF8.GetBytes(sender.Body(path)));
            content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
            (await sender.PostAsync(path, content)).AssertOk();
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    public async Task A_gzipped_body_is_read(string encoding)
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            (await sender.PostAsync(path, Encoded(Gzip(Encoding.UTF8.GetBytes(sender.Body(path))), encoding))).AssertOk();
            Assert.NotNull((await sender.FindAsync())?.ToJsonString());
        }
    }

    [Theory]
    [InlineData("not gzip at all", 400)]
    [InlineData("cut off", 400)]
    [InlineData("nothing inside", 400)]
    [InlineData("a bomb", 413)]
    [InlineData("a bomb of br", 413)]
    [InlineData("a bomb of deflate", 413)]
    [InlineData("a bomb in a bomb", 413)]
    [InlineData("nothing in a bomb", 413)]
    [InlineData("br", 400)]
    [InlineData("br that is cut off", 400)]
    [InlineData("deflate", 400)]
    [InlineData("deflate that is cut off", 400)]
    [InlineData("gzip, gzip", 400)]
    [InlineData("gzip, gzip, gzip", 415)]
    [InlineData("zstd", 415)]
    [InlineData("compress", 415)]
    [InlineData("gzip, zstd", 415)]
    [InlineData("nonsense", 415)]
    [InlineData("gzip;q=1", 415)]
    public async Task A_body_that_cannot_be_decoded_is_refused(string what, int status)
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            var good = Encoding.UTF8.GetBytes(sender.Body(path));
            var content = what switch
            {
                "not gzip at all" => Encoded(good, "gzip"),
                "cut off" => Encoded(Gzip(good)[..^12], "gzip"),
                "nothing inside" => Encoded(Gzip([]), "gzip"),
                "a bomb" => Encoded(Gzip(Long(good)), "gzip"),
                "a bomb of br" => Encoded(Compress(Long(good), to => new BrotliStream(to, CompressionLevel.Fastest)), "br"),
                "a bomb of deflate" => Encoded(Compress(Long(good), to => new ZLibStream(to, CompressionLevel.Fastest)), "deflate"),
                "a bomb in a bomb" => Encoded(Gzip(Gzip(Long(good))), "gzip, gzip"),
                // Blocks without a byte in them: what lies between two codings is bounded too.
                "nothing in a bomb" => Encoded(Gzip([.. Enumerable.Repeat((byte[])[0, 0, 0, 0xFF, 0xFF], 400_000).SelectMany(bytes => bytes)]), "deflate, gzip"),
                "br that is cut off" => Encoded(Compress(good, to => new BrotliStream(to, CompressionLevel.Fastest))[..^6], "br"),
                "deflate that is cut off" => Encoded(Compress(good, to => new ZLibStream(to, CompressionLevel.Fastest))[..^12], "deflate"),
                _ => Encoded(good, what),
            };
            var answer = (await sender.PostAsync(path, content)).AssertRefused(status);
            if (status == 415) Assert.Equal("gzip, deflate, br", string.Join(", ", answer.Response.Headers.GetValues("Accept-Encoding")));
            await sender.AssertNothingStoredAsync();
        }
    }

    /// <summary>"deflate" is zlib by the standard and bare DEFLATE by some senders.</summary>
    [Theory]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("deflate without zlib")]
    [InlineData("x-gzip")]
    [InlineData("identity")]
    [InlineData("gzip, br")]
    [InlineData("deflate,gzip")]
    [InlineData("identity, BR")]
    public async Task A_body_is_read_in_each_coding(string what)
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            var body = Encoding.UTF8.GetBytes(sender.Body(path));
            foreach (var coding in what.Split(' ', ',').Where(word => word.Length > 0 && word is not ("without" or "zlib")))
            {
                body = coding.ToLowerInvariant() switch
                {
                    "br" => Compress(body, to => new BrotliStream(to, CompressionLevel.Fastest)),
                    "deflate" when what.Contains("without", StringComparison.Ordinal) => Compress(body, to => new DeflateStream(to, CompressionLevel.Fastest)),
                    "deflate" => Compress(body, to => new ZLibStream(to, CompressionLevel.Fastest)),
                    "identity" => body,
                    _ => Gzip(body),
                };
            }

            (await sender.PostAsync(path, Encoded(body, what.Split(" without")[0]))).AssertOk();
            Assert.NotNull((await sender.FindAsync())?.ToJsonString());
        }
    }

    /// <summary>What .NET, PowerShell and Windows editors put before a text.</summary>
    [Fact]
    public async Task A_byte_order_mark_is_passed_over()
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            byte[] body = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(sender.Body(path))];
            (await sender.PostAsync(path, body)).AssertOk();
            Assert.NotNull((await sender.FindAsync())?.ToJsonString());
            (await new Sender(running).PostAsync(path, Encoded(Gzip([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(sender.Body(path))]), "gzip"))).AssertOk();
            (await sender.PostAsync(path, (byte[])[0xEF, 0xBB, 0xBF])).AssertRefused(400);
            (await sender.PostAsync(path, (byte[])[0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(sender.Body(path))])).AssertRefused(400);
        }
    }

    [Theory]
    [InlineData("utf-16", "UTF-16")]
    [InlineData("utf-16BE", "UTF-16")]
    [InlineData("utf-32", "UTF-16")]
    [InlineData("iso-8859-1", "iso-8859-1")]
    public async Task A_body_in_another_charset_is_rejected_with_its_name(string charset, string named)
    {
        foreach (var (path, field) in Calls)
        {
            var sender = new Sender(running);
            var encoding = Encoding.GetEncoding(charset);
            foreach (var mark in new[] { false, true })
            {
                var content = new ByteArrayContent([.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes(sender.Body(path, $"\"{field}\":{{\"a\":\"é\"}}"))]);
                content.Headers.ContentType = MediaTypeHeaderValue.Parse($"application/json; charset={charset}");
                var detail = (await sender.PostAsync(path, content)).AssertRefused(400)["detail"];
                Assert.Contains("UTF-8", detail);
                Assert.Contains(named, detail);
                await sender.AssertNothingStoredAsync();
            }
        }
    }

    [Fact]
    public async Task A_body_in_chunks_is_read_and_bounded()
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            (await sender.PostAsync(path, new InChunks(Encoding.UTF8.GetBytes(sender.Body(path)), 7))).AssertOk();

            var other = new Sender(running);
            (await other.PostAsync(path, new InChunks(Encoding.UTF8.GetBytes(other.Body(path) + new string(' ', 1024 * 1024)), 64 * 1024))).AssertRefused(413);
            await other.AssertNothingStoredAsync();
        }
    }

    [Fact]
    public async Task A_sender_that_hangs_up_in_the_middle_leaves_nothing()
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            var body = Encoding.UTF8.GetBytes(sender.Body(path));
            using (var socket = new System.Net.Sockets.TcpClient(running.Server.Address.Host, running.Server.Address.Port))
            {
                var head = $"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-TrackMate-API-Key: {ServerProcess.ApiKey}\r\nContent-Length: {body.Length + 10}\r\n\r\n";
                await socket.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body]);
                socket.LingerState = new(enable: true, seconds: 0);
            }

            await sender.AssertNothingStoredAsync();
        }

        (await running.NewShopper().TrackAsync("page_view")).AssertOk();
        Assert.DoesNotContain("unhandled exception", running.Server.Output, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Far past what the server reads itself, where it stops a sender that would go on.</summary>
    [Fact]
    public async Task A_body_of_many_mebibytes_is_refused_and_the_server_goes_on()
    {
        foreach (var (path, _) in Calls)
        {
            var sender = new Sender(running);
            try
            {
                (await sender.PostAsync(path, new InChunks(new byte[16 * 1024 * 1024], 64 * 1024))).AssertRefused(413);
            }
            catch (HttpRequestException)
            {
                // The connection may be closed before the answer is read: what counts is that nothing of it is taken.
            }

            await sender.AssertNothingStoredAsync();
            (await sender.PostAsync(path, sender.Body(path))).AssertOk();
        }
    }

    private static string KeyCount(int count) => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\":{i}")) + "}";

    private static TheoryData<string, int, string> Rows(params (int Status, string What, string Value)[] rows)
    {
        var data = new TheoryData<string, int, string>();
        foreach (var (status, what, value) in rows) data.Add(new TheoryDataRow<string, int, string>(what, status, value) { TestDisplayName = $"{what} is a {status}" });
        return data;
    }

    private static byte[] Gzip(byte[] bytes) => Compress(bytes, to => new GZipStream(to, CompressionLevel.Fastest));

    private static byte[] Long(byte[] good) => [.. good, .. Enumerable.Repeat((byte)' ', 64 * 1024 * 1024)];

    private static byte[] Compress(byte[] bytes, Func<Stream, Stream> encoder)
    {
        var compressed = new MemoryStream();
        using (var encoding = encoder(compressed)) encoding.Write(bytes);
        return compressed.ToArray();
    }

    private static ByteArrayContent Encoded(byte[] bytes, string encoding)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return content;
    }

    private sealed class InChunks(byte[] bytes, int size) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            foreach (var chunk in bytes.Chunk(size))
            {
                await stream.WriteAsync(chunk);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Somebody new who sends one body to one of the three calls.</summary>
    private sealed class Sender(RunningServer running)
    {
        public string SessionId { get; } = RunningServer.Unique("session_1729260000_");

        public string Email { get; } = RunningServer.Unique() + "@example.com";

        /// <summary>A body that is taken.</summary>
        /// <param name="more">Further members, as JSON.</param>
        public string Body(string path, string? more = null)
        {
            var members = path switch
            {
                "/api/events" => $"\"company_id\":\"{ServerProcess.CompanyId}\",\"sessionId\":\"{SessionId}\",\"eventType\":\"page_view\"",
                "/api/profile" => $"\"company_id\":\"{ServerProcess.CompanyId}\",\"sessionId\":\"{SessionId}\",\"email\":\"{Email}\"",
                _ => $"\"identifier\":{{\"email\":\"{Email}\"}},\"eventType\":\"order_shipped\"",
            };
            return "{" + members + (more is null ? "" : "," + more) + "}";
        }

        public Task<Answer> PostAsync(string path, string body) => PostAsync(path, Encoding.UTF8.GetBytes(body));

        public Task<Answer> PostAsync(string path, byte[] body) => PostAsync(path, new ByteArrayContent(body));

        public Task<Answer> PostAsync(string path, HttpContent content) =>
            path.Contains("webhooks", StringComparison.Ordinal) ? running.Backend.PostAsync(path, content) : running.NewShopper().SendAsync(path, content);

        public async Task<JsonNode?> FindAsync()
        {
            var session = await running.Backend.SessionAsync(SessionId);
            return session.Status is System.Net.HttpStatusCode.OK ? session.Body : await running.Backend.ProfileOfAsync(Email);
        }

        public async Task AssertNothingStoredAsync() => Assert.Null((await FindAsync())?.ToJsonString());
    }
}
