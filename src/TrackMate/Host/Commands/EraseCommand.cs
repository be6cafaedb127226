using System.CommandLine;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store.Erase;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate erase</c>: erases a person, with or without a running server.</summary>
internal static class EraseCommand
{
    public static Command Create()
    {
        var company = CompanyCommand.CompanyOption();
        var person = new PersonOptions();
        var yes = new Option<bool>("--yes") { Description = "Do not ask for confirmation." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only report what would be erased." };
        var suppress = new Option<bool>("--suppress") { Description = "Keep a keyed hash of the person, so that later messages about them are not stored." };
        var lift = new Option<bool>("--lift") { Description = "Accept messages about a suppressed person again." };
        var command = new Verb("erase", "Erase a person: every message that names them and every event on their timeline, from tables and files. This cannot be undone.")
        {
            Examples =
            [
                "trackmate erase --email sarah@example.com --dry-run",
                "trackmate erase --email sarah@example.com --suppress --yes",
                "trackmate erase --profile 671234567890abcdef123456 --company TM-SHOP99",
                "trackmate erase --email sarah@example.com --lift",
            ],
            Options = { company, person.Email, person.ExternalId, person.Profile, yes, dryRun, suppress, lift },
        };
        command.Does(async (installation, parsed, cancel) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            var named = person.Of(parsed, owner);
            using var writer = new OfflineWriter(installation.Engine);
            if (parsed.GetValue(lift))
            {
                if (!writer.Transact(owner, _ => Suppressed.Lift(writer.Database, owner, named))) throw new CommandFailedException($"{owner.CompanyId} does not suppress such a person.");
                Console.WriteLine("Messages about this person are stored again.");
                return;
            }

            // An unfinished erasure has hidden its person, whom the options could then no longer name. So it is completed first.
            var eraser = new Eraser(installation.Engine, (company, step) => Task.FromResult(writer.Transact(company, writer => ErasureWriter.Run(writer.Transaction, step))));
            var resumed = !parsed.GetValue(dryRun) && await ResumeAsync(installation.Engine, eraser, ErasureWriter.Unfinished(writer.Database), cancel);
            using var snapshots = new EngineSnapshots(installation.Engine);
            var preview = snapshots.Read(database => new ErasureWriter(database).Preview(owner, named.Id));
            if (preview is null && resumed)
            {
                Console.WriteLine($"{owner.CompanyId} has no such person now.");
                return;
            }

            if (preview is null) throw new CommandFailedException($"{owner.CompanyId} has no such person.");
            Console.WriteLine(Describe(preview));
            if (parsed.GetValue(dryRun)) return;
            if (!parsed.GetValue(yes)) Confirm();
            await EraseAsync(installation, eraser, owner, preview.Profile, parsed.GetValue(suppress), cancel);
        });
        return command;
    }

    private static async Task EraseAsync(Installation installation, Eraser eraser, Company company, ProfileId profile, bool suppress, CancellationToken cancel)
    {
        var by = new ActBy(Verb.Actor, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), DryRun: false);
        ErasureState state;
        try
        {
            state = await eraser.EraseRowsAsync(company, profile, by, suppress) ?? throw new CommandFailedException($"{company.CompanyId} has no such person any more.");
        }
        catch (ErasureUnfinishedException e)
        {
            throw new CommandFailedException($"{e.Message} {installation.Engine.CannotBeUsed(e.InnerException!)} A running server continues the erasure, and so does the next trackmate erase.");
        }

        var clean = await eraser.CleanFilesAsync(state, cancel);
        Console.WriteLine(clean
            ? $"Erased: {installation.Engine.Cleaned}"
            : $"Erased from all tables; {installation.Engine.NotCleaned}. A running server continues with that, and so does the next trackmate erase.");
        foreach (var kept in KeptByRestores(installation).Where(file => !file.EndsWith("-wal", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal)))
            Console.WriteLine($"{kept} is the store before a restore, and may still contain them: delete it when you no longer need it.");
        if (!clean) throw new CommandFailedException("Some bytes of the erased rows are not removed yet.");
    }

    private static IEnumerable<string> KeptByRestores(Installation installation) =>
        Directory.Exists(installation.DataFolder) ? Directory.EnumerateFiles(installation.DataFolder, "*.before-restore-*") : [];

    /// <returns>Whether there were unfinished erasures, and all are completed.</returns>
    private static async Task<bool> ResumeAsync(Engine engine, Eraser eraser, List<ErasureState> unfinished, CancellationToken cancel)
    {
        if (unfinished.Count == 0) return false;
        foreach (var state in unfinished) await eraser.ResumeRowsAsync(state);
        var clean = await eraser.ResumeFilesAsync(unfinished, cancel);
        Console.WriteLine($"{Sizes.Counted(unfinished.Count, "erasure", "erasures")} that {(unfinished.Count == 1 ? "was" : "were")} left unfinished: "
            + (clean ? "done now." : $"out of all tables now; {engine.NotCleaned}."));
        return clean;
    }

    private static void Confirm()
    {
        if (Console.IsInputRedirected) throw new InvalidSettingException("--yes", "standard input is not a terminal; add this option to confirm");
        Console.Write("Erase them? It cannot be taken back. Type yes: ");
        if (!string.Equals(Console.ReadLine()?.Trim(), "yes", StringComparison.OrdinalIgnoreCase)) throw new CommandFailedException("Nothing was erased.");
    }

    private static string Describe(Erased erased)
    {
        var revenue = erased.Revenue.Count == 0 ? "no revenue" : "revenue of " + string.Join(" and ", erased.Revenue.Select(revenue => $"{Money.Format(revenue.Amount, revenue.Currency)} {revenue.Currency}"));
        return $"Profile {erased.Profile}: {Sizes.Counted(erased.Events, "event", "events")}, {Sizes.Counted(erased.Identifies, "identify", "identifies")}, "
            + $"{Sizes.Counted(erased.Sessions, "session", "sessions")}, {Sizes.Counted(erased.Identifiers, "identifier", "identifiers")}, "
            + $"{Sizes.Counted(erased.Rejected, "rejected message", "rejected messages")}, {revenue}.";
    }
}
