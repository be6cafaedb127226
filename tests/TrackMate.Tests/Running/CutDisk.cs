using System.ComponentModel;
using System.Runtime.InteropServices;

namespace TrackMate.Tests.Running;

/// <summary>
/// A small ext4 file system in a file, whose power can be cut: EXT4_IOC_SHUTDOWN without a flush of its journal drops all that was not synced, as a machine does that loses
/// its power.
/// </summary>
internal sealed class CutDisk : IDisposable
{
    private const uint Shutdown = 0x8004587d; // EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)
    private const uint WithoutFlush = 2; // EXT4_GOING_FLAGS_NOLOGFLUSH

    private readonly TemporaryFolder folder = new();
    private readonly string image;

    public CutDisk(int mebibytes)
    {
        (image, Folder) = (folder.PathOf("disk.img"), folder.PathOf("disk"));
        using (var file = File.Create(image)) file.SetLength((long)mebibytes << 20);
        Commands.Run("mkfs.ext4", ["-q", "-F", image], "make an ext4 file system: install e2fsprogs");
        Directory.CreateDirectory(Folder);
        Mount();
    }

    public string Folder { get; }

    /// <summary>Cuts the power: what is open on it fails from now on.</summary>
    public void Cut()
    {
        using var file = File.OpenHandle(Path.Combine(Folder, "power"), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var flags = WithoutFlush;
        if (Control(file.DangerousGetHandle().ToInt32(), Shutdown, ref flags) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>Starts it again, when all that was open on it is closed: the journal is replayed.</summary>
    public void Restart()
    {
        Commands.Run("umount", [Folder], "unmount it");
        Mount();
    }

    public void Dispose()
    {
        Commands.Run("umount", [Folder], "unmount it");
        folder.Dispose();
    }

    private void Mount() => Commands.Run("mount", ["-o", "loop", image, Folder], "mount a file system of its own: run it as root, in a container with --cap-add SYS_ADMIN and loop devices");

#pragma warning disable SYSLIB1054 // A generated import would need unsafe code.
    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Control(int file, nuint request, ref uint argument);
#pragma warning restore SYSLIB1054
}
