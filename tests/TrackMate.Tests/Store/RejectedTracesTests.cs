using System.Globalization;
using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Erase;
using TrackMate.Store.Tables;

namespace TrackMate.Tests.Store;

/// <summary>What is kept of a rejected body is searched, and erased, whatever bytes it has.</summary>
public sealed class RejectedTracesTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly string[] Names = ["sarah@shop.com", "jos\u00e9.\u00e9lan@caf\u00e9.fr", "\u674e\u96f7@\u4f8b\u5b50.cn", "o'brien+x@mail.example.com", "crm-victoria-4711", "\u03b1\u03bb\u03ad\u03be\u03b1\u03bd\u03b4\u03c1\u03bf\u03c2@shop.gr"];

    private static readonly Func<string, string>[] Spellings =
    [
        text => text,
        text => text.ToUpperInvariant(),
        text => text.Normalize(NormalizationForm.FormD),
        text => Each(text, c => $"\\u{(int)c:x4}"),
        text => Each(text, c => $"\\u{(int)c:X4}"),
        text => Each(text, c => c % 2 == 0 ? $"\\u{(int)c:x4}" : c.ToString()),
        text => Each(text, c => $"\\\\u{(int)c:x4}"),
        text => Uri.EscapeDataString(text),
        text => string.Concat(Encoding.UTF8.GetBytes(text).Select(unit => $"%{unit:x2}")),
        text => Uri.EscapeDataString(Uri.EscapeDataString(text)),
        text => Each(Uri.EscapeDataString(text), c => $"\\u{(int)c:x4}"),
        text => string.Concat(Encoding.UTF8.GetBytes(text).Select(unit => $"={unit:X2}")),
        text => Each(text, c => $"&#{(int)c};"),
        text => Each(text, c => $"&#x{(int)c:x};"),
        text => text.Replace("@", "\\u0040", StringComparison.Ordinal),
        text => text.Replace("@", " @", StringComparison.Ordinal),
        text => text.Contains('@') ? $"\\\"{text.Replace("@", "\\\"@", StringComparison.Ordinal)}" : text,
        text => text.Contains('@') ? text[..(text.IndexOf('@') + 1)] + new IdnMapping().GetAscii(text, text.IndexOf('@') + 1) : text,
    ];

    /// <summary>What no decoder reads, or half of what one would.</summary>
    private static readonly string[] Damages =
        ["\\u", "\\u00", "\\u00e", "\\ud800", "\\udc00", "\\", "\\x", "%", "%e", "%E9", "\\u0000", "[[[[", "{\"a\":", "\"", "\0", "\u200b", "\u00e9", "%u12", "&#", "=", "=\r\n"];

    private static readonly byte[][] DamagedBytes = [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0x00], [0xfe, 0xff], [0xc0, 0xaf], [0xe9]];

    private static Gen<T> OneOf<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static readonly Gen<byte[]> Damage = Gen.OneOf(
        OneOf(Damages).Select(Encoding.UTF8.GetBytes), OneOf(DamagedBytes), Gen.Byte.Array[1, 12].Select(bytes => (byte[])[.. bytes, (byte)' ']), Gen.Const(Array.Empty<byte>()));

    private static readonly Gen<(string Name, byte[] Body, string Told)> Bodies =
        from name in OneOf(Names)
        from spelling in Gen.Int[0, Spellings.Length - 1]
        from before in Damage.Array[0, 4]
        from after in Damage.Array[0, 4]
        from depth in Gen.Int[0, 40]
        from wide in Gen.Bool
        let text = new string('[', depth) + "{\"email\":\"" + Spellings[spelling](name)
        let body = (byte[])[.. before.SelectMany(bytes => bytes), .. Encoding.UTF8.GetBytes(text), .. after.SelectMany(bytes => bytes)]
        select (name, wide && before.Length + after.Length == 0 ? Encoding.Unicode.GetBytes(text) : body, $"spelling {spelling}: {text}");

    [Fact]
    public void A_person_is_found_in_any_spelling_whatever_damage_is_around() =>
        Bodies.Sample(sample => Assert.True(Sought(sample.Name).IsNamedIn(sample.Body), $"{sample.Told} {Convert.ToHexString(sample.Body)}"), iter: 20_000);

    [Fact]
    public void A_body_that_is_cut_or_damaged_within_a_name_is_in_doubt_and_names_the_person() =>
        (from name in OneOf(Names)
         from at in Gen.Int[0, 200]
         from isEnd in Gen.Bool
         from damage in Gen.OneOf(OneOf(DamagedBytes), OneOf(["\\u", "\\ud83d", "\\u0000", "\\u12"]).Select(Encoding.UTF8.GetBytes))
         select (name, at, isEnd, damage)).Sample(sample =>
        {
            var bytes = Encoding.UTF8.GetBytes(sample.name);
            // Four characters of it are left at least.
            var shortest = Encoding.UTF8.GetByteCount(sample.name.AsSpan(0, 4));
            var at = shortest + (sample.at % (bytes.Length - shortest));
            byte[] body = sample.isEnd
                ? [.. "{\"x\":\"y\",\"email\":\""u8, .. bytes[..at]]
                : [.. "{\"email\":\""u8, .. bytes[..at], .. sample.damage, .. bytes[at..], .. "\"}"u8];
            Assert.True(Sought(sample.name).IsNamedIn(body), $"{sample.name} {Encoding.UTF8.GetString(body)}");
        }, iter: 5000);

    [Theory]
    [InlineData("""{"email":"sara@shop.com","note":"sarah at shop.com"}""")]
    [InlineData("""{"email":"other@shop.com","eventType":""}""")]
    [InlineData("""{"price":4242,"externalId":"421"}""")]
    [InlineData("""{"email":"other@shop.com","a":"\u"}""")]
    [InlineData("""{"email":"other@shop.com","a":"\ud800 and %E9"}""")]
    [InlineData("""{"sessionId":"session_17_ab","eventType":""}""")]
    [InlineData("""{"note":"session_17_a"}""")]
    public void What_names_others_stays(string body) => Assert.False(new SoughtPerson(["sarah@shop.com", "42"], ["session_17_a"]).IsNamedIn(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("""{"sessionId":"session_17_a"}""")]
    [InlineData("""{"sessionId":"session\u005f17_a"}""")]
    [InlineData("""{"session\u0049d":"session_17_a"}""")]
    [InlineData("""{"sessionId" : "session_17""")]
    [InlineData("""sessionId=session%5F17_a&x=1""")]
    [InlineData("""{"x":"{\"sessionId\":\"session_17_a\"}"}""")]
    [InlineData("""{"externalId":42}""")]
    [InlineData("""{"externalId":"\u0034\u0032"}""")]
    [InlineData("""{"externalId":"\u00""")]
    public void Sessions_and_external_ids_are_found(string body) =>
        Assert.Equal(!body.EndsWith("\\u00", StringComparison.Ordinal), new SoughtPerson(["sarah@shop.com", "42"], ["session_17_a"]).IsNamedIn(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Random_bytes_fail_nothing() => Gen.Byte.Array[0, 2000].Sample(bytes => { Sought("sarah@shop.com").IsNamedIn(bytes); }, iter: 2000);

    [Theory]
    [InlineData("""{"company_id":"TM","sessionId":"s","eventType":"x","a":"\u"}""")]
    [InlineData("""{"a":"\ud800\udfffx\u12"}""")]
    [InlineData("\\")]
    [InlineData("%")]
    public async Task An_erasure_passes_bodies_that_nobody_can_read(string broken)
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "s1", "sarah@shop.com", "i")]);
        byte[][] bodies =
        [
            Encoding.UTF8.GetBytes(broken), [0xff, 0xfe, 0x00, 0xd8], [.. "{\"a\":\""u8, 0xc3], Encoding.UTF8.GetBytes(new string('\\', 200_000)), Encoding.UTF8.GetBytes(new string('[', 100_000) + "s\\u0061rah@shop.com"),
            [.. Enumerable.Range(0, 2000).SelectMany(_ => new byte[] { (byte)'a', 0xff })],
        ];
        await stored.Store.AppendAsync([], new(company, Origin.Browser, ReceivingCall.Events, Messages.Ten, [.. bodies.Select(body => new RejectedEvent(null, 400, "no", body, body.Length))]));

        var eraser = new Eraser(stored.Engine, stored.Store.EraseAsync);
        var state = (await eraser.EraseRowsAsync(company, Identifier.Email(company, "sarah@shop.com").Id, new("tests", Messages.Ten, DryRun: false), suppress: false))!;
        Assert.True(await eraser.CleanFilesAsync(state, CancellationToken.None));

        // What names her goes, and what is damaged in so many places that nobody can tell.
        Assert.Equal(2, state.Erased.Rejected);
    }

    [Fact]
    public async Task What_stands_beside_a_body_is_searched_as_well()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "s1", "sarah@shop.com", "i")]);
        await stored.Store.AppendAsync([], new(company, Origin.Browser, ReceivingCall.Events, Messages.Ten,
        [
            new(null, 422, "sarah@shop.com holds a number with an exponent beyond 308", "{"u8.ToArray(), 90_000),
            new("order-SARAH@shop.com", 422, "no", "{}"u8.ToArray(), 2),
            new(null, 422, "no", "{"u8.ToArray(), 900_000, ["a", "to-sarah@shop.com"]),
            new("b", 422, "no", "{}"u8.ToArray(), 2, ["c"]),
        ]));

        var eraser = new Eraser(stored.Engine, stored.Store.EraseAsync);
        var state = (await eraser.EraseRowsAsync(company, Identifier.Email(company, "sarah@shop.com").Id, new("tests", Messages.Ten, DryRun: false), suppress: false))!;
        Assert.True(await eraser.CleanFilesAsync(state, CancellationToken.None));

        Assert.Equal(3, state.Erased.Rejected);
    }

    private static SoughtPerson Sought(string name)
    {
        EmailAddress.TryNormalize(name, out var normalized);
        return new([normalized.Length > 0 ? normalized : name], []);
    }

    private static string Each(string text, Func<char, string> write) => string.Concat(text.Select(write));
}
