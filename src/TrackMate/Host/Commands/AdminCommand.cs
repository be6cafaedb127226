using System.CommandLine;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate admin reset-password</c>. The password is never an argument, since every user of the machine can read those.</summary>
internal static class AdminCommand
{
    public static Command Create() => new Verb("admin", "Manage the login of the dashboard.") { ResetPassword() };

    private static Verb ResetPassword()
    {
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the new password from the first line of standard input." };
        var random = new Option<bool>("--random") { Description = "Create a random password and print it." };
        var command = new Verb("reset-password", "Set a new password for the login admin and end its sessions. Asks for the password. Without a terminal, creates a random one and prints it once.")
        {
            Examples = ["trackmate admin reset-password", "trackmate admin reset-password --password-stdin < password.txt"],
            Options = { fromInput, random },
        };
        command.Does((installation, parsed) =>
        {
            if (parsed.GetValue(fromInput) && parsed.GetValue(random)) throw new InvalidSettingException("--random", "it creates the password, so it cannot be combined with --password-stdin");
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var given = parsed.GetValue(fromInput) ? Console.In.ReadLine() ?? ""
                : parsed.GetValue(random) || Console.IsInputRedirected ? null
                : AskForPassword();
            if (given is not null && given.Length < ServerOptions.MinPasswordLength)
                throw new InvalidSettingException("The password", $"it has {given.Length} characters and needs {ServerOptions.MinPasswordLength} or more");

            var password = given ?? FirstStart.NewPassword();
            registry.SetPassword(FirstStart.AdminName, FirstStart.HashPassword(password));
            if (given is null) Console.WriteLine(password);
            Console.Error.WriteLine($"The login {FirstStart.AdminName} has a new password{(given is null ? ", shown only once" : "")}. All sessions have ended.");
        });
        return command;
    }

    /// <returns>Null for an empty answer, which asks for a random password.</returns>
    private static string? AskForPassword()
    {
        var first = AskOnce($"New password, {ServerOptions.MinPasswordLength} characters or more (nothing for a random one): ");
        if (first.Length == 0) return null;
        return AskOnce("The same again: ") == first ? first : throw new CommandFailedException("The passwords differ. Nothing was changed.");
    }

    private static string AskOnce(string question)
    {
        Console.Error.Write(question);
        var typed = new System.Text.StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key is ConsoleKey.Enter) break;
            if (key.Key is ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
