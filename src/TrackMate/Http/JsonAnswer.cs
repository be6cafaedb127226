using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace TrackMate.Http;

/// <summary>How the API answers: JSON in camelCase, no nulls that were not asked for, text readable as it is.</summary>
internal static class JsonAnswer
{
    /// <summary>Answers are JSON by their Content-Type, never pasted into HTML: nothing but JSON's own escapes is needed.</summary>
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = Encoder,
    };

    public static readonly ProblemJson Problems = new(new(Options));

    public static Task WriteAsync<T>(HttpContext http, T answer, JsonTypeInfo<T> type) => WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(answer, type));

    public static Task WriteAsync(HttpContext http, byte[] json)
    {
        if (json.Length > EdgeLimits.LargeBytes) return WriteLargeAsync(http, json);
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = json.Length;
        return http.Response.Body.WriteAsync(json, http.RequestAborted).AsTask();
    }

    /// <summary>It stays in memory until it is taken, however slowly.</summary>
    private static async Task WriteLargeAsync(HttpContext http, byte[] json)
    {
        using var held = new HeldMemory(http, json.Length);
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = json.Length;
        await http.Response.Body.WriteAsync(json, http.RequestAborted);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ProblemJson : JsonSerializerContext;

/// <summary>RFC 9457 problem details.</summary>
/// <param name="Type">A name that stays: <c>urn:trackmate:problem:missing_field</c>.</param>
/// <param name="Errors">By the field's wire name, what to mend.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors = null);
