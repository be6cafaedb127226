using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host;

/// <summary>The program as operators get it: published from a fresh clone, run from a folder that has nothing to do with it.</summary>
public sealed class PublishTests : IDisposable
{
    private static readonly string[] LeftOut = ["bin", "obj", "node_modules", "dist"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-publish-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_folder_and_a_single_file_are_the_whole_program()
    {
        var clone = Path.Combine(folder, "clone");
        Copy(RootOf(), clone, recursive: false);
        foreach (var part in new[] { "src", "clients/browser" }) Copy(Path.Combine(RootOf(), part), Path.Combine(clone, part), recursive: true);

        await RunAsync(clone, "publish", "src/TrackMate", "-c", "Release", "-o", Path.Combine(folder, "folder"));
        await WorksAsync(Path.Combine(folder, "folder", "trackmate"));

        // A runtime identifier adds to the lock file, which is why this is not done in the working copy.
        await RunAsync(clone, "publish", "src/TrackMate", "-c", "Release", "-r", "linux-x64", "--self-contained", "-p:PublishSingleFile=true", "-p:IncludeNativeLibrariesForSelfExtract=true", "-p:RestoreLockedMode=false", "-o", Path.Combine(folder, "single"));
        Assert.Equal(["trackmate"], Directory.EnumerateFiles(Path.Combine(folder, "single")).Select(Path.GetFileName).Where(name => Path.GetExtension(name) is not (".pdb" or ".xml" or ".json")));
        var alone = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "alone")).FullName, "trackmate");
        File.Move(Path.Combine(folder, "single", "trackmate"), alone);
        await WorksAsync(alone);
    }

    private static async Task WorksAsync(string program)
    {
        await using var server = await ServerProcess.StartAsync(program: program);
        foreach (var path in new[] { "/trackmate.js", "/trackmate.extra.js", "/docs/scalar.js", "/openapi/v1.json" })
        {
            using var response = await server.Http.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True((await response.Content.ReadAsByteArrayAsync()).Length > 1000, $"{program} serves nothing at {path}.");
        }

        var health = JsonNode.Parse(await server.Http.GetStringAsync("/health/ready"))!;
        Assert.Matches(@"^\d+\.\d+\.\d+$", health["version"]!.ToString());
        Assert.Equal("1", (await new Shopper(server.Http, ServerProcess.CompanyId, "session_published").TrackAsync("page_view"))["accepted"]);
        Assert.Single((await new ShopBackend(server.Http, ServerProcess.ApiKey).GetAsync("/api/sessions/session_published")).Body!["events"]!.AsArray());
        Assert.Equal(0, await server.StopAsync());
    }

    private static async Task RunAsync(string workingFolder, params string[] arguments)
    {
        // The analyzers have seen this code when it was built for these tests.
        var start = new ProcessStartInfo("dotnet", [.. arguments, "--nologo", "-v", "quiet", "--disable-build-servers", "-p:RunAnalyzers=false"])
        {
            WorkingDirectory = workingFolder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the test runner sets for its own build does not belong into this one.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList()) start.Environment.Remove(name);
        using var dotnet = Process.Start(start)!;
        var errors = dotnet.StandardError.ReadToEndAsync();
        var output = await dotnet.StandardOutput.ReadToEndAsync();
        await dotnet.WaitForExitAsync(new CancellationTokenSource(Patience).Token);
        Assert.True(dotnet.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {dotnet.ExitCode}:\n{output}{await errors}");
    }

    private static void Copy(string from, string to, bool recursive)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        if (!recursive) return;
        foreach (var part in Directory.EnumerateDirectories(from).Where(part => !LeftOut.Contains(Path.GetFileName(part)))) Copy(part, Path.Combine(to, Path.GetFileName(part)), recursive: true);
    }

    private static string RootOf([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}
