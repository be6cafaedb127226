using System.CommandLine;
using System.Data.Common;
using TrackMate.Manage;
using TrackMate.Store.Move;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
using TrackMate.Transfer;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate move</c>: copies an embedded store into PostgreSQL, or back, while no server runs on either.</summary>
internal static class MoveCommand
{
    /// <summary>Rows in a transaction of some megabytes: large enough that its fsync costs little, small enough that an interruption loses little.</summary>
    private const int Chunk = 20_000;

    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "Source: a data folder, or a PostgreSQL database as in TRACKMATE_DATABASE.", HelpName = "place", Required = true };
        var to = new Option<string>("--to") { Description = "Target: an empty data folder or PostgreSQL database.", HelpName = "place", Required = true };
        var chunk = new Option<int>("--chunk") { Description = "Rows in one transaction.", Hidden = true, DefaultValueFactory = _ => Chunk };
        var command = new Verb("move", "Copy all data from the embedded store to PostgreSQL, or back, and compare both sides. Stop all servers first. If it is interrupted, run it again to continue. The source is not changed.")
        {
            Examples =
            [
                "trackmate move --from ./data --to postgres://trackmate@db.example:5432/trackmate",
                "trackmate move --from postgres://trackmate@db.example:5432/trackmate --to ./data",
                "PGPASSWORD=… trackmate move --from ./data --to \"Host=db.example;Username=trackmate;Database=trackmate;SSL Mode=Require\"",
            ],
            Options = { from, to, chunk },
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(chunk) < 1) throw new InvalidSettingException("--chunk", "it is a number of rows from 1 on");
            var (source, target) = (Place.Of("--from", parsed.GetRequiredValue(from)), Place.Of("--to", parsed.GetRequiredValue(to)));
            if (source.Folder is not null && target.Folder is not null) throw new InvalidSettingException("--to", "to copy a store from one folder to another use trackmate backup and trackmate restore; give a database as one of the two");
            if (source == target) throw new InvalidSettingException("--to", "it is the same place as --from");
            await MoveAsync(source, target, parsed.GetValue(chunk), cancel);
        });
        return command;
    }

    private static async Task MoveAsync(Place source, Place target, int chunk, CancellationToken cancel)
    {
        using var progress = new ProgressLine(TimeProvider.System);
        using var from = source.End();
        using var to = target.End();
        Hold(from, from.HoldAsSource);
        Hold(to, to.HoldAsTarget);
        var move = new StoreMove(from, to, chunk, progress.Report);
        if (move.Begin()) progress.WriteLine($"An earlier run has copied a part of it into {to.Engine.Place}; continuing from there.");
        move.Copy(cancel);
        move.Compare(cancel);
        var companies = await CompareExportsAsync(from, to, move.RowsOf("message"), progress, cancel);
        move.Close();
        progress.Clear();

        Console.WriteLine($"Moved {Sizes.Counted(move.Rows, "row", "rows")} of {move.Tables} tables from {from.Engine.Place} into {to.Engine.Place}. Both sides were read again and are the same: every row, and the {(companies == 1 ? "export of the company" : $"exports of {companies} companies")}.");
        Console.WriteLine(target.Folder is { } folder
            ? $"Next: start the server with TRACKMATE_DATA={folder} and without TRACKMATE_DATABASE."
            : "Next: set TRACKMATE_DATABASE to it and start the servers.");
        if (SealedIn(to.Database) > 0) Console.WriteLine(BringKey(source, target));
        Console.WriteLine($"{char.ToUpperInvariant(from.Engine.Place[0])}{from.Engine.Place[1..]} is as it was. Do not start a server on it again: its new events would be missing here.");
    }

    private static void Hold(StoreEnd end, Action hold)
    {
        try
        {
            hold();
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            throw new CommandFailedException(end.Engine.CannotBeUsed(e));
        }
    }

    /// <summary>Exports each company from both stores, and compares the exports byte by byte.</summary>
    private static async Task<int> CompareExportsAsync(StoreEnd from, StoreEnd to, long messages, ProgressLine progress, CancellationToken cancel)
    {
        var companies = CompanyRows.Read(from.Database);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        using var left = new EngineSnapshots(from.Engine);
        using var right = new EngineSnapshots(to.Engine);
        var lines = 0L;
        foreach (var company in companies)
        {
            var copy = CompanyRows.Read(to.Database).Single(copied => copied.Number == company.Number);
            using var there = new LineHash(_ => { });
            using var here = new LineHash(read => progress.Report(new($"Exporting {company.CompanyId} on both sides", lines + read, messages + companies.Count)));
            // Progress is reported by the slower one.
            await Task.WhenAll(
                Task.Run(() => new Export(company, now, left).WriteAllAsync(from is PostgresEnd ? here : there, withSecret: true, cancel), cancel),
                Task.Run(() => new Export(copy, now, right).WriteAllAsync(from is PostgresEnd ? there : here, withSecret: true, cancel), cancel));
            lines += here.Lines;
            if (!here.End().AsSpan().SequenceEqual(there.End()))
                throw new CommandFailedException($"The export of {company.CompanyId} is not the same on both sides, though every row is; please report this. Do not use {to.Engine.Name}.");
        }

        return companies.Count;
    }

    /// <summary>The number of active token keys whose secret is encrypted with the sealing key.</summary>
    private static long SealedIn(Database database)
    {
        using var count = database.Use("SELECT COUNT(*) FROM token_key WHERE algorithm = 'HS256' AND revoked_ms IS NULL");
        count.Next();
        return count.Long(0);
    }

    private static string BringKey(Place source, Place target)
    {
        var here = new SealingKey(source.Folder ?? ServerOptions.DataFolderFrom(Environment.GetEnvironmentVariable)).Path;
        if (target.Folder is not { } folder)
            return $"Its token keys are sealed with {here}, which lies in no database: copy it to keys/token.key in the data folder of each server.";
        var there = new SealingKey(folder).Path;
        if (File.Exists(there)) return $"Its token keys are sealed: {there} is there, and has to be the file keys/token.key of the servers that ran on it.";
        if (!File.Exists(here)) return $"Its token keys are sealed with the file keys/token.key in the data folder of each server that ran on it: copy it to {there}.";
        FolderLock.Make(Path.GetDirectoryName(there)!);
        // The copy keeps the file's mode, so only its owner can read it.
        File.Copy(here, there);
        return $"Its token keys are sealed: {here} was copied to {there}.";
    }

    /// <summary>The source or target as the command line names it.</summary>
    /// <param name="Folder">Null for a database.</param>
    private sealed record Place(string? Folder, string? Connection)
    {
        public static Place Of(string option, string text)
        {
            if (string.IsNullOrWhiteSpace(text)) throw new InvalidSettingException(option, "it is empty; give a data folder or a PostgreSQL database");
            if (!text.Contains("://", StringComparison.Ordinal) && !text.Contains("Host=", StringComparison.OrdinalIgnoreCase) && !text.Contains("Server=", StringComparison.OrdinalIgnoreCase)) return new(Path.GetFullPath(text), null);
            try
            {
                var settings = PostgresConnection.Read(text);
                // Some queries take longer the larger a table is.
                settings.CommandTimeout = 0;
                settings.ApplicationName = "trackmate move";
                return new(null, settings.ConnectionString);
            }
            catch (FormatException e)
            {
                throw new InvalidSettingException(option, e.Message);
            }
        }

        public StoreEnd End() => Folder is { } folder ? new SqliteEnd(new(folder), folder) : new PostgresEnd(PostgresEngine.Of(Connection!));
    }
}
