using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary>Runs a command. Scripts rely on its exit codes: 0 done, 1 failed, 2 wrong arguments or settings. Errors are one sentence on stderr, never a stack trace.</summary>
internal static class CommandLine
{
    private const int Failed = 1;
    private const int Wrong = 2;
    private const int Interrupted = 130;

    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);

        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            // If the first word is no command, report only that: the other errors follow from it.
            var error = parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count > 0
                ? $"There is no verb '{parsed.UnmatchedTokens[0]}'."
                : parsed.Errors[0].Message;
            return Fail($"{error} See: {NameOf(parsed.CommandResult)} --help", Wrong);
        }

        try
        {
            var stopsItself = parsed.CommandResult.Command is RootCommand or Verb { StopsItself: true };
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = stopsItself ? null : TimeSpan.FromSeconds(2),
            });
        }
        catch (InvalidSettingException e)
        {
            return Fail(e.Message, Wrong);
        }
        catch (CommandFailedException e)
        {
            return Fail(e.Message, Failed);
        }
        catch (OperationCanceledException)
        {
            return Fail("Interrupted.", Interrupted);
        }
        catch (Exception e)
        {
            return Fail(e.Message, Failed);
        }
    }

    private static int Fail(string sentence, int exitCode)
    {
        Console.Error.WriteLine(sentence);
        return exitCode;
    }

    private static string NameOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "trackmate";

    private sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var exitCode = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is not Verb { Examples.Count: > 0 } verb) return exitCode;

            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in verb.Examples) output.WriteLine("  " + example);
            output.WriteLine();
            return exitCode;
        }
    }
}
