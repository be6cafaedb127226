using System.Diagnostics;

namespace TrackMate.Tests.Running;

/// <summary>A file system of a few megabytes that can be filled and emptied.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string filler;

    public SmallDisk(int mebibytes)
    {
        Folder = Directory.CreateTempSubdirectory("trackmate-disk-").FullName;
        filler = Path.Combine(Folder, "filler");
        Commands.Run("mount", ["-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", Folder], "mount a small file system of its own: run it as root, in a container with --cap-add SYS_ADMIN");
    }

    public string Folder { get; }

    /// <summary>Takes all the room that is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in new[] { 1 << 16, 1 << 12 })
        {
            try
            {
                while (true) file.Write(new byte[size]);
            }
            catch (IOException)
            {
                // Full, to this size of block.
            }
        }
    }

    /// <summary>Takes some of the room, on top of what was taken.</summary>
    public void Take(int mebibytes)
    {
        using var file = new FileStream(filler, FileMode.Append, FileAccess.Write);
        for (var taken = 0; taken < mebibytes; taken++) file.Write(new byte[1 << 20]);
    }

    public void MakeRoom() => File.Delete(filler);

    public void Dispose()
    {
        Commands.Run("umount", [Folder], "unmount it");
        Directory.Delete(Folder);
    }
}

/// <summary>Tools of the operating system that a test cannot do without.</summary>
internal static class Commands
{
    /// <param name="need">What the test needs, as the end of "This test needs to …".</param>
    /// <exception cref="InvalidOperationException">The tool failed; says what the test needs rather than skipping it.</exception>
    public static void Run(string program, IReadOnlyList<string> arguments, string need)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }) ?? throw new InvalidOperationException($"This test needs to {need}.");
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"This test needs to {need}. {program} says: {errors}");
    }
}
