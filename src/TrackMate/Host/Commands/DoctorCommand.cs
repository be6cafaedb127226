using System.CommandLine;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Skip checks that read the whole store." };
        var command = new Verb("doctor", "Check the store and report problems. Works while the server runs. Exit code 1 if there are problems.")
        {
            Examples = ["trackmate doctor", "trackmate doctor --quick"],
            Options = { quick },
        };
        command.Does((installation, parsed) =>
        {
            var healthy = true;
            foreach (var finding in Doctor.Examine(installation, parsed.GetValue(quick)))
            {
                healthy &= finding.Good;
                Console.WriteLine($"{(finding.Good ? "ok   " : "WRONG")} {finding.Sentence}");
            }

            if (!healthy) Console.Error.WriteLine("Problems found; see the lines marked WRONG.");
            return healthy ? 0 : 1;
        });
        return command;
    }
}
