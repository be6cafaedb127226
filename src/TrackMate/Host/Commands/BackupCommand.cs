using System.CommandLine;
using TrackMate.Transfer;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate backup FILE</c>.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The file to write." };
        var force = new Option<bool>("--force") { Description = "Overwrite an existing file." };
        var command = new Verb("backup", "Write the whole store to one verified file. Works while the server runs.")
        {
            Examples = ["trackmate backup /backup/trackmate-$(date +%F).db", "trackmate backup --force /backup/latest.db"],
            Arguments = { file },
            Options = { force },
        };
        command.Does((installation, parsed) =>
        {
            var backup = BackupFile.Write(installation, parsed.GetRequiredValue(file), parsed.GetValue(force));
            Console.WriteLine($"Backed up to {backup.Path} ({backup}); read back and whole.");
        });
        return command;
    }
}
