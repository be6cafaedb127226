using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Docs;

/// <summary>The snippets of docs/trust.md sign tokens that the server takes, where their runtime is.</summary>
public sealed partial class SigningTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Email = "sarah@example.com";

    [Theory]
    [InlineData("js", "node", "sign.mjs", "\nconsole.log(tokenFor(process.argv[2], process.argv[3]));")]
    [InlineData("python", "python3", "sign.py", "\nimport sys\nprint(token_for(sys.argv[1], sys.argv[2]))")]
    [InlineData("csharp", "dotnet", "sign.cs", "")]
    public async Task A_snippet_signs_a_token_that_is_taken(string language, string runtime, string file, string call)
    {
        Assert.SkipUnless(await IsThereAsync(runtime), $"There is no {runtime} here.");
        var trackmate = new CommandLineRunner(running.Server);
        var company = RunningServer.Unique("TM-");
        await trackmate.DoAsync($"company add {company}");
        var secret = (await trackmate.DoAsync($"token-key add --company {company}")).Trim();
        var snippet = Fence().Matches(await File.ReadAllTextAsync(Path.Combine(RootOf(), "docs/trust.md"))).Select(match => (Language: match.Groups["language"].Value, Text: match.Groups["text"].Value))
            .Single(block => block.Language == language && block.Text.Contains("hmac", StringComparison.OrdinalIgnoreCase)).Text.Replace("TM-DEMO", company, StringComparison.Ordinal);
        // A program of C# begins with its statements.
        if (language == "csharp") snippet = snippet.Replace("static class", "Console.WriteLine(Tokens.For(args[0], args[1]));\n\nstatic class", StringComparison.Ordinal);

        var shopper = new Shopper(running.Http, company);
        var folder = Directory.CreateTempSubdirectory("trackmate-sign-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), snippet + call);
            var token = await RunAsync(runtime, [.. runtime == "dotnet" ? new[] { "run", file, "--" } : [file], Email, shopper.SessionId], folder, secret);
            await AwaitEnforcedAsync(trackmate, company);

            (await shopper.SendAsync("/api/profile", Message(company, shopper, null))).AssertRefused(401, "token");
            (await shopper.SendAsync("/api/profile", Message(company, shopper, token))).AssertOk();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonObject Message(string company, Shopper shopper, string? token) => new() { ["company_id"] = company, ["sessionId"] = shopper.SessionId, ["email"] = Email, ["token"] = token };

    private async Task AwaitEnforcedAsync(CommandLineRunner trackmate, string company)
    {
        await trackmate.DoAsync($"company set {company} --tokens enforce");
        var stranger = new Shopper(running.Http, company);
        await Eventually.TrueAsync(async () => (int)(await stranger.SendAsync("/api/profile", Message(company, stranger, null))).Status == 401, () => "Tokens are not enforced.");
    }

    private static async Task<bool> IsThereAsync(string runtime)
    {
        using var which = Process.Start(new ProcessStartInfo("which", [runtime]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        await which.WaitForExitAsync();
        return which.ExitCode == 0;
    }

    private static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string folder, string secret)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SECRET"] = secret;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, errors + await output);
        return (await output).Trim();
    }

    private static string RootOf([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    [GeneratedRegex("^```(?<language>[a-z]*)\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();
}
