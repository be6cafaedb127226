using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Contract;

/// <summary>The names in the contract are those that the server reads: a value that cannot be, in one of them, changes the answer; in any other name it changes nothing.</summary>
public sealed class DeclaredNamesTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Nobody = "000000000000000000000000";

    /// <summary>No field is an array in an array, so this can be the value of none.</summary>
    private const string Impossible = "[[]]";

    /// <summary>Bodies by record; of the others the contract has an example.</summary>
    private static readonly Dictionary<string, string> Batches = new(StringComparer.Ordinal)
    {
        ["BrowserEventsBody"] = """{"company_id":"TM-SHOP99","sessionId":"session_batch","events":[{"eventType":"page_view","eventId":"b1"}]}""",
        ["WebhooksBody"] = """{"events":[{"identifier":{"email":"batch@example.com"},"eventType":"page_view","eventId":"b1"}]}""",
    };

    /// <summary>Fields that are read and not offered: a webhook has no context of a page, and a company_id beside an event of a batch is only checked, as is that of the batch.</summary>
    private static readonly Dictionary<string, string[]> NotOffered = new(StringComparer.Ordinal)
    {
        ["WebhookBody"] = ["context"],
        ["WebhooksBody.events"] = ["context", "company_id"],
    };

    [Fact]
    public async Task A_body_is_read_by_the_names_in_the_contract_and_by_no_others()
    {
        // Where tokens are enforced, a token that cannot be is refused otherwise than none.
        var shop = await running.NewShopAsync(new() { TokenMode = TokenMode.Enforce });
        var schemas = (await ContractAsync())["components"]!["schemas"]!.AsObject();
        var operations = await OperationsAsync();
        var bodies = operations.Where(operation => operation.Node["requestBody"] is not null).SelectMany(BodiesOf).ToList();
        var names = bodies.SelectMany(body => ObjectsIn(schemas[body.Record]!, body.Json, body.Record)).SelectMany(part => part.Names).Concat(MemberNames.All).Distinct().ToList();
        Assert.True(names.Count > MemberNames.All.Count && bodies.Count > 10);

        foreach (var (path, record, json, alternatives) in bodies)
        {
            var untouched = await OutcomeAsync(shop, path, json);
            foreach (var part in ObjectsIn(schemas[record]!, json, record).Where(part => part.Path != "RevokeClaimsBody.identifier"))
            {
                // A name of the other form of the body would make this the other one.
                var others = part.Path == record ? alternatives.Where(other => other != record).SelectMany(other => schemas[other]!["properties"]!.AsObject().Select(property => property.Key)) : [];
                string[] read = [.. part.Names, .. NotOffered.GetValueOrDefault(part.Path, [])];
                foreach (var name in names.Except(others.Except(part.Names)))
                {
                    var sent = JsonNode.Parse(json)!;
                    part.In(sent)[name] = JsonNode.Parse(Impossible);
                    var changed = await OutcomeAsync(shop, path, sent.ToJsonString());
                    Assert.True(read.Contains(name) == (changed != untouched), $"{path}, {part.Path}, {name}: {changed}");
                }
            }
        }
    }

    /// <summary>Here each name alone is right, and beside another one wrong.</summary>
    [Fact]
    public async Task Claims_are_undone_by_the_identifiers_in_the_contract()
    {
        var shop = await running.NewShopAsync();
        var schemas = (await ContractAsync())["components"]!["schemas"]!;
        var declared = schemas["RevokeClaimsBody"]!["properties"]!["identifier"]!["properties"]!.AsObject().Select(property => property.Key).ToList();
        foreach (var name in declared.Union(MemberNames.All))
        {
            var value = name switch { "email" => "sarah@example.com", "userId" => Nobody, _ => "42" };
            var answer = await shop.Backend.PostAsync("/api/claims/revoke", new JsonObject { ["identifier"] = new JsonObject { [name] = value }, ["dryRun"] = true });
            Assert.True(declared.Contains(name) == answer.Status is HttpStatusCode.OK, $"{name}: {answer.Text}");
        }
    }

    [Fact]
    public async Task Every_parameter_in_the_contract_is_read()
    {
        var shop = await running.NewShopAsync();
        var sent = (await shop.Backend.WebhookAsync("order_created", email: "sarah@example.com", externalId: "42", eventId: "evt_1")).AssertOk();
        var parameters = 0;
        foreach (var operation in await OperationsAsync())
        {
            var path = operation.Path.Replace("{id}", sent["profileId"], StringComparison.Ordinal).Replace("{sessionId}", sent["sessionId"], StringComparison.Ordinal);
            foreach (var name in operation.Node["parameters"]?.AsArray().Where(parameter => parameter!["in"]!.ToString() == "query").Select(parameter => parameter!["name"]!.ToString()) ?? [])
            {
                parameters++;
                using var request = new HttpRequestMessage(new(operation.Method), $"{path}?{name}=nobody");
                request.Headers.Add("X-TrackMate-API-Key", shop.ApiKey);
                var answer = await Answer.OfAsync(await running.Http.SendAsync(request));
                if (answer.Status is HttpStatusCode.BadRequest) Assert.Contains(name, answer["detail"]);
                else Assert.NotEqual((await shop.Backend.GetAsync(path)).AssertOk().Text, answer.AssertOk().Text);
            }
        }

        Assert.InRange(parameters, 20, 100);
    }

    private async Task<JsonNode> ContractAsync() => JsonNode.Parse(await running.Http.GetStringAsync("/openapi/v1.json"))!;

    private async Task<List<Operation>> OperationsAsync() =>
        [.. (await ContractAsync())["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => new Operation(path.Key, operation.Key.ToUpperInvariant(), operation.Value!)))];

    /// <summary>A body of each of the records that the call takes, with the names of all of them.</summary>
    private static IEnumerable<(string Path, string Record, string Json, string[] Alternatives)> BodiesOf(Operation operation)
    {
        var content = operation.Node["requestBody"]!["content"]!["application/json"]!;
        var schema = content["schema"]!;
        string[] records = [.. (schema["oneOf"]?.AsArray() ?? [schema.DeepClone()]).Select(reference => reference!["$ref"]!.ToString().Split('/')[^1])];
        return records.Select(record => (operation.Path.Replace("{id}", Nobody, StringComparison.Ordinal), record, Batches.GetValueOrDefault(record) ?? content["example"]!.ToJsonString(), records));
    }

    /// <summary>The objects in a body of which the schema has the fields: the body itself, an event of a batch, an identifier.</summary>
    private static IEnumerable<Part> ObjectsIn(JsonNode schema, string json, string path) => ObjectsIn(schema, JsonNode.Parse(json)!, path, whole => whole);

    private static IEnumerable<Part> ObjectsIn(JsonNode schema, JsonNode value, string path, Func<JsonNode, JsonNode> find)
    {
        yield return new(path, [.. schema["properties"]!.AsObject().Select(property => property.Key)], find);
        foreach (var (name, property) in schema["properties"]!.AsObject())
        {
            if (value[name] is not { } inner) continue;
            var isArray = property!["items"] is not null;
            var type = property["items"] ?? property;
            if (type["properties"] is null) continue;
            foreach (var part in ObjectsIn(type, isArray ? inner[0]! : inner, $"{path}.{name}", whole => isArray ? find(whole)[name]![0]! : find(whole)[name]!)) yield return part;
        }
    }

    /// <summary>What the server thinks of a body: its status, and the sentence of each refusal.</summary>
    private static async Task<string> OutcomeAsync(Shop shop, string path, string json)
    {
        var answer = await shop.Backend.PostAsync(path, json.Replace("TM-SHOP99", shop.CompanyId, StringComparison.Ordinal));
        Assert.True((int)answer.Status < 500, answer.Text);
        var parts = (answer.Body!["rejected"] ?? answer.Body["results"])?.AsArray().Select(part => part!["detail"]?.ToString()) ?? [];
        return string.Join(' ', parts.Prepend(answer["detail"]).Prepend(answer.Status.ToString()));
    }

    private sealed record Operation(string Path, string Method, JsonNode Node);

    /// <param name="Path">The record's name, and then the fields that lead to the object.</param>
    private sealed record Part(string Path, string[] Names, Func<JsonNode, JsonNode> In);
}
