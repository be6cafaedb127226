using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;

namespace TrackMate.Http;

/// <summary>
/// One object of a message, read in one pass without building anything: for each member where its value lies. Values are validated as they are passed over, but
/// those in <c>events</c>, each of which is an object of its own and can be refused on its own.
/// </summary>
internal readonly struct WireObject
{
    /// <summary>Characters of an id at most.</summary>
    public const int MaxLength = 200;

    /// <summary>Bytes of a time as it is sent: with a time zone's name beside it, and a few escapes.</summary>
    private const int MaxTimeBytes = 200;

    private readonly ReadOnlyMemory<byte> json;
    private readonly Places places;
    private readonly FieldPath path;

    private WireObject(ReadOnlyMemory<byte> json, Places places, FieldPath path)
    {
        this.json = json;
        this.places = places;
        this.path = path;
    }

    [InlineArray(16)]
    private struct Places
    {
        private (int Start, int Length, JsonTokenType Type) first;
    }

    /// <summary>Reads a whole text that must be one object.</summary>
    /// <param name="path">What to call it to the sender.</param>
    /// <exception cref="RejectionException">It is not JSON, not an object, or breaks a rule of <see cref="JsonRules"/>.</exception>
    public static WireObject Read(ReadOnlyMemory<byte> json, FieldPath path)
    {
        var span = json.Span;
        var reader = new Utf8JsonReader(span, JsonRules.ReaderOptions);
        try
        {
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject)
                throw new RejectionException(Reason.WrongType, $"{path} is {JsonWords.NameOf(reader.TokenType)}; send a JSON object.", path.WireName);

            Places found = default;
            HashSet<string>? others = null;
            for (var keys = 1; reader.Read() && reader.TokenType is JsonTokenType.PropertyName; keys++)
            {
                if (keys > JsonRules.MaxKeys) throw new RejectionException(Reason.TooManyKeys, $"{path} has more than {JsonRules.MaxKeys} keys; put your own data into eventData.", path.WireName);
                JsonRules.CheckText(ref reader, path);
                var member = MemberNames.At(ref reader);
                if (member < 0)
                {
                    var name = reader.GetString()!;
                    others ??= new(StringComparer.Ordinal);
                    if (!others.Add(name)) throw DuplicateKey(path, null);
                    reader.Read();
                    JsonRules.Check(ref reader, span, name.Length is > 0 and <= MaxLength ? path.Of(name) : path);
                    continue;
                }

                if (found[member].Length > 0) throw DuplicateKey(path, MemberNames.Of((Member)member));
                reader.Read();
                var type = reader.TokenType;
                var start = (int)reader.TokenStartIndex;
                if (member == (int)Member.Events) reader.Skip();
                else JsonRules.Check(ref reader, span, path.Of(MemberNames.Of((Member)member)));
                found[member] = (start, (int)reader.BytesConsumed - start, type);
            }

            if (reader.Read()) throw new RejectionException(Reason.Malformed, "Unexpected content after the JSON object.");
            return new(json, found, path);
        }
        catch (JsonException e)
        {
            throw new RejectionException(Reason.Malformed, $"Invalid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {JsonWords.Expected(e.Message)}.");
        }
    }

    /// <summary>The object as it was sent.</summary>
    public ReadOnlyMemory<byte> Json => json;

    /// <summary>The object as it was sent, but with null for the value of a member that must not be kept.</summary>
    public ReadOnlyMemory<byte> JsonWithout(Member member)
    {
        if (!Has(member)) return json;
        var (start, length, _) = places[(int)member];
        return (byte[])[.. json.Span[..start], .. "null"u8, .. json.Span[(start + length)..]];
    }

    /// <summary>Whether the member is there and not null.</summary>
    public bool Has(Member member) => places[(int)member] is { Length: > 0, Type: not JsonTokenType.Null };

    public bool IsText(Member member) => places[(int)member] is { Length: > 0, Type: JsonTokenType.String };

    public FieldPath PathOf(Member member) => path.Of(MemberNames.Of(member));

    /// <summary>The member's JSON as it was sent, whatever it is; empty where it is absent.</summary>
    public ReadOnlyMemory<byte> Raw(Member member) => json.Slice(places[(int)member].Start, places[(int)member].Length);

    /// <summary>The member's JSON as it was sent; empty where it is absent or null.</summary>
    /// <exception cref="RejectionException">It is there and not an object.</exception>
    public ReadOnlyMemory<byte> Object(Member member)
    {
        if (!Has(member)) return default;
        var (start, length, type) = places[(int)member];
        return type is JsonTokenType.StartObject ? json.Slice(start, length) : throw Wrong(member, "an object");
    }

    /// <summary>The elements of an array member, as they were sent.</summary>
    public List<ReadOnlyMemory<byte>> Array(Member member, int most)
    {
        var (start, length, type) = places[(int)member];
        if (type is not JsonTokenType.StartArray) throw Wrong(member, "an array");
        var array = json.Slice(start, length);
        var elements = new List<ReadOnlyMemory<byte>>();
        var reader = new Utf8JsonReader(array.Span, JsonRules.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            var from = (int)reader.TokenStartIndex;
            reader.Skip();
            if (elements.Count == most) throw new RejectionException(Reason.TooManyEvents, $"{PathOf(member)} contains more than {most} events; send them in several requests.", PathOf(member).ToString());
            elements.Add(array[from..(int)reader.BytesConsumed]);
        }

        return elements;
    }

    /// <summary>A string of 1 to 200 printable characters; null where it is absent.</summary>
    public string? Text(Member member)
    {
        if (!Has(member)) return null;
        var text = Decode(member, "a string");
        if (text.Length == 0) throw new RejectionException(Reason.BadValue, $"{PathOf(member)} is empty; send 1 to {MaxLength} characters or leave it out.", PathOf(member).ToString());
        if (text.Length > MaxLength && text.EnumerateRunes().Count() > MaxLength)
            throw new RejectionException(Reason.BadValue, $"{PathOf(member)} is longer than {MaxLength} characters.", PathOf(member).ToString());
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029') throw new RejectionException(Reason.BadValue, $"{PathOf(member)} contains a control character; send printable text.", PathOf(member).ToString());
        }

        return text;
    }

    public string RequiredText(Member member) => Text(member) ?? throw new RejectionException(Reason.MissingField, $"{PathOf(member)} is missing.", PathOf(member).ToString());

    /// <summary>A string, whatever it holds; null where it is absent.</summary>
    public string? AnyText(Member member) => Has(member) ? Decode(member, "a string") : null;

    /// <summary>An id that some senders write as a number.</summary>
    public string? TextOrInteger(Member member)
    {
        if (!Has(member) || places[(int)member].Type is not JsonTokenType.Number) return Text(member);
        var (start, length, _) = places[(int)member];
        var number = json.Span.Slice(start, length);
        return IsInteger(number) ? Encoding.UTF8.GetString(number) : throw Wrong(member, "a string or a whole number");
    }

    public static bool IsInteger(ReadOnlySpan<byte> number) => number.TrimStart((byte)'-').IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;

    /// <summary>A time in unix milliseconds: ISO 8601 with an offset, or seconds or milliseconds since 1970; null where it is absent.</summary>
    public long? Time(Member member)
    {
        if (!Has(member)) return null;
        var (start, length, type) = places[(int)member];
        var time = default(WrittenTime);
        var isTime = type switch
        {
            JsonTokenType.Number => decimal.TryParse(json.Span.Slice(start, length), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && WrittenTime.TryFromUnix(number, out time),
            // Some encoders write the + of an offset as \u002B, so the text is decoded before it is looked at.
            JsonTokenType.String when length <= MaxTimeBytes => WrittenTime.TryParse(Decode(member, "a time"), out time),
            _ => false,
        };
        if (isTime && time.OffsetMinutes is not null) return time.UnixMilliseconds;
        var field = PathOf(member).ToString();
        throw new RejectionException(Reason.BadValue, isTime
            ? $"{field} does not say from which time zone it is; add Z or an offset, such as 2025-10-18T10:00:00Z or 2025-10-18T12:00:00+02:00."
            : $"{field} is not a time; send ISO 8601 with an offset, such as 2025-10-18T10:00:00Z, or unix seconds or milliseconds.", field);
    }

    private string Decode(Member member, string expected)
    {
        var (start, length, type) = places[(int)member];
        if (type is not JsonTokenType.String) throw Wrong(member, expected);
        var raw = json.Span.Slice(start + 1, length - 2);
        if (!raw.Contains((byte)'\\')) return Encoding.UTF8.GetString(raw);
        var reader = new Utf8JsonReader(json.Span.Slice(start, length));
        reader.Read();
        return reader.GetString()!;
    }

    private RejectionException Wrong(Member member, string expected) =>
        new(Reason.WrongType, $"{PathOf(member)} is {JsonWords.NameOf(places[(int)member].Type)}; send {expected}.", PathOf(member).ToString());

    private static RejectionException DuplicateKey(FieldPath path, string? name) =>
        new(Reason.DuplicateKey, $"{(name is null ? "A key" : path.Of(name))} appears twice in one object; send each key once.", name is null ? null : path.Of(name).ToString());
}
