using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using TrackMate.Tests.Browser;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Contract;

/// <summary>The contract is a file in review: what the server says of itself, and what it does.</summary>
public sealed class OpenApiTests(RunningServer running) : IClassFixture<RunningServer>
{
    /// <summary>Set to 1 to write openapi.json anew: <c>TRACKMATE_REFRESH_CONTRACT=1 ./test.sh</c>.</summary>
    private const string Refresh = "TRACKMATE_REFRESH_CONTRACT";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task The_server_says_what_stands_in_review()
    {
        var said = JsonNode.Parse(await running.Http.GetStringAsync("/openapi/v1.json"))!.ToJsonString(Readable) + "\n";

        if (Environment.GetEnvironmentVariable(Refresh) == "1") await File.WriteAllTextAsync(Beside("openapi.json"), said);

        var reviewed = await File.ReadAllTextAsync(Beside("openapi.json"));
        Assert.True(reviewed == said, $"The contract changed. If that is meant, run {Refresh}=1 ./test.sh and look at what changed in openapi.json.\n{FirstDifference(reviewed, said)}");
    }

    [Fact]
    public async Task Every_example_that_is_sent_works_and_every_path_is_there()
    {
        var contract = JsonNode.Parse(await running.Http.GetStringAsync("/openapi/v1.json"))!;
        foreach (var (path, operations) in contract["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var example = operation!["requestBody"]?["content"]?["application/json"]?["example"];
                using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), path.Replace("{id}", new string('0', 24)).Replace("{sessionId}", "session_nobody"));
                if (example is not null) request.Content = new StringContent(example.ToJsonString(), Encoding.UTF8, "application/json");
                if (operation["security"] is not null) request.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
                using var response = await running.Http.SendAsync(request);
                var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

                if (path.Contains('{')) Assert.Equal((HttpStatusCode.NotFound, "urn:trackmate:problem:not_found"), (response.StatusCode, answer["type"]!.ToString()));
                else Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.True(operation["responses"]!.AsObject().ContainsKey(((int)response.StatusCode).ToString()), $"{method} {path} does not name {response.StatusCode}.");
            }
        }
    }

    [Fact]
    public async Task What_needs_a_key_says_so()
    {
        var contract = JsonNode.Parse(await running.Http.GetStringAsync("/openapi/v1.json"))!;
        foreach (var (path, operations) in contract["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject().Where(_ => path.StartsWith("/api/", StringComparison.Ordinal)))
            {
                using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), path);
                if (operation!["requestBody"] is not null) request.Content = new StringContent("{}");
                using var response = await running.Http.SendAsync(request);
                var type = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["type"]!.ToString();

                Assert.Equal(operation["security"] is not null, type == "urn:trackmate:problem:no_key");
            }
        }
    }

    [Fact]
    public async Task The_page_to_try_it_loads_nothing_from_elsewhere()
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFixture.Program, Args = ["--no-sandbox"] });
        var page = await browser.NewPageAsync();
        var elsewhere = new List<string>();
        var refused = new List<string>();
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(running.Server.Address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal)) elsewhere.Add(request.Url);
        };
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal)) refused.Add(message.Text);
        };

        await page.GotoAsync(new Uri(running.Server.Address, "/docs/").ToString());
        await page.GetByText("Send a browser's events").First.WaitForAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        Assert.Empty(elsewhere);
        Assert.Empty(refused);
    }

    private static string FirstDifference(string reviewed, string said)
    {
        var (left, right) = (reviewed.Split('\n'), said.Split('\n'));
        var line = Enumerable.Range(0, Math.Min(left.Length, right.Length)).FirstOrDefault(i => left[i] != right[i], Math.Min(left.Length, right.Length) - 1);
        return $"Line {line + 1}\n- {left[line]}\n+ {right[line]}";
    }

    private static string Beside(string name, [CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, name);
}
