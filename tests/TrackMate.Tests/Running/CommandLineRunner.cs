namespace TrackMate.Tests.Running;

/// <summary>A person at the command line, in a data folder of their own or a server's.</summary>
public sealed class CommandLineRunner : IDisposable
{
    private readonly TemporaryFolder? own;

    public CommandLineRunner(ServerProcess? server = null)
    {
        own = server is null ? new() : null;
        // A folder that is not there yet, as on a new machine.
        DataFolder = server?.DataFolder ?? own!.PathOf("data");
        Environment = new() { ["TRACKMATE_DATA"] = DataFolder, ["TRACKMATE_DATABASE"] = StoreUnderTest.DatabaseOf(DataFolder), ["TRACKMATE_URLS"] = server?.Address.ToString() };
    }

    public string DataFolder { get; }

    public Dictionary<string, string?> Environment { get; }

    /// <summary>Runs a verb given as one would type it; a part with spaces stands in double quotes.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(string line, string? input = null)
    {
        var result = await ServerProcess.RunAsync(Words(line), Environment, input: input);
        Assert.DoesNotContain("   at ", result.Errors);
        return result;
    }

    /// <summary>Runs a verb that has to succeed.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> DoAsync(string line, string? input = null)
    {
        var (exitCode, output, errors) = await RunAsync(line, input);
        Assert.True(exitCode == 0, $"trackmate {line} ended with {exitCode}: {errors}{output}");
        return output;
    }

    /// <summary>Runs a verb that has to fail with one sentence.</summary>
    /// <returns>The sentence.</returns>
    public async Task<string> FailAsync(string line, int exitCode, string? input = null)
    {
        var (actual, output, errors) = await RunAsync(line, input);
        Assert.True(actual == exitCode, $"trackmate {line} ended with {actual}: {errors}{output}");
        return Assert.Single(errors.Trim().Split('\n'));
    }

    public void Dispose() => own?.Dispose();

    private static List<string> Words(string line) =>
        [.. line.Split('"').SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
}
