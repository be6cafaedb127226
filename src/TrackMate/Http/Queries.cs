using System.Globalization;
using System.Numerics;
using Microsoft.AspNetCore.Http.Features;
using TrackMate.Bind;

namespace TrackMate.Http;

/// <summary>What callers put into addresses, read and checked. Only a parameter of the call's contract can be read.</summary>
internal static class Queries
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 1000;

    /// <summary>A parameter as it was given; null where it is left out.</summary>
    /// <exception cref="InvalidOperationException">The call's contract does not name it.</exception>
    public static string? Given(HttpContext http, string name) => RouteContract.Of(http) is var contract && contract.Parameters.Any(parameter => parameter.Name == name)
        ? http.Request.Query[name]
        : throw new InvalidOperationException($"{contract.Id} has no parameter {name}; add it to the contract.");

    /// <summary>A parameter's text; null where it is left out or empty.</summary>
    public static string? TextOf(HttpContext http, string name) => Given(http, name) is { Length: > 0 } text ? text : null;

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
    public static bool FlagOf(HttpContext http, string name) => Given(http, name) switch
    {
        null or "" or "false" => false,
        "true" => true,
        _ => throw new RejectionException(Reason.BadParameter, $"{name} must be true or false.", name),
    };

    /// <summary>A time, in unix milliseconds; without an offset it is UTC, and a date alone is its first moment. Null where it is left out.</summary>
    public static long? TimeOf(HttpContext http, string name)
    {
        if (TextOf(http, name) is not { } text) return null;
        if (WrittenTime.TryParse(text, out var time)) return time.UnixMilliseconds;
        var hint = text.Contains(' ', StringComparison.Ordinal) ? " In an address a + means a blank; write it as %2B." : "";
        throw new RejectionException(Reason.BadParameter, $"{name} is not a time; send ISO 8601, such as 2025-10-18T10:00:00Z or 2025-10-18, or unix seconds or milliseconds.{hint}", name);
    }

    /// <summary>How many a page holds: 50 where it is left out, and 1,000 at most.</summary>
    public static int LimitOf(HttpContext http)
    {
        if (TextOf(http, RouteParameter.Limit.Name) is not { } text) return DefaultLimit;
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit) || limit < 1)
            throw new RejectionException(Reason.BadParameter, "limit must be a whole number of at least 1.", "limit");
        return (int)BigInteger.Min(limit, MaxLimit);
    }

    /// <summary>The cursor as it was given; null for the first page.</summary>
    public static string? CursorOf(HttpContext http) => TextOf(http, RouteParameter.Cursor.Name);
}
