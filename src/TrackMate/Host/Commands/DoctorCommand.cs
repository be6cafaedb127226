using System.CommandLine;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Leave out what reads the whole store." };
        var command = new Verb("doctor", "Look the store over, while the server runs or not, and say what is wrong. Ends with 1 if anything is.")
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

            if (!healthy) Console.Error.WriteLine("Something is wrong; see the lines above that say so.");
            return healthy ? 0 : 1;
        });
        return command;
    }
}
