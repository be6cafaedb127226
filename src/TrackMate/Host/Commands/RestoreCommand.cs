using System.CommandLine;
using TrackMate.Transfer;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate restore FILE</c>.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A file written by trackmate backup." };
        var force = new Option<bool>("--force") { Description = "Move an existing store aside. Without this option the command fails if there is one." };
        var command = new Verb("restore", "Restore a backup into the data folder. Stop the server first.")
        {
            Examples = ["trackmate restore /backup/trackmate-2026-01-31.db", "TRACKMATE_DATA=/tmp/look trackmate restore /backup/latest.db"],
            Arguments = { file },
            Options = { force },
        };
        command.Does((installation, parsed) =>
        {
            _ = installation.Embedded("restore");
            var dataFolder = installation.DataFolder;
            var restored = RestoredFolder.Restore(parsed.GetRequiredValue(file), dataFolder, parsed.GetValue(force), TimeProvider.System);
            Console.WriteLine($"Restored into {dataFolder} ({restored.Backup}).");
            if (restored.Kept is { } kept) Console.WriteLine($"The previous store is kept as {kept}.");
        });
        return command;
    }
}
