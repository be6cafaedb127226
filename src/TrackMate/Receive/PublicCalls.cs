using System.Buffers;
using System.Collections.Frozen;
using Microsoft.Net.Http.Headers;

namespace TrackMate.Receive;

/// <summary>
/// The calls that browsers make, and their cross-origin rules. Any page may read the answer, never with credentials; whether a page may send for a company is decided
/// by the company's list of origins once the body names it, since a preflight has no body.
/// </summary>
internal static class PublicCalls
{
    /// <summary>A page's own headers and those of what monitors it come to some hundred characters; a longer list is answered by <c>*</c>.</summary>
    private const int MaxEchoed = 4096;

    private const int MaxMethod = 32;

    private static readonly FrozenSet<string> Sending = TrackEvents.Paths.Concat(IdentifyProfile.Paths).SelectMany(path => new[] { path, path + "/" }).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    private static readonly SearchValues<char> ListCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz, \t");

    /// <summary>Maps a call that pages make: its path and its aliases, and for each the preflight.</summary>
    /// <param name="paths">The path of the contract first.</param>
    /// <returns>The route of the path, for its contract. An alias is told in the description.</returns>
    public static IEndpointConventionBuilder MapPublic(this IEndpointRouteBuilder app, string method, IReadOnlyList<string> paths, RequestDelegate call)
    {
        var taken = HttpMethods.IsGet(method) ? $"{HttpMethods.Get}, {HttpMethods.Head}" : method;
        foreach (var path in paths) app.MapMethods(path, [HttpMethods.Options], Preflight).ShortCircuit().WithMetadata(new PreflightOf(taken));
        foreach (var alias in paths.Skip(1)) app.MapMethods(alias, [method], call).ShortCircuit();
        return app.MapMethods(paths[0], [method], call).ShortCircuit();
    }

    /// <summary>The first step of all, so that a page can read every answer, whoever gives it: 405, 413, 429 and 503 too.</summary>
    public static Task Middleware(HttpContext http, RequestDelegate next)
    {
        if (Sending.Contains(http.Request.Path.Value ?? "")) AllowEveryOrigin(http);
        return next(http);
    }

    public static void AllowEveryOrigin(HttpContext http)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers.AccessControlExposeHeaders = "Retry-After";
    }

    /// <summary>
    /// Every header and method that a page asks for passes: what monitors the page adds some to each request (<c>traceparent</c>, <c>baggage</c>, <c>sentry-trace</c>).
    /// They are echoed, since older browsers read <c>*</c> as a name. A method that the call does not take is then a 405, which the page can read.
    /// </summary>
    public static Task Preflight(HttpContext http)
    {
        AllowEveryOrigin(http);
        var (asked, answer) = (http.Request.Headers, http.Response.Headers);
        var taken = http.GetEndpoint()?.Metadata.GetMetadata<PreflightOf>()?.Methods ?? HttpMethods.Post;
        var method = asked.AccessControlRequestMethod.ToString();
        answer.AccessControlAllowMethods = method.Length is 0 or > MaxMethod || method.AsSpan().ContainsAnyExcept(TokenCharacters) || taken.Contains(method, StringComparison.Ordinal) ? taken : $"{taken}, {method}";
        var headers = asked.AccessControlRequestHeaders.ToString();
        answer.AccessControlAllowHeaders = headers.Length is 0 or > MaxEchoed || headers.AsSpan().ContainsAnyExcept(ListCharacters) ? "*, Authorization, Content-Type, Content-Encoding" : headers;
        // A public page that sends into a company's own network.
        if (asked["Access-Control-Request-Private-Network"] == "true") answer["Access-Control-Allow-Private-Network"] = "true";
        answer.AccessControlMaxAge = "86400";
        answer.Vary = $"{HeaderNames.AccessControlRequestMethod}, {HeaderNames.AccessControlRequestHeaders}, Access-Control-Request-Private-Network";
        answer.Allow = $"{HttpMethods.Options}, {taken}";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}

/// <summary>What the call of a preflight takes, as a list.</summary>
internal sealed record PreflightOf(string Methods);
