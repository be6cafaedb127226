using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Transfer;

/// <summary>What an import did so far.</summary>
/// <param name="Suppressed">Messages that name somebody who is kept away.</param>
internal sealed record Imported(long Lines, long Stored, long Duplicates, long Suppressed, int Acts);

/// <summary>
/// Takes an export in, by the rules of the writer: an eventId that is there already is a duplicate and changes nothing, so an import that was cut short is done
/// again. It works while a server runs.
/// </summary>
internal sealed class ImportFile(Company company, OfflineWriter beside, Registry registry)
{
    /// <summary>Messages in one transaction, so that a server's writer waits for a moment only.</summary>
    private const int BatchSize = 500;

    /// <summary>Far more than any line of ours: a message of 32 KiB is one of some 200, but the first line of a person holds all of their identifiers and traits.</summary>
    private const int MaxLine = 64 << 20;

    private readonly List<Message> batch = [];
    private readonly List<ExportedAct> acts = [];
    private Company company = company;
    private Imported done = new(0, 0, 0, 0, 0);

    /// <param name="progress">Told after each batch.</param>
    /// <exception cref="CommandFailedException">A line cannot be read; what stands before it has been taken in.</exception>
    public async Task<Imported> ReadAsync(Stream stream, Action<Imported> progress, CancellationToken cancel)
    {
        await foreach (var line in LinesOf(stream, cancel))
        {
            done = done with { Lines = done.Lines + 1 };
            if (line.AsSpan().Trim((byte)' ').IsEmpty) continue;
            ImportLine read;
            try
            {
                read = ImportLine.Read(line, company);
            }
            catch (FormatException e)
            {
                Flush();
                throw new CommandFailedException($"Line {done.Lines} cannot be imported: {e.Message}. What stands before it has been taken in; mend it and import the file again.");
            }

            if (done.Lines == 1 && (read.Message is not null || read.Act is not null)) throw new CommandFailedException("The first line is not that of an export; import whole files that trackmate export wrote.");
            if (read.Settings is { } settings) Adopt(settings, read.Secret);
            if (read.Act is { } act) acts.Add(act);
            if (read.Message is { } message) batch.Add(message);
            if (batch.Count < BatchSize) continue;
            Flush();
            progress(done);
        }

        Flush();
        if (acts.Count > 0) done = done with { Acts = beside.Transact(company, _ => new ActImport(beside.Database).Add(company, acts)) };
        return done;
    }

    private void Flush()
    {
        if (batch.Count == 0) return;
        var receipts = beside.Transact(company, writer => writer.Append(batch));
        var (suppressed, duplicates) = (receipts.Count(receipt => receipt.Suppressed), receipts.Count(receipt => receipt.Duplicate));
        done = done with { Stored = done.Stored + receipts.Length - suppressed - duplicates, Duplicates = done.Duplicates + duplicates, Suppressed = done.Suppressed + suppressed };
        batch.Clear();
    }

    /// <summary>A company that has received nothing yet takes over the settings of the one that was exported, and its secret where that was written.</summary>
    private void Adopt(JsonElement json, byte[]? secret)
    {
        CompanySettings settings;
        try
        {
            settings = CompanyRows.ReadSettings(json.GetRawText());
        }
        catch (JsonException)
        {
            throw new CommandFailedException("The settings on the first line cannot be read.");
        }

        if (secret is { Length: not 32 }) throw new CommandFailedException("The secret on the first line is not one of 32 bytes.");
        if (registry.SetUnlessReceived(company, settings, secret)) company = registry.Find(company.CompanyId)!;
        else if (secret is not null && !secret.AsSpan().SequenceEqual(company.Secret))
            throw new CommandFailedException($"{company.CompanyId} has received messages under another secret, so its ids cannot become those of the export; import into a new company.");
    }

    private static async IAsyncEnumerable<byte[]> LinesOf(Stream stream, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = PipeReader.Create(stream);
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return buffer.Slice(0, end).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > MaxLine) throw new CommandFailedException($"A line is longer than {MaxLine >> 20} MiB, so it is none of an export.");
            if (read.IsCompleted)
            {
                if (!buffer.IsEmpty) yield return buffer.ToArray();
                yield break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }
}
