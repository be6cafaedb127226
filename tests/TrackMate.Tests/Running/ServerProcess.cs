using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>A real TrackMate server in a process and a data folder of its own, on a port that the system chose. Ends with the test that started it.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    public const string CompanyId = "TM-SHOP99";
    public const string ApiKey = "tm_test_0123456789abcdefghijklmnopqrstuv";
    public const string AdminPassword = "correct horse battery";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output;
    private readonly bool ownsFolder;

    private ServerProcess(Process process, StringBuilder output, Uri address, string dataFolder, bool ownsFolder)
    {
        this.process = process;
        this.output = output;
        this.ownsFolder = ownsFolder;
        Address = address;
        DataFolder = dataFolder;
        Http = new() { BaseAddress = address };
    }

    public Uri Address { get; }

    public string DataFolder { get; }

    public HttpClient Http { get; }

    public int ProcessId => process.Id;

    /// <summary>All that the process has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>The program as it was built for these tests.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "trackmate");

    /// <param name="dataFolder">A folder to go on with; none makes one that goes with the server.</param>
    /// <param name="settings">Environment besides company, key and password; null takes one away.</param>
    /// <param name="program">Another build of it than the one for these tests.</param>
    public static async Task<ServerProcess> StartAsync(string? dataFolder = null, IReadOnlyDictionary<string, string?>? settings = null, string? program = null)
    {
        var folder = dataFolder ?? Directory.CreateTempSubdirectory("trackmate-test-").FullName;
        var environment = new Dictionary<string, string?>
        {
            ["TRACKMATE_DATA"] = folder,
            ["TRACKMATE_DATABASE"] = StoreUnderTest.DatabaseOf(folder),
            ["TRACKMATE_URLS"] = "http://127.0.0.1:0",
            ["TRACKMATE_COMPANY"] = CompanyId,
            ["TRACKMATE_API_KEY"] = ApiKey,
            ["TRACKMATE_ADMIN_PASSWORD"] = AdminPassword,
            ["TRACKMATE_RATE_LIMIT"] = "off",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>()) environment[name] = value;

        var process = Start(program ?? Program, ["serve"], environment);
        var output = new StringBuilder();
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(string? line)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
            if (DashboardLine().Match(line) is { Success: true } match) address.TrySetResult(new(match.Groups[1].Value));
        }

        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => address.TrySetException(new InvalidOperationException("The server ended before it listened."));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            return new(process, output, await address.Task.WaitAsync(StartLimit), folder, dataFolder is null);
        }
        catch (Exception e)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"The server did not start: {e.Message}\n{output}", e);
        }
    }

    /// <summary>Runs the program to its end, as a person would on the command line.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingFolder = null, string? input = null)
    {
        using var process = Start(Program, arguments, environment ?? new Dictionary<string, string?>(), workingFolder);
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var standardOutput = process.StandardOutput.ReadToEndAsync();
        var standardError = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(StartLimit).Token);
        return (process.ExitCode, await standardOutput, await standardError);
    }

    /// <summary>Ends the process at once, as a power cut would (SIGKILL).</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Asks the process to end (SIGTERM, or INT as Ctrl+C does) and returns its exit code.</summary>
    public async Task<int> StopAsync(string signal = "TERM")
    {
        using (var kill = Process.Start("kill", ["-" + signal, process.Id.ToString()])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(StartLimit).Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
        if (!ownsFolder) return;
        Directory.Delete(DataFolder, recursive: true);
        await StoreUnderTest.DropAsync(DataFolder);
    }

    private static Process Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment, string? workingFolder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = workingFolder ?? Path.GetTempPath() };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("TRACKMATE_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
    }

    [GeneratedRegex(@"Dashboard\s+(http\S+)")]
    private static partial Regex DashboardLine();
}
