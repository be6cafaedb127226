using System.Text.Json;

namespace TrackMate.Http;

/// <summary>What JSON is called, and what is wrong with it, in a refusal's sentence.</summary>
internal static class JsonWords
{
    /// <summary>What the parser expected, by its own message; its other messages quote a part of the body, which may be a secret.</summary>
    public static string Expected(string message) => message switch
    {
        _ when message.Contains("Expected a ':'", StringComparison.Ordinal) => "expected a colon after the key",
        _ when message.Contains("start of a property name", StringComparison.Ordinal) => "expected a key in double quotes",
        _ when message.Contains("after a value", StringComparison.Ordinal) => "expected a comma or a closing bracket",
        _ when message.Contains("trailing comma", StringComparison.Ordinal) => "remove the comma before the closing bracket",
        _ when message.Contains("start of a value", StringComparison.Ordinal) => "expected a value",
        _ when message.Contains("end of string", StringComparison.Ordinal) => "a string is not closed",
        _ when message.Contains("should be closed", StringComparison.Ordinal) => "an object or array is not closed",
        _ when message.Contains("within a JSON string", StringComparison.Ordinal) => "escape this character in the string",
        _ when message.Contains("number", StringComparison.Ordinal) => "this is not a valid number",
        _ when message.Contains("literal", StringComparison.Ordinal) => "expected true, false or null",
        _ => "unexpected character",
    };

    public static string NameOf(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.Null => "null",
        _ => "not a value",
    };
}
