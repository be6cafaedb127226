using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Docs;

/// <summary>What the documents show works: shell blocks run, the requests of the .http files are answered as they say, and links lead somewhere.</summary>
public sealed partial class DocsTests
{
    private static readonly string[] Documents = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

    public static TheoryData<string> Markdown => [.. Documents.Concat(Directory.EnumerateFiles(PathOf("docs"), "*.md", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(PathOf("."), file))).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Markdown))]
    public async Task Shell_blocks_run_and_answer_as_shown(string document)
    {
        var blocks = Blocks(await File.ReadAllTextAsync(PathOf(document)));
        foreach (var block in blocks.Where(block => block.Language is "json")) JsonNode.Parse(block.Text);
        Assert.DoesNotContain(blocks, block => block.Language is "" or "bash" or "shell");
        if (blocks.All(block => block.Language is not "sh")) return;

        await using var server = await StartAsync();
        using var shell = new Shell(server);
        for (var i = 0; i < blocks.Count; i++)
        {
            if (blocks[i].Language is not "sh") continue;
            var statuses = await shell.RunAsync(blocks[i].Text);
            var shown = i + 1 < blocks.Count ? blocks[i + 1] : new("", "");
            var expected = shown.Language is "http" ? shown.Text.Split(' ')[1] : "200";
            Assert.All(statuses, status => Assert.True(status == expected, $"{document}: {blocks[i].Text}\nanswered {status}, not {expected}: {shell.LastAnswer}"));
            var body = shown.Language is "json" ? shown.Text : shown.Language is "http" && shown.Text.Contains('{') ? shown.Text[shown.Text.IndexOf('{')..] : "";
            if (body.Length > 0) Assert.Equal(ShapeOf(JsonNode.Parse(body)!), ShapeOf(JsonNode.Parse(shell.LastAnswer)!));
        }
    }

    [Theory]
    [MemberData(nameof(Markdown))]
    public void Links_lead_somewhere(string document)
    {
        var folder = Path.GetDirectoryName(PathOf(document))!;
        var links = Link().Matches(File.ReadAllText(PathOf(document))).Select(match => match.Groups[1].Value.Split('#')[0]).Where(link => link.Length > 0 && !link.Contains("://", StringComparison.Ordinal));

        Assert.All(links, link => Assert.True(Path.Exists(Path.Combine(folder, link)), $"{document} links to {link}, which is not there."));
    }

    [Fact]
    public async Task Requests_of_the_http_files_are_answered_as_they_say()
    {
        await using var server = await StartAsync();
        foreach (var file in new[] { "ingest.http", "webhooks.http", "read.http", "acts.http", "errors.http" })
        {
            foreach (var request in HttpRequest().Matches((await File.ReadAllTextAsync(PathOf("http", file))).Replace("{{host}}", server.Address.ToString().TrimEnd('/')).Replace("{{key}}", ServerProcess.ApiKey)).Cast<Match>())
            {
                using var message = new HttpRequestMessage(new(request.Groups["method"].Value), request.Groups["url"].Value);
                foreach (var header in request.Groups["headers"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": ", 2)).Where(header => header[0] != "Content-Type"))
                    message.Headers.TryAddWithoutValidation(header[0], header[1]);
                if (message.Method == HttpMethod.Post) message.Content = new StringContent(request.Groups["body"].Value, Encoding.UTF8, "application/json");
                using var response = await server.Http.SendAsync(message);

                Assert.Equal($"{file}, {request.Groups["title"].Value}: {request.Groups["status"].Value}", $"{file}, {request.Groups["title"].Value}: {(int)response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task The_settings_and_metrics_that_the_guide_names_are_there()
    {
        var guide = await File.ReadAllTextAsync(PathOf("docs/operate.md"));
        var source = string.Concat(Directory.EnumerateFiles(PathOf("src/TrackMate/Host"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.All(Setting().Matches(source).Select(match => match.Value).Where(name => name != "TRACKMATE_DATABASE").Distinct(), name => Assert.Contains($"`{name}`", guide));

        await using var server = await ServerProcess.StartAsync();
        await new Shopper(server.Http, ServerProcess.CompanyId).TrackAsync("page_view", eventId: "once");
        await new Shopper(server.Http, ServerProcess.CompanyId).TrackAsync("page_view", eventId: "once");
        await new Shopper(server.Http, ServerProcess.CompanyId).TrackAsync("");
        await new CommandLineRunner(server).DoAsync("company set --tokens observe");
        var metrics = await Eventually.BecomesAsync(
            async () =>
            {
                await new Shopper(server.Http, ServerProcess.CompanyId).IdentifyAsync("a@example.com");
                return await server.Http.GetStringAsync("/metrics");
            },
            metrics => metrics.Contains("without_token", StringComparison.Ordinal) && metrics.Contains("stitch_rate{", StringComparison.Ordinal));
        Assert.All(Metric().Matches(guide).Select(match => match.Value).Distinct(), name => Assert.Contains(name, metrics));
    }

    [Fact]
    public async Task The_snippet_of_the_README_is_the_one_that_is_given_out()
    {
        var given = (await File.ReadAllTextAsync(PathOf("clients/browser/snippet.html"))).Replace("{{company}}", FirstStart.FirstCompanyId).Replace("{{url}}", "http://127.0.0.1:5080");
        var shown = Blocks(await File.ReadAllTextAsync(PathOf("README.md"))).Single(block => block.Language is "html").Text;

        Assert.Contains(shown.Trim(), given);
    }

    /// <summary>A server with the company that a first start makes, which all examples use.</summary>
    private static Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_COMPANY"] = FirstStart.FirstCompanyId });

    private static List<Block> Blocks(string markdown) => [.. Fence().Matches(markdown).Select(match => new Block(match.Groups["language"].Value, match.Groups["text"].Value))];

    /// <summary>Names and kinds, without the values that differ from server to server.</summary>
    private static string ShapeOf(JsonNode node) => node switch
    {
        JsonObject members => "{" + string.Join(",", members.Select(member => $"{member.Key}:{(member.Value is null ? "null" : ShapeOf(member.Value))}")) + "}",
        JsonArray items => "[" + string.Join(",", items.Select(item => item is null ? "null" : ShapeOf(item))) + "]",
        _ => node.GetValueKind().ToString(),
    };

    internal static string PathOf(params string[] parts) => Path.Combine([RootOf(), .. parts]);

    private static string RootOf([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    private sealed record Block(string Language, string Text);

    [GeneratedRegex("^```(?<language>[a-z]*)\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("TRACKMATE_[A-Z_]+")]
    private static partial Regex Setting();

    [GeneratedRegex("trackmate_[a-z_]+[a-z]")]
    private static partial Regex Metric();

    [GeneratedRegex(@"^### (?<title>.+)\n# (?<status>\d+)\n(?<method>[A-Z]+) (?<url>\S+)\n(?<headers>(?:[A-Za-z-]+: .+\n)*)(?:\n(?<body>\{[\s\S]*?\}\n)(?=\n###|\z))?", RegexOptions.Multiline)]
    private static partial Regex HttpRequest();
}
