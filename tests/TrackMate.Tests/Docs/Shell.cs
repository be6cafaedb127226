using System.Diagnostics;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Docs;

/// <summary>A reader's shell: the program on the path, a key in KEY, and curl that also tells the status. What one block sets, the next one knows.</summary>
internal sealed class Shell : IDisposable
{
    private readonly ServerProcess server;
    private readonly string folder = Directory.CreateTempSubdirectory("trackmate-docs-").FullName;

    public Shell(ServerProcess server)
    {
        this.server = server;
        File.WriteAllText(Path.Combine(folder, "before.sh"), """
            set -e
            curl() { command curl -s -S -o answer -w '%{http_code}\n' "$@" >> statuses; }
            if [ -f variables ]; then . ./variables; fi
            """);
    }

    /// <summary>The body that curl was answered with last.</summary>
    public string LastAnswer => File.Exists(PathOf("answer")) ? File.ReadAllText(PathOf("answer")) : "";

    /// <returns>The statuses that curl was answered with.</returns>
    public async Task<string[]> RunAsync(string block)
    {
        File.Delete(PathOf("statuses"));
        var script = block.Replace("http://127.0.0.1:5080", server.Address.ToString().TrimEnd('/'), StringComparison.Ordinal);
        await File.WriteAllTextAsync(PathOf("block.sh"), $". ./before.sh\n{script}\nset | grep -E '^(KEY|ID|OTHER|CLAIM|MERGE)=' > variables\n");
        var start = new ProcessStartInfo("bash", ["block.sh"]) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PATH"] = Path.GetDirectoryName(ServerProcess.Program) + ":" + start.Environment["PATH"];
        start.Environment["TRACKMATE_DATA"] = server.DataFolder;
        start.Environment["TRACKMATE_URLS"] = server.Address.ToString();
        start.Environment["KEY"] = ServerProcess.ApiKey;
        using var bash = Process.Start(start)!;
        var output = bash.StandardOutput.ReadToEndAsync();
        var errors = await bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        Assert.True(bash.ExitCode == 0, $"{block}\nended with {bash.ExitCode}: {errors}{await output}");
        return File.Exists(PathOf("statuses")) ? await File.ReadAllLinesAsync(PathOf("statuses")) : [];
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string PathOf(string name) => Path.Combine(folder, name);
}
