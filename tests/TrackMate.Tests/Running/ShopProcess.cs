using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>The sample shop in a process of its own, telling the given TrackMate. Ends with the test that started it.</summary>
public sealed partial class ShopProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output;

    private ShopProcess(Process process, StringBuilder output, Uri address)
    {
        this.process = process;
        this.output = output;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>All that the process has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <param name="trackMate">Where TrackMate is, or will be again.</param>
    public static async Task<ShopProcess> StartAsync(Uri trackMate)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "shop"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["TRACKMATE_URL"] = trackMate.ToString();
        start.Environment["TRACKMATE_COMPANY"] = ServerProcess.CompanyId;
        start.Environment["TRACKMATE_API_KEY"] = ServerProcess.ApiKey;
        start.Environment["SHOP_URLS"] = "http://127.0.0.1:0";

        var process = Process.Start(start) ?? throw new InvalidOperationException("The shop did not start.");
        var output = new StringBuilder();
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(string? line)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
            if (ListeningLine().Match(line) is { Success: true } match) address.TrySetResult(new(match.Groups[1].Value));
        }

        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => address.TrySetException(new InvalidOperationException("The shop ended before it listened."));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            return new(process, output, await address.Task.WaitAsync(StartLimit));
        }
        catch (Exception e)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"The shop did not start: {e.Message}\n{output}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http\S+)")]
    private static partial Regex ListeningLine();
}
