using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;

namespace TrackMate.Http;

/// <summary>
/// The fields of an act's body. Only a field that the record in the call's contract has can be read, so the contract names all that the call reads. (Messages, of
/// which there are many more, are read by <see cref="WireObject"/>.)
/// </summary>
internal sealed class BodyFields
{
    /// <summary>By record: the names of its fields on the wire, and their types.</summary>
    private static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, Type>> Declared = new();

    private readonly JsonElement json;
    private readonly Type record;

    private BodyFields(JsonElement json, Type record)
    {
        this.json = json;
        this.record = record;
    }

    /// <summary>How many fields were sent, known or not.</summary>
    public int Count => json.GetPropertyCount();

    /// <summary>Reads the body of a request. A request without a body has no fields.</summary>
    /// <exception cref="RejectionException">The body is not a JSON object, or breaks a rule of <see cref="JsonRules"/>.</exception>
    public static async Task<BodyFields> ReadAsync(HttpContext http)
    {
        var record = RouteContract.Of(http).Bodies.Single();
        if (http.Request.ContentLength is 0 || (http.Request.ContentLength is null && !http.Request.Headers.ContainsKey("Transfer-Encoding"))) return new(JsonElement.Parse("{}"u8), record);
        using var body = await RequestBody.ReadAsync(http);
        // By the rules of every other body: text that no store takes, or that no decoder reads, goes no further.
        var wire = WireObject.Read(body.Utf8, FieldPath.Body);
        try
        {
            return new(JsonElement.Parse(wire.Json.Span, new() { AllowDuplicateProperties = false }), record);
        }
        catch (JsonException)
        {
            // Of the members that messages have, events is left to whoever reads each of them.
            throw new RejectionException(Reason.BadValue, "events is no member of this body.", "events");
        }
    }

    /// <summary>A field's value; null where it is left out or null.</summary>
    public JsonElement? Find(string name)
    {
        TypeOf(name);
        return json.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;
    }

    /// <summary>The fields of an object; null where it is left out or no object.</summary>
    public BodyFields? Object(string name) => Find(name) is { ValueKind: JsonValueKind.Object } value ? new(value, TypeOf(name)) : null;

    /// <summary>A field that is true or false; false where it is left out.</summary>
    /// <exception cref="RejectionException">It is something else.</exception>
    public bool Flag(string name) => Find(name)?.ValueKind switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw new RejectionException(Reason.WrongType, $"{name} must be true or false.", name),
    };

    /// <summary>A time in unix milliseconds, written as in messages or as in an address; null where it is left out.</summary>
    /// <exception cref="RejectionException">It is no time.</exception>
    public long? Time(string name)
    {
        if (Find(name) is not { } value) return null;
        var time = default(WrittenTime);
        var isTime = value.ValueKind switch
        {
            JsonValueKind.String => WrittenTime.TryParse(value.GetString(), out time),
            JsonValueKind.Number => value.TryGetDecimal(out var number) && WrittenTime.TryFromUnix(number, out time),
            _ => false,
        };
        return isTime ? time.UnixMilliseconds : throw new RejectionException(Reason.BadValue, $"{name} is not a time; send ISO 8601, such as 2025-10-18T10:00:00Z, or unix seconds or milliseconds.", name);
    }

    /// <summary>A string of 1 to <paramref name="most"/> characters; null where it is left out or something else.</summary>
    public string? TextOrNull(string name, int most) => Find(name) is { ValueKind: JsonValueKind.String } value && value.GetString() is { Length: > 0 } text && text.Length <= most ? text : null;

    /// <exception cref="RejectionException">It is left out, no string, empty, or too long for an id.</exception>
    public string RequiredText(string name)
    {
        var text = TextOrNull(name, int.MaxValue) ?? throw new RejectionException(Reason.MissingField, $"{name} is missing; send it as a string.", name);
        return text.Length <= WireObject.MaxLength ? text : throw new RejectionException(Reason.BadValue, $"{name} is longer than {WireObject.MaxLength} characters.", name);
    }

    /// <exception cref="RejectionException">It is left out, or no profile's id.</exception>
    public ProfileId RequiredProfile(string name) =>
        ProfileId.TryParse(RequiredText(name), out var id) ? id : throw new RejectionException(Reason.BadValue, $"{name} is not a profile's id; send its 24 hex digits.", name);

    private Type TypeOf(string name) =>
        Declared.GetOrAdd(record, FieldsOf).TryGetValue(name, out var type) ? type : throw new InvalidOperationException($"{record.Name} has no field {name}; add it to the contract.");

    private static IReadOnlyDictionary<string, Type> FieldsOf(Type record) => record.GetProperties().ToDictionary(
        property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name), property => property.PropertyType, StringComparer.Ordinal);
}
