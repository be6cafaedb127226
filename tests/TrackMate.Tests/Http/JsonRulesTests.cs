using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using TrackMate.Http;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Http;

/// <summary>The one validator before every store, against a slow reading of the same rules that shares nothing with it.</summary>
[NoStore]
public sealed partial class JsonRulesTests
{
    private static readonly Gen<string> Scalar = Gen.OneOf(
        "1", "-0", "0.10", "1E+308", "1e308", "1e-308", "1e309", "1E-309", "1e+0308", "1e00000000000309", "-1e131071", "1e99999999999999999999",
        new string('9', 40), new string('9', 41), "0." + new string('1', 39), "-0." + new string('1', 40), "1" + new string('0', 39) + "e5",
        "true", "false", "null", "\"\"", "\"a\"", "\"é😀\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00x\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\\\ude00\"", "\"x\\\\\\ud83d\"", "\"\\\\ud83d\"", "\"\\u0000\"", "\"\\\\u0000\"", "\"\\u00000\"", "\"\\n\\/\\\"\\u0041\"", "01", "NaN", "'a'");

    private static readonly Gen<string> Key = Gen.OneOf(
        "a", "b", "\\u0061", "c", "", "é", "\\u00e9", "e\\u0301", "😀", "\\ud83d\\ude00", "\\ud83d", "a\\u0000", "\\\\u0061", "eventData", "\\u0065ventData", "a\\/b", "a/b", "quite a long key of the kind that senders have", "1 with the same end as another", "2 with the same end as another");

    private static readonly Gen<string> Value = ValueOf(3);

    private static readonly Gen<string> Wrapped =
        Gen.Select(Value, Gen.Int[0, 16], Gen.Bool, (value, depth, objects) => depth == 0 || objects
            ? string.Concat(Enumerable.Repeat("{\"k\":", depth)) + value + new string('}', depth)
            : new string('[', depth) + value + new string(']', depth));

    private static readonly Gen<string> Many =
        Gen.Int[254, 258].Select(count => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\":{i}")) + "}");

    private static readonly Gen<string> Any = Gen.Frequency((6, Value), (3, Wrapped), (1, Many));

    private static readonly Gen<byte[]> Body =
        Gen.Select(Any, Any, Gen.OneOf(" ", "", "\n\t"), (data, other, space) => Encoding.UTF8.GetBytes($"{{{space}\"eventData\":{space}{data}{space},{space}\"other\":{other}{space}}}{space}"));

    private static readonly Gen<byte[]> Spoilt =
        Gen.Select(Body, Gen.Int[0, 1_000_000], Gen.Byte, Gen.Int[0, 3], (body, place, value, how) => (place %= body.Length, how) switch
        {
            (_, 0) => [.. body[..place], value, .. body[(place + 1)..]],
            (_, 1) => [.. body[..place], value, .. body[place..]],
            (_, 2) => [.. body[..place], .. body[(place + 1)..]],
            _ => body[..place],
        });

    [Fact]
    public void What_is_accepted_is_within_the_rules_and_the_other_way_round() => Body.Sample(Agrees, iter: 30_000);

    [Fact]
    public void What_is_spoilt_is_judged_alike() => Spoilt.Sample(Agrees, iter: 30_000);

    /// <summary>Bytes in, bytes out: what is stored is a slice of what was sent.</summary>
    [Fact]
    public void EventData_comes_out_byte_for_byte() =>
        Any.Where(data => data[0] == '{').Sample(
            data =>
            {
                var body = Encoding.UTF8.GetBytes($$"""{"eventType":"a", "eventData" :  {{data}}  ,"other":[]}""");
                return !Accepts(body) || Encoding.UTF8.GetString(WireObject.Read(body, FieldPath.Body).Object(Member.EventData).Span) == data;
            },
            iter: 10_000);

    private static bool Agrees(byte[] body) => Accepts(body) == IsWithinTheRules(body);

    private static bool Accepts(byte[] body)
    {
        if (!System.Text.Unicode.Utf8.IsValid(body)) return false;
        try
        {
            var wire = WireObject.Read(body, FieldPath.Body);
            if (!wire.Has(Member.Events)) return true;
            foreach (var item in wire.Array(Member.Events, 500)) WireObject.Read(item, FieldPath.Body);
            return true;
        }
        catch (RejectionException)
        {
            return false;
        }
    }

    private static bool IsWithinTheRules(byte[] body)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);
            using var document = JsonDocument.Parse(text, new() { MaxDepth = 1000 });
            return document.RootElement.ValueKind is JsonValueKind.Object && KeysAreWithin(document.RootElement) && document.RootElement.EnumerateObject().All(member => IsWithin(member.Value, 1));
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsWithin(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.Object => depth <= 16 && KeysAreWithin(value) && value.EnumerateObject().All(member => IsWithin(member.Value, depth + 1)),
        JsonValueKind.Array => depth <= 16 && value.EnumerateArray().All(element => IsWithin(element, depth + 1)),
        JsonValueKind.String => !value.GetString()!.Contains('\0'),
        JsonValueKind.Number => IsWithin(Number().Match(value.GetRawText())),
        _ => true,
    };

    private static bool IsWithin(Match number) =>
        number.Groups["digits"].Value.Count(char.IsAsciiDigit) <= 40 && (number.Groups["exponent"].Value is not { Length: > 0 } exponent || BigInteger.Abs(BigInteger.Parse(exponent)) <= 308);

    private static bool KeysAreWithin(JsonElement value)
    {
        var names = value.EnumerateObject().Select(member => member.Name).ToList();
        return names.Count <= 256 && names.Distinct(StringComparer.Ordinal).Count() == names.Count && !names.Exists(name => name.Contains('\0'));
    }

    private static Gen<string> ValueOf(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency(
            (2, Scalar),
            (3, Gen.Select(Key, ValueOf(depth - 1), (key, value) => $"\"{key}\":{value}").Array[0, 4].Select(members => "{" + string.Join(',', members) + "}")),
            (1, ValueOf(depth - 1).Array[0, 3].Select(elements => "[" + string.Join(", ", elements) + "]")));

    [GeneratedRegex("^-?(?<digits>[0-9.]+)([eE](?<exponent>.+))?$")]
    private static partial Regex Number();
}
