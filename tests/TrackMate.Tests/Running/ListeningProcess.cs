using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>A program in a process of its own that says where it listens. Ends with the test that started it.</summary>
public sealed class ListeningProcess : IAsyncDisposable
{
    /// <summary>For what never starts or ends, not for how fast it does.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<Uri> address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ListeningProcess(Process process, Regex listens)
    {
        this.process = process;
        void Read(string? line)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
            if (listens.Match(line) is { Success: true } match) address.TrySetResult(new(match.Groups[1].Value));
        }

        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Exited += (_, _) => address.TrySetException(new InvalidOperationException("It ended before it listened."));
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; private set; } = new("about:blank");

    public int Id => process.Id;

    /// <summary>All that it has printed so far; once it has ended, all that it ever will have.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <param name="listens">Its first group is the address, in a line that it prints.</param>
    public static async Task<ListeningProcess> StartAsync(ProcessStartInfo start, Regex listens)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        var started = new ListeningProcess(Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start."), listens);
        try
        {
            started.Address = await started.address.Task.WaitAsync(Limit);
            return started;
        }
        catch (Exception e)
        {
            await started.DisposeAsync();
            throw new InvalidOperationException($"{Path.GetFileName(start.FileName)} did not start: {e.Message}\n{started.Output}", e);
        }
    }

    /// <summary>Returns when it has printed this: what a program says of an answer may be read after the answer.</summary>
    public Task PrintsAsync(string text) => Eventually.TrueAsync(() => Task.FromResult(Output.Contains(text, StringComparison.Ordinal)), () => $"It does not print: {text}\n{Output}");

    /// <summary>Ends it at once, as a power cut would (SIGKILL).</summary>
    public async Task KillAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Asks it to end, if it has not.</summary>
    /// <returns>Its exit code, when all that it printed is read.</returns>
    public async Task<int> StopAsync(string signal)
    {
        if (!process.HasExited)
        {
            using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString()]);
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync(new CancellationTokenSource(Limit).Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        process.Dispose();
    }
}
