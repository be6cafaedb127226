using System.Globalization;
using System.Numerics;
using Microsoft.AspNetCore.Http.Features;
using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>What callers put into addresses, read and checked.</summary>
internal static class Queries
{
    private const int MaxLimit = 1000;

    public static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    public static Person PersonOf(HttpContext http, Documents documents) =>
        ProfileId.TryParse((string?)http.Request.RouteValues["id"], out var id) && documents.Persons.Find(documents.Company, id) is { } person
            ? person
            : throw new Refused(Reason.NotFound, "The company has no profile with this id.");

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
        _ => throw new Refused(Reason.BadParameter, $"{name} must be true or false.", name),
    };

    public static int LimitOf(string? text, int otherwise)
    {
        if (string.IsNullOrEmpty(text)) return otherwise;
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit) || limit < 1)
            throw new Refused(Reason.BadParameter, "limit must be a whole number of at least 1.", "limit");
        return (int)BigInteger.Min(limit, MaxLimit);
    }
}
