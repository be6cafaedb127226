using TrackMate.Manage;

namespace TrackMate.Http;

/// <summary>The groups of calls in the OpenAPI document.</summary>
internal enum CallGroup
{
    Send,
    Read,
    Decide,
    Operate,
}

/// <summary>
/// The contract of a call. It is metadata of the call's route, which has the method and the path. The OpenAPI document is made from it, and the call can read no
/// parameter (<see cref="Queries"/>) and no field of an act's body (<see cref="BodyFields"/>) that stands not in it.
/// </summary>
/// <param name="Id">The operationId.</param>
/// <param name="Answer">The record that is the answer with 200.</param>
internal sealed record RouteContract(string Id, CallGroup Group, string Summary, string Description, Type Answer, string AnswerExample)
{
    public const string Json = "application/json";

    /// <summary>Parameters of the path and of the query. Those that the route's pattern names are in the path.</summary>
    public IReadOnlyList<RouteParameter> Parameters { get; init; } = [];

    /// <summary>The body is one of these records; empty for a call without a body.</summary>
    public IReadOnlyList<Type> Bodies { get; init; } = [];

    /// <summary>Every field of the body may be left out, and then the body may be left out too.</summary>
    public bool IsBodyOptional { get; init; }

    public string? BodyExample { get; init; }

    /// <summary>The answer to a batch, where that is another record than the answer to a single event.</summary>
    public Type? BatchAnswer { get; init; }

    /// <summary>The statuses of the problems that the call may answer with.</summary>
    public IReadOnlyList<int> Problems { get; init; } = [];

    /// <summary>The content type of the answer. An answer that is not JSON is shown as text.</summary>
    public string ContentType { get; init; } = Json;

    /// <summary>The scope that the API key needs (<see cref="Keys"/>); null for a public call.</summary>
    public Scopes? Scope { get; init; }

    /// <summary>The contract of the call that answers this request.</summary>
    /// <exception cref="InvalidOperationException">The route has none.</exception>
    public static RouteContract Of(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<RouteContract>() ?? throw new InvalidOperationException($"The route of {http.Request.Path} has no contract.");
}

/// <param name="Name">As it stands in the pattern of the route, or in the query.</param>
/// <param name="Example">A value that works, or null.</param>
internal sealed record RouteParameter(string Name, string Description, string? Example = null, bool IsNumber = false)
{
    public static readonly RouteParameter Limit = new("limit", "How many at most: 50 if left out; above 1,000 is read as 1,000.", "50", IsNumber: true);

    public static readonly RouteParameter Cursor = new("cursor", "The nextCursor of the page before. Cursors never expire.");

    public static readonly RouteParameter Profile = new("id", "A profile's id: 24 hex digits.", "671234567890abcdef123456");
}

/// <summary>Marks a record of a request's body, or of a part of one. Senders may write its times and ids as numbers too.</summary>
internal interface IRequestBody;

internal static class RouteContracts
{
    /// <summary>Gives a route its contract.</summary>
    public static void Describe(this IEndpointConventionBuilder route, RouteContract contract) => route.WithMetadata(contract);
}
