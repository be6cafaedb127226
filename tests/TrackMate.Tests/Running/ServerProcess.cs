using System.Diagnostics;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>A real TrackMate server in a process and a data folder of its own, on a port that the system chose. Ends with the test that started it.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    public const string CompanyId = "TM-SHOP99";
    public const string ApiKey = "tm_test_0123456789abcdefghijklmnopqrstuv";
    public const string AdminPassword = "correct horse battery";

    private readonly ListeningProcess process;
    private readonly TemporaryFolder? own;

    private ServerProcess(ListeningProcess process, string dataFolder, TemporaryFolder? own)
    {
        this.process = process;
        this.own = own;
        DataFolder = dataFolder;
        Http = new() { BaseAddress = Address };
    }

    public Uri Address => process.Address;

    public string DataFolder { get; }

    public HttpClient Http { get; }

    public int ProcessId => process.Id;

    /// <inheritdoc cref="ListeningProcess.Output"/>
    public string Output => process.Output;

    /// <summary>The program as it was built for these tests.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "trackmate");

    /// <param name="dataFolder">A folder to go on with; none makes one that goes with the server.</param>
    /// <param name="settings">Environment besides company, key and password; null takes one away.</param>
    /// <param name="program">Another build of it than the one for these tests.</param>
    public static async Task<ServerProcess> StartAsync(string? dataFolder = null, IReadOnlyDictionary<string, string?>? settings = null, string? program = null)
    {
        var own = dataFolder is null ? new TemporaryFolder() : null;
        var folder = dataFolder ?? own!.Path;
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

        try
        {
            return new(await ListeningProcess.StartAsync(StartOf(program ?? Program, ["serve"], environment), DashboardLine()), folder, own);
        }
        catch
        {
            own?.Dispose();
            throw;
        }
    }

    /// <summary>Starts a server on a folder without waiting for it, for a test that kills it on its way.</summary>
    public static Process Launch(string dataFolder)
    {
        var start = StartOf(Program, ["serve"], new Dictionary<string, string?> { ["TRACKMATE_DATA"] = dataFolder, ["TRACKMATE_URLS"] = "http://127.0.0.1:0" });
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        return Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
    }

    /// <inheritdoc cref="ListeningProcess.PrintsAsync"/>
    public Task PrintsAsync(string text) => process.PrintsAsync(text);

    /// <summary>Runs the program to its end, as a person would on the command line.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingFolder = null, string? input = null)
    {
        var start = StartOf(Program, arguments, environment ?? new Dictionary<string, string?>(), workingFolder);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var standardOutput = process.StandardOutput.ReadToEndAsync();
        var standardError = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync(new CancellationTokenSource(ListeningProcess.Limit).Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill();
            throw new TimeoutException($"trackmate {string.Join(' ', arguments)} did not end: {await standardError}{await standardOutput}", e);
        }

        return (process.ExitCode, await standardOutput, await standardError);
    }

    /// <inheritdoc cref="ListeningProcess.KillAsync"/>
    public Task KillAsync() => process.KillAsync();

    /// <summary>Asks the process to end (SIGTERM, or INT as Ctrl+C does) and returns its exit code.</summary>
    public Task<int> StopAsync(string signal = "TERM") => process.StopAsync(signal);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await process.DisposeAsync();
        own?.Dispose();
    }

    private static ProcessStartInfo StartOf(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment, string? workingFolder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, WorkingDirectory = workingFolder ?? Path.GetTempPath() };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("TRACKMATE_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return start;
    }

    [GeneratedRegex(@"Dashboard\s+(http\S+)")]
    private static partial Regex DashboardLine();
}
