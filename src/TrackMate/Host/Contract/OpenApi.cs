using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.OpenApi;
using Scalar.AspNetCore;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Receive;

namespace TrackMate.Host.Contract;

/// <summary><c>/openapi/v1.json</c> and <c>/docs</c>, a page to try it on that loads nothing from elsewhere.</summary>
internal static class OpenApi
{
    private const string KeyScheme = "apiKey";

    // The page's own script and styles stand in it; nothing is fetched but from this server.
    private const string DocsPolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

    public static void Add(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict);
        services.AddOpenApi("v1", options => options.AddDocumentTransformer(DescribeAsync).AddSchemaTransformer(Correct));
    }

    public static void Map(WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapScalarApiReference("/docs", docs =>
        {
            docs.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            docs.WithTitle("TrackMate API")
                .WithOpenApiRoutePattern("/openapi/{documentName}.json")
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideClientButton()
                .AddPreferredSecuritySchemes(KeyScheme);
        });
        app.Use(next => http =>
        {
            if (http.Request.Path.StartsWithSegments("/docs", StringComparison.OrdinalIgnoreCase)) http.Response.Headers.ContentSecurityPolicy = DocsPolicy;
            return next(http);
        });
    }

    private static async Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new()
        {
            Title = "TrackMate API",
            Version = Health.Version,
            Description = "JSON in and out. A 200 says that everything in it is committed and on disk. What is refused is answered as problem details (RFC 9457) whose detail says what to mend.",
        };
        // Which server it is depends on who asks; the contract does not.
        document.Servers = [];
        document.Paths = [];
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [KeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = ApiKey.Header,
                Description = "Make one with: trackmate key add. Its scopes say what it may do: write sends webhooks, read reads, admin corrects, exports and erases.",
            },
        };
        var calls = CallsOf(context.ApplicationServices);
        var contracts = calls.Select(call => call.Contract).ToList();
        document.Tags = contracts.Select(contract => contract.Group).Distinct().Select(group => new OpenApiTag { Name = group.ToString() }).ToHashSet();

        foreach (var type in contracts.SelectMany(contract => contract.Bodies.Append(contract.ContentType == RouteContract.Json ? contract.Answer : null).Append(contract.BatchAnswer)).OfType<Type>().Append(typeof(Problem)).Distinct())
            document.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, cancellationToken: cancel));
        ((OpenApiSchema)document.Components.Schemas![nameof(WebhookBatchAnswer)].Properties!["results"]).Items = SchemaOf(document, [typeof(WebhookAnswer), typeof(Problem)]);
        foreach (var path in calls.GroupBy(call => call.Path, StringComparer.Ordinal))
            document.Paths.Add(path.Key, new OpenApiPathItem { Operations = path.ToDictionary(call => call.Method, call => Describe(call, document)) });
    }

    /// <summary>The routes that have a contract, in the order in which they were mapped.</summary>
    private static List<Call> CallsOf(IServiceProvider services) =>
        [.. services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<RouteContract>() is not null)
            .Select(route => new Call(route.RoutePattern, HttpMethod.Parse(route.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Single()), route.Metadata.GetRequiredMetadata<RouteContract>()))];

    private sealed record Call(RoutePattern Pattern, HttpMethod Method, RouteContract Contract)
    {
        public string Path => Pattern.RawText!;
    }

    /// <summary>What a record's constructor asks for and its answer leaves out where it is null.</summary>
    private static Task Correct(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        // What senders write as a number is taken too: unix seconds or milliseconds for a time, and ids of databases.
        if (context.JsonPropertyInfo is { } sent && sent.DeclaringType.IsAssignableTo(typeof(IRequestBody)))
        {
            if (schema.Format is "date-time") (schema.Type, schema.Format) = (schema.Type | JsonSchemaType.Number, null);
            else if (sent.Name is "eventId" or "externalId") schema.Type |= JsonSchemaType.Integer;
        }

        schema.Required?.ExceptWith(context.JsonTypeInfo.Properties.Where(IsLeftOutIfNull).Select(property => property.Name));
        return Task.CompletedTask;
    }

    private static bool IsLeftOutIfNull(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: false) is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.WhenWritingNull }];

    private static OpenApiOperation Describe(Call call, OpenApiDocument document)
    {
        var contract = call.Contract;
        var operation = new OpenApiOperation
        {
            OperationId = contract.Id,
            Summary = contract.Summary,
            Description = contract.Description,
            Tags = new HashSet<OpenApiTagReference> { new(contract.Group.ToString(), document) },
            Parameters = contract.Parameters.Count == 0 ? null : [.. contract.Parameters.Select(parameter => Describe(parameter, isInPath: call.Pattern.GetParameter(parameter.Name) is not null))],
            Responses = new() { ["200"] = Answer("Done, and on disk where something was sent.", contract.ContentType, AnswerSchemaOf(document, contract), contract.AnswerExample) },
        };
        if (contract.Bodies.Count > 0)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = !contract.IsBodyOptional,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { ["application/json"] = Media(SchemaOf(document, contract.Bodies), contract.BodyExample!) },
            };
        }

        foreach (var status in contract.Problems)
            operation.Responses[status.ToString()] = Answer(Meaning(status), "application/problem+json", new OpenApiSchemaReference(nameof(Problem), document), null, status);
        if (contract.Scope is { } scope)
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [ApiKey.Write(scope)] }];
        return operation;
    }

    private static OpenApiParameter Describe(RouteParameter parameter, bool isInPath) => new()
    {
        Name = parameter.Name,
        In = isInPath ? ParameterLocation.Path : ParameterLocation.Query,
        Required = isInPath,
        Description = parameter.Description,
        Schema = new OpenApiSchema { Type = parameter.IsNumber ? JsonSchemaType.Integer : JsonSchemaType.String },
        Example = parameter.Example is { } example ? parameter.IsNumber ? int.Parse(example) : example : null,
    };

    private static OpenApiResponse Answer(string description, string contentType, IOpenApiSchema schema, string? example, int status = 200)
    {
        var answer = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [contentType] = Media(schema, example) },
        };
        if (status is 429 or 503)
        {
            answer.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
            {
                ["Retry-After"] = new OpenApiHeader { Description = "Whole seconds after which to send it again.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } },
            };
        }

        return answer;
    }

    private static OpenApiMediaType Media(IOpenApiSchema schema, string? example) => new() { Schema = schema, Example = example is null ? null : JsonNode.Parse(example) };

    private static IOpenApiSchema AnswerSchemaOf(OpenApiDocument document, RouteContract contract) =>
        contract.ContentType != RouteContract.Json ? new OpenApiSchema { Type = JsonSchemaType.String } : SchemaOf(document, contract.BatchAnswer is null ? [contract.Answer] : [contract.Answer, contract.BatchAnswer]);

    private static IOpenApiSchema SchemaOf(OpenApiDocument document, IReadOnlyList<Type> types) =>
        types.Count == 1
            ? new OpenApiSchemaReference(types[0].Name, document)
            : new OpenApiSchema { OneOf = [.. types.Select(type => (IOpenApiSchema)new OpenApiSchemaReference(type.Name, document))] };

    private static string Meaning(int status) => status switch
    {
        400 => "Malformed: not JSON, not UTF-8, a key twice, a damaged cursor, a parameter that cannot be.",
        401 => "An unknown company_id, or no or an unknown key.",
        403 => "Another company's key, an origin that is not listed, or a key without the scope.",
        404 => "What was asked for is not there.",
        408 => "The body did not arrive in time.",
        413 => "More bytes than are taken: 1 MiB in a request, 32 KiB in an event.",
        415 => "A Content-Encoding other than gzip, deflate and br.",
        422 => "JSON that breaks a rule: a missing field, a value that cannot be, too deep, too many.",
        429 => "More than this address or this company may send now.",
        _ => "The store cannot take it now; nothing of it was stored.",
    };
}
