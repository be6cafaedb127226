using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Bind;
using TrackMate.Http;

namespace TrackMate.Show;

/// <summary>How the read API writes what it shows.</summary>
internal static class Shown
{
    /// <summary>Nulls are written: a profile without an e-mail says so.</summary>
    public static readonly ShowJson Json = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JsonAnswer.Encoder, Converters = { new AsSent() } });

    /// <summary>What senders sent comes back to the byte, with its white space and escapes.</summary>
    private sealed class AsSent : JsonConverter<JsonElement>
    {
        public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonElement.ParseValue(ref reader);

        public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }

    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString(unixMilliseconds % 1000 == 0 ? "yyyy-MM-ddTHH:mm:ssZ" : "yyyy-MM-ddTHH:mm:ss.fffZ");

    public static IdentifierDocument Document(Identifier identifier) => new(Name(identifier.Kind), identifier.Value, identifier.Id.ToString());

    public static string Name(Origin origin) => origin is Origin.Browser ? "client" : "server";

    public static string Name(Trust trust) => trust is Trust.Verified ? "verified" : "claimed";

    public static string Name(IdentifierKind kind) => kind switch
    {
        IdentifierKind.Email => "email",
        IdentifierKind.External => "externalId",
        _ => "userId",
    };
}
