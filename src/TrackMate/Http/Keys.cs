using TrackMate.Bind;
using TrackMate.Manage;

namespace TrackMate.Http;

/// <summary>Who calls: the company whose API key came with the request.</summary>
internal static class Keys
{
    /// <summary>Checks the key by the scope of the call's contract.</summary>
    /// <exception cref="RejectionException">As for a given scope.</exception>
    /// <exception cref="InvalidOperationException">The contract is that of a public call.</exception>
    public static (Company Company, ApiKey Key) Authorize(HttpContext http, Registry registry) =>
        Authorize(http, registry, RouteContract.Of(http) is { Scope: { } scope } ? scope : throw new InvalidOperationException($"The contract of {http.Request.Path} names no scope."));

    /// <exception cref="RejectionException">No key, an unknown or revoked one, or one without the scope.</exception>
    public static (Company Company, ApiKey Key) Authorize(HttpContext http, Registry registry, Scopes scope)
    {
        var given = http.Request.Headers[ApiKey.Header].ToString();
        if (given.Length == 0) throw new RejectionException(Reason.NoKey, $"This call needs an API key in the header {ApiKey.Header}.");
        var found = registry.FindKey(given) ?? throw new RejectionException(Reason.UnknownKey, "The API key is unknown or revoked. Create one with: trackmate key add");
        if (!found.Key.Scopes.HasFlag(scope))
            throw new RejectionException(Reason.ScopeMissing, $"The API key {found.Key.Shown} does not have the scope '{scope.ToString().ToLowerInvariant()}'. Create a key that has it with: trackmate key add");
        return found;
    }
}
