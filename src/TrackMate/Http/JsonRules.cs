using System.Buffers.Text;
using System.Text.Json;

namespace TrackMate.Http;

/// <summary>
/// The one validator before every store: what passes here is stored as it was sent, by any engine. Depth, keys, numbers and text have bounds because some engine
/// would otherwise change, refuse or blow up the value (a 32 KB event of <c>1e131071</c> becomes 471 MB when PostgreSQL prints it).
/// </summary>
internal static class JsonRules
{
    /// <summary>Objects and arrays within one another, the value's own included.</summary>
    public const int MaxDepth = 16;

    public const int MaxKeys = 256;
    public const int MaxDigits = 40;
    public const int MaxExponent = 308;

    /// <summary>Our own depth rule answers first, with a sentence; the reader must only not stop before it.</summary>
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 2_000_000 };

    [ThreadStatic]
    private static KeySets? scratch;

    /// <summary>Checks the value that the reader stands on, and leaves the reader on its last token.</summary>
    /// <param name="json">What the reader reads.</param>
    /// <exception cref="RejectionException">The value breaks a rule.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static void Check(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, FieldPath field)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            CheckScalar(ref reader, field);
            return;
        }

        var keys = scratch ??= new();
        var depth = 0;
        do
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (depth == MaxDepth) throw new RejectionException(Reason.TooDeep, $"{field} is nested deeper than {MaxDepth} levels; flatten it.", field.WireName);
                    keys.Open(depth++);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    depth--;
                    break;
                case JsonTokenType.PropertyName:
                    CheckText(ref reader, field);
                    keys.Add(depth - 1, ref reader, json, field);
                    break;
                default:
                    CheckScalar(ref reader, field);
                    break;
            }
        }
        while (depth > 0 && reader.Read());
    }

    public static void CheckScalar(ref Utf8JsonReader reader, FieldPath field)
    {
        if (reader.TokenType is JsonTokenType.String) CheckText(ref reader, field);
        else if (reader.TokenType is JsonTokenType.Number) CheckNumber(reader.ValueSpan, field);
    }

    /// <summary>Raw text was checked as UTF-8 with the body; what is left are escapes that decode to no text.</summary>
    public static void CheckText(ref Utf8JsonReader reader, FieldPath field)
    {
        if (!reader.ValueIsEscaped) return;
        var text = reader.ValueSpan;
        for (var i = text.IndexOf((byte)'\\'); i >= 0 && i < text.Length; i++)
        {
            if (text[i] != '\\') continue;
            if (text[++i] != 'u') continue;
            var unit = HexUnit(text, i + 1);
            i += 4;
            if (unit == 0) throw new RejectionException(Reason.BadText, $"{field} contains \\u0000, which databases cannot store as text; remove it.", field.WireName);
            if (char.IsLowSurrogate((char)unit)) throw LoneSurrogate(field);
            if (!char.IsHighSurrogate((char)unit)) continue;
            if (i + 6 >= text.Length || text[i + 1] != '\\' || text[i + 2] != 'u' || !char.IsLowSurrogate((char)HexUnit(text, i + 3))) throw LoneSurrogate(field);
            i += 6;
        }
    }

    private static int HexUnit(ReadOnlySpan<byte> text, int start) => Utf8Parser.TryParse(text.Slice(start, 4), out int unit, out _, 'X') ? unit : -1;

    private static RejectionException LoneSurrogate(FieldPath field) => new(Reason.BadText, $"{field} contains half of a surrogate pair (\\ud800–\\udfff), which is not a character; send the pair or remove it.", field.WireName);

    private static void CheckNumber(ReadOnlySpan<byte> number, FieldPath field)
    {
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = e < 0 ? number : number[..e];
        var digits = 0;
        foreach (var c in mantissa)
        {
            if (char.IsAsciiDigit((char)c)) digits++;
        }

        if (digits > MaxDigits) throw new RejectionException(Reason.BadNumber, $"{field} contains a number with {digits} digits; the limit is {MaxDigits}. Send it as a string.", field.WireName);
        if (e < 0) return;
        var exponent = number[(e + 1)..];
        if (exponent[0] == '+') exponent = exponent[1..];
        if (!Utf8Parser.TryParse(exponent, out int value, out var read) || read != exponent.Length || Math.Abs((long)value) > MaxExponent)
            throw new RejectionException(Reason.BadNumber, $"{field} contains a number with an exponent beyond ±{MaxExponent}. Send it as a string.", field.WireName);
    }

    /// <summary>The keys of the objects that are open, to find a second use of one. Escaped keys are compared by what they mean.</summary>
    private sealed class KeySets
    {
        private readonly int[] counts = new int[MaxDepth];
        private readonly int[] hashes = new int[MaxDepth * MaxKeys];
        private readonly (int Start, int Length)[] places = new (int, int)[MaxDepth * MaxKeys];
        private readonly Dictionary<int, byte[]> unescaped = [];

        public void Open(int depth)
        {
            counts[depth] = 0;
            if (depth == 0) unescaped.Clear();
        }

        public void Add(int depth, ref Utf8JsonReader reader, ReadOnlySpan<byte> json, FieldPath field)
        {
            var first = depth * MaxKeys;
            var count = counts[depth];
            if (count == MaxKeys) throw new RejectionException(Reason.TooManyKeys, $"{field} contains an object with more than {MaxKeys} keys; split it.", field.WireName);
            var place = (Start: (int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
            var name = reader.ValueIsEscaped ? unescaped[place.Start] = System.Text.Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;

            var hash = Hash(name);
            var seen = hashes.AsSpan(first, count);
            for (var from = 0; from < count; from++)
            {
                var found = seen[from..].IndexOf(hash);
                if (found < 0) break;
                from += found;
                if (name.SequenceEqual(NameAt(places[first + from], json)))
                    throw new RejectionException(Reason.DuplicateKey, $"{field} contains an object with a duplicate key; send each key once.", field.WireName);
            }

            hashes[first + count] = hash;
            places[first + count] = place;
            counts[depth]++;
        }

        private ReadOnlySpan<byte> NameAt((int Start, int Length) place, ReadOnlySpan<byte> json) =>
            unescaped.Count > 0 && unescaped.TryGetValue(place.Start, out var name) ? name : json.Slice(place.Start, place.Length);

        // Only finds candidates, so a sender that makes them collide pays with comparisons of its own 256 keys.
        private static int Hash(ReadOnlySpan<byte> name)
        {
            var hash = (uint)name.Length;
            foreach (var c in name.Length <= 16 ? name : name[^16..]) hash = (hash * 31) + c;
            return (int)hash;
        }
    }
}
