using System.CommandLine;
using TrackMate.Manage;
using TrackMate.Store.Timeline;
using TrackMate.Transfer;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate export</c>: writes a person or a whole company as lines of JSON, with or without a running server.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var company = CompanyCommand.CompanyOption();
        var person = new PersonOptions();
        var output = new Option<string?>("--out") { Description = "The file to write. Default: standard output.", HelpName = "file" };
        var force = new Option<bool>("--force") { Description = "Overwrite an existing file." };
        var withSecret = new Option<bool>("--with-secret") { Description = "For a company: include the secret that its ids are derived from, so that an import creates the same ids. Protect the file like the store." };
        var command = new Verb("export", "Export a company, or one person, as NDJSON for trackmate import: all messages as they were sent.")
        {
            Examples =
            [
                "trackmate export --email sarah@example.com --out sarah.ndjson",
                "trackmate export --company TM-SHOP99 --out shop.ndjson",
                "trackmate export --company TM-SHOP99 --with-secret | gzip > shop.ndjson.gz",
            ],
            Options = { company, person.Email, person.ExternalId, person.Profile, output, force, withSecret },
        };
        command.Does(async (installation, parsed, cancel) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            var named = person.IsGiven(parsed) ? person.Of(parsed, owner) : null;
            if (named is not null && parsed.GetValue(withSecret)) throw new InvalidSettingException("--with-secret", "it goes with a whole company, not with one person");
            using var snapshots = new EngineSnapshots(installation.Engine);
            var export = new Export(owner, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), snapshots);
            if (named is not null && snapshots.Read(database => new PersonReader(database).Find(owner, named.Id)) is null) throw new CommandFailedException($"{owner.CompanyId} has no such person.");
            await using var file = Open(parsed.GetValue(output), parsed.GetValue(force));
            if (named is null) await export.WriteAllAsync(file, parsed.GetValue(withSecret), cancel);
            else await export.WriteAsync(named.Id, _ => file, cancel);
            await file.FlushAsync(cancel);
            if (parsed.GetValue(output) is { } path) Console.Error.WriteLine($"Exported to {Path.GetFullPath(path)} ({Sizes.Of(file.Length)}).");
        });
        return command;
    }

    /// <summary>Creates a file that only its owner can read, since it contains personal data.</summary>
    private static Stream Open(string? path, bool force)
    {
        if (path is null) return new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
        if (File.Exists(path) && !force) throw new CommandFailedException($"{Path.GetFullPath(path)} exists already. Choose another name, or overwrite it with --force.");
        try
        {
            BackupFile.Create(path);
            return new FileStream(path, FileMode.Open, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The export could not be written to {Path.GetFullPath(path)}: {e.Message}");
        }
    }
}
