using System.CommandLine;
using System.IO.Compression;
using TrackMate.Manage;
using TrackMate.Store.Ingest;
using TrackMate.Transfer;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate import FILE</c>: imports an export, with or without a running server.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A file written by trackmate export, gzipped or not; - for standard input." };
        var company = CompanyCommand.CompanyOption();
        var command = new Verb("import", "Import an export into a company. Existing messages stay unchanged, so importing a file twice is safe.")
        {
            Examples = ["trackmate import shop.ndjson --company TM-NEW", "trackmate export --company TM-SHOP99 | TRACKMATE_DATA=./other trackmate import - --company TM-SHOP99"],
            Arguments = { file },
            Options = { company },
        };
        command.Does(async (installation, parsed, cancel) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var owner = Installation.CompanyOf(registry, parsed.GetValue(company));
            using var writer = new OfflineWriter(installation.Engine);
            await using var stream = Open(parsed.GetRequiredValue(file));
            var imported = await new ImportFile(owner, writer, registry).ReadAsync(stream, Report, cancel);
            Console.WriteLine($"Imported into {owner.CompanyId}: {Describe(imported)}.");
        });
        return command;
    }

    private static void Report(Imported imported)
    {
        if (!Console.IsErrorRedirected) Console.Error.Write($"\r{Describe(imported)} … ");
    }

    private static string Describe(Imported imported) =>
        $"{Sizes.Counted(imported.Stored, "message", "messages")} stored, {imported.Duplicates:N0} there already"
        + (imported.Suppressed > 0 ? $", {imported.Suppressed:N0} of people who were erased left out" : "")
        + (imported.Acts > 0 ? $", {Sizes.Counted(imported.Acts, "act", "acts")}" : "");

    private static Stream Open(string path)
    {
        try
        {
            Stream stream = path == "-" ? new BufferedStream(Console.OpenStandardInput(), 1 << 16) : File.OpenRead(path);
            if (path == "-") return stream;
            var isGzip = stream.ReadByte() == 0x1f && stream.ReadByte() == 0x8b;
            stream.Position = 0;
            return isGzip ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{path} cannot be read: {e.Message}");
        }
    }
}
