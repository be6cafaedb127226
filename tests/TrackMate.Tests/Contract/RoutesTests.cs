using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TrackMate.Host;
using TrackMate.Http;
using TrackMate.Receive;
using TrackMate.Show;
using TrackMate.Tests.Docs;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Contract;

/// <summary>A call's contract stands at its route, and the call reads nothing that the contract does not name.</summary>
[NoStore]
public sealed partial class RoutesTests
{
    [Fact]
    public async Task Every_call_is_in_the_contract_and_every_call_of_the_contract_is_mapped()
    {
        var reviewed = JsonNode.Parse(await File.ReadAllTextAsync(DocsTests.PathOf("tests/TrackMate.Tests/Contract/openapi.json")))!["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}"));

        await using var server = new BuiltServer();

        Assert.Equal(Lines(reviewed), Lines(server.Calls.Select(Name)));
        Assert.Equal("", Lines(server.Calls.Where(call => call.Metadata.GetMetadata<RouteContract>() is null).Select(Name)));
    }

    [Fact]
    public async Task Every_parameter_of_a_path_is_described()
    {
        await using var server = new BuiltServer();

        var missing = server.Calls.SelectMany(call => call.RoutePattern.Parameters
            .Where(part => !call.Metadata.GetRequiredMetadata<RouteContract>().Parameters.Any(parameter => parameter.Name == part.Name)).Select(part => $"{Name(call)}: {part.Name}"));

        Assert.Equal("", Lines(missing));
    }

    /// <summary>Pages read their own addresses, in .razor files; they are no calls.</summary>
    [Fact]
    public void Parameters_are_read_through_the_contract()
    {
        var past = Directory.EnumerateFiles(DocsTests.PathOf("src/TrackMate"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && Query().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetFileName(file));

        Assert.Equal(Lines(["AddressText.cs", "Queries.cs"]), Lines(past));
    }

    [Fact]
    public async Task What_the_contract_does_not_name_cannot_be_read()
    {
        var contract = new RouteContract("test", CallGroup.Read, "", "", typeof(ActDocument), "") { Parameters = [RouteParameter.Limit], Bodies = [typeof(RevokeClaimsBody)] };
        var sent = """{"identifier":{"email":"a@b.example","phone":"1"},"form":7}"""u8.ToArray();
        var http = new DefaultHttpContext { Request = { QueryString = new("?limit=7&cursor=x"), Body = new MemoryStream(sent), ContentLength = sent.Length } };
        http.SetEndpoint(new Endpoint(null, new(contract), "test"));
        Assert.Equal(7, Queries.LimitOf(http));
        Assert.Throws<InvalidOperationException>(() => Queries.CursorOf(http));

        var body = await BodyFields.ReadAsync(http);
        var identifier = body.Object("identifier")!;
        Assert.Equal("a@b.example", identifier.TextOrNull("email", 320));
        Assert.Null(body.Time("from"));
        Assert.Throws<InvalidOperationException>(() => body.Time("form"));
        Assert.Throws<InvalidOperationException>(() => identifier.TextOrNull("phone", 320));
    }

    private static string Name(RouteEndpoint call) => $"{string.Join('|', call.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["any method"])} {call.RoutePattern.RawText}";

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines.Order(StringComparer.Ordinal));

    [GeneratedRegex(@"\bRequest\.Query\b")]
    private static partial Regex Query();

    /// <summary>A server that is put together and not started.</summary>
    private sealed class BuiltServer : IAsyncDisposable
    {
        private readonly TemporaryFolder folder = new();
        private readonly Microsoft.AspNetCore.Builder.WebApplication app;

        public BuiltServer() => app = Server.Build(ServerOptions.FromEnvironment(name => name == "TRACKMATE_DATA" ? folder.Path : null), TimeProvider.System);

        /// <summary>The routes of the API, but for what browsers ask before a call.</summary>
        public IReadOnlyList<RouteEndpoint> Calls =>
            [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                .Where(route => route.RoutePattern.RawText!.TrimStart('/').Split('/')[0] is "api" or "health" && route.Metadata.GetMetadata<PreflightOf>() is null)];

        public async ValueTask DisposeAsync()
        {
            await app.DisposeAsync();
            folder.Dispose();
        }
    }
}
