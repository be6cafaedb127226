namespace TrackMate.Host.Contract;

/// <summary>One call of the HTTP contract, as a reader of it sees it.</summary>
internal sealed record Call(HttpMethod Method, string Path, string Id, string Tag, string Summary, string Description, Type Answer, string AnswerExample)
{
    public const string Json = "application/json";

    /// <summary>What the body may be: one of these; none for a GET.</summary>
    public IReadOnlyList<Type> Bodies { get; init; } = [];

    /// <summary>All that the body may hold may be left out, and the body too.</summary>
    public bool IsBodyOptional { get; init; }

    public string? BodyExample { get; init; }

    /// <summary>Another answer to the same call, where a batch is answered otherwise than one.</summary>
    public Type? BatchAnswer { get; init; }

    public IReadOnlyList<CallParameter> Parameters { get; init; } = [];

    /// <summary>Statuses of the problems it may answer with.</summary>
    public IReadOnlyList<int> Problems { get; init; } = [];

    /// <summary>Of another kind than JSON, an answer is a text.</summary>
    public string ContentType { get; init; } = Json;

    /// <summary>The scope that the API key needs; null for a public call.</summary>
    public string? Scope { get; init; }
}

/// <param name="Example">A value that works, or null.</param>
internal sealed record CallParameter(string Name, bool InPath, string Description, string? Example = null, bool IsNumber = false);
