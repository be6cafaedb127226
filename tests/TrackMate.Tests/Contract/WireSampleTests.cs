using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Contract;

/// <summary>
/// Requests and their answers, byte for byte but for what a server chooses itself, which stands as <c>&lt;id&gt;</c>, <c>&lt;webhook&gt;</c>, <c>&lt;time&gt;</c> or <c>&lt;cursor&gt;</c>. The samples of a file are one
/// story, in order, on a server of its own.
/// </summary>
public sealed partial class WireSampleTests
{
    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Folder(), "*.json").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Answers_are_as_they_were(string file)
    {
        await using var server = await ServerProcess.StartAsync();
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var sample in JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder(), file)))!.AsArray())
        {
            var request = sample!["request"]!;
            var path = known.Aggregate(request["path"]!.ToString(), (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal));
            using var message = new HttpRequestMessage(new(request["method"]!.ToString()), path);
            if (request["key"]?.ToString() == "yes") message.Headers.Add("X-TrackMate-API-Key", ServerProcess.ApiKey);
            if (request["body"] is { } body) message.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            if (request["text"] is { } text) message.Content = new StringContent(text.ToString(), Encoding.UTF8, "text/plain");
            using var response = await server.Http.SendAsync(message);
            var answer = await response.Content.ReadAsStringAsync();
            if (answer.Length > 0 && JsonNode.Parse(answer) is JsonObject sent && sent["profileId"]?.ToString() is { Length: 24 } id) known["<id>"] = id;

            Assert.Equal($"{request["method"]} {path}: {sample["answer"]!["status"]}", $"{request["method"]} {path}: {(int)response.StatusCode}");
            Assert.Equal(Readable(sample["answer"]!["body"]!), Readable(JsonNode.Parse(Masked(answer))!));
        }
    }

    private static string Readable(JsonNode node) => node.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static string Masked(string answer) =>
        ReceivedAt().Replace(Webhook().Replace(Id().Replace(answer, "\"<id>\""), "\"<webhook>\""), "\"receivedAt\":\"<time>\"");

    private static string Folder([CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, "samples");

    [GeneratedRegex("\"[0-9a-f]{24}\"")]
    private static partial Regex Id();

    [GeneratedRegex("\"webhook_[0-9]+_[0-9a-f]{16}\"")]
    private static partial Regex Webhook();

    [GeneratedRegex("\"receivedAt\":\"[^\"]+\"")]
    private static partial Regex ReceivedAt();
}
