using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using TrackMate.Bind;

namespace TrackMate.Http;

/// <summary>What callers put into addresses, read and checked.</summary>
internal static class Queries
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 1000;

    public static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>The profile id in the path.</summary>
    /// <exception cref="RejectionException">It is none, so there is no such profile.</exception>
    public static ProfileId ProfileOf(HttpContext http) => ProfileId.TryParse((string?)http.Request.RouteValues["id"], out var id) ? id : throw NoProfile();

    public static RejectionException NoProfile() => new(Reason.NotFound, "The company has no profile with this id.");

    /// <summary>A segment of the path as it was meant: an id may hold a slash, which a decoded path cannot tell from one between segments.</summary>
    /// <param name="http">The request.</param>
    /// <param name="fromEnd">0 for the last one.</param>
    public static string Segment(HttpContext http, int fromEnd = 0)
    {
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (path.IndexOf('?') is >= 0 and var query) path = path[..query];
        return Uri.UnescapeDataString(path.TrimEnd('/').Split('/')[^(fromEnd + 1)]);
    }

    /// <summary>A parameter that is <c>true</c> or <c>false</c>; false where it is left out.</summary>
    public static bool FlagOf(HttpContext http, string name) => (string?)http.Request.Query[name] switch
    {
        null or "" or "false" => false,
        "true" => true,
        _ => throw new RejectionException(Reason.BadParameter, $"{name} must be true or false.", name),
    };

    /// <summary>A time, in unix milliseconds; without an offset it is UTC, and a date alone is its first moment. Null where it is left out.</summary>
    public static long? TimeOf(string? text, string name)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (WrittenTime.TryParse(text, out var time)) return time.UnixMilliseconds;
        var hint = text.Contains(' ', StringComparison.Ordinal) ? " In an address a + means a blank; write it as %2B." : "";
        throw new RejectionException(Reason.BadParameter, $"{name} is not a time; send ISO 8601, such as 2025-10-18T10:00:00Z or 2025-10-18, or unix seconds or milliseconds.{hint}", name);
    }

    /// <summary>A time in a body, in unix milliseconds, written as in messages or as in an address. Null where it is left out.</summary>
    public static long? TimeIn(JsonElement body, string name)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        var time = default(WrittenTime);
        var isTime = value.ValueKind switch
        {
            JsonValueKind.String => WrittenTime.TryParse(value.GetString(), out time),
            JsonValueKind.Number => value.TryGetDecimal(out var number) && WrittenTime.TryFromUnix(number, out time),
            _ => false,
        };
        return isTime ? time.UnixMilliseconds : throw new RejectionException(Reason.BadValue, $"{name} is not a time; send ISO 8601, such as 2025-10-18T10:00:00Z, or unix seconds or milliseconds.", name);
    }

    /// <summary>How many a page holds: 50 where it is left out, and 1,000 at most.</summary>
    public static int LimitOf(string? text)
    {
        if (string.IsNullOrEmpty(text)) return DefaultLimit;
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit) || limit < 1)
            throw new RejectionException(Reason.BadParameter, "limit must be a whole number of at least 1.", "limit");
        return (int)BigInteger.Min(limit, MaxLimit);
    }
}
