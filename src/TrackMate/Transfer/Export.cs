using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Show;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Transfer;

/// <summary>Writes an export, a page at a time: each page is read by itself, so that however slowly it is taken the store's log is not held back.</summary>
/// <param name="read">Reads out of one snapshot.</param>
internal sealed class Export(Company company, long now, ISnapshots read)
{
    /// <summary>Messages in memory at once, of 32 KiB at most each, where a file takes them.</summary>
    private const int PageSize = 200;

    /// <summary>Where somebody takes them who may be slow.</summary>
    private const int PageSizeOfPerson = 32;

    /// <summary>What the export of a person takes of the memory, however slowly it is taken.</summary>
    public const int HeldBytes = 2 * PageSizeOfPerson * Batches.MaxEventBytes;

    /// <summary>One person: who they are, each message that concerns them as it was sent, and the acts about them.</summary>
    /// <returns>False where the company has no such profile; nothing is written then.</returns>
    public async Task<bool> WriteAsync(ProfileId id, Func<ProfileId, Stream> begin, CancellationToken cancel)
    {
        var found = read.Read(database =>
        {
            var documents = new Documents(database, company);
            return documents.Persons.Find(company, id) is { } person ? (person, documents.Profile(person), new PersonMessages(database).Of(person)) : ((Person, ProfileDocument, List<long>)?)null;
        }, company);
        if (found is not (var known, var document, var messages)) return false;
        var output = begin(known.Id);
        await output.WriteAsync(ExportLines.OfProfile(document, now), cancel);
        foreach (var page in messages.Chunk(PageSizeOfPerson))
        {
            foreach (var exported in read.Read(database => new ExportReader(database).Of(company, page), company)) await output.WriteAsync(ExportLines.Of(exported), cancel);
        }

        foreach (var act in read.Read(database => new ExportReader(database).Acts(company, known), company)) await output.WriteAsync(ExportLines.Of(act), cancel);
        return true;
    }

    /// <summary>The whole company: its settings, all messages in the order in which they arrived, and all acts.</summary>
    public async Task<long> WriteAllAsync(Stream output, bool withSecret, CancellationToken cancel)
    {
        var (until, written) = (read.Read(database => database.LastMessage(company.Number), company), 0L);
        await output.WriteAsync(ExportLines.OfCompany(company, now, withSecret), cancel);
        for (long? after = 0; after is { } last;)
        {
            var (messages, next) = read.Read(database => new ExportReader(database).Page(company, last, until, PageSize), company);
            foreach (var exported in messages) await output.WriteAsync(ExportLines.Of(exported), cancel);
            written += messages.Count;
            after = next;
        }

        foreach (var act in read.Read(database => new ExportReader(database).Acts(company, person: null), company)) await output.WriteAsync(ExportLines.Of(act), cancel);
        return written;
    }
}
