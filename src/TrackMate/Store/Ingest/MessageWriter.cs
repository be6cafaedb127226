using TrackMate.Bind;
using TrackMate.Store.Sql.Postgres;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Appends accepted messages and all that follows from them, inside a transaction: whoever stays away is kept out, what each touches is loaded, <c>Bind</c> decides,
/// and the decision is stored; then joins are derived once for all of them, and their senders' answers are looked up.
/// </summary>
internal sealed class MessageWriter
{
    private readonly Prefetcher prefetcher;
    private readonly EventWriter events;
    private readonly IdentifyWriter identifies;
    private readonly Receipts receipts;

    public MessageWriter(WriteTransaction transaction)
    {
        var database = transaction.Database;
        var ahead = database is PostgresDatabase postgres ? new BatchPrefetch(new(postgres), transaction) : null;
        var rows = new MessageRows(database, ahead);
        Transaction = transaction;
        prefetcher = new(transaction, ahead);
        var claims = new ClaimWriter(transaction, prefetcher);
        events = new(transaction, rows, prefetcher, claims);
        identifies = new(transaction, rows, prefetcher, claims);
        receipts = new(database);
    }

    public WriteTransaction Transaction { get; }

    /// <summary>Appends messages, in this order.</summary>
    /// <param name="unanswered">What became of them before, where it is not known whether that was committed: who was new then is no repeat now.</param>
    /// <returns>What became of each.</returns>
    public Receipt[] Append(IReadOnlyList<Message> messages, Receipt[]? unanswered = null)
    {
        var written = new Lazy<Written>?[messages.Count];
        for (var i = 0; i < written.Length; i++)
        {
            if (Transaction.Suppressed.KeepsOut(messages[i])) written[i] = new(new Written(new(Duplicate: false, Suppressed: true)));
        }

        prefetcher.Defer(messages.Where((_, i) => written[i] is null));
        for (var i = 0; i < written.Length; i++) written[i] ??= Write(messages[i]);
        Transaction.Derived.Persons.Derive();
        var told = receipts.Of(written!);
        for (var i = 0; i < told.Length; i++)
        {
            if (told[i].Duplicate && unanswered?[i] is { Duplicate: false } first) told[i] = first;
        }

        Note(messages, told);
        return told;
    }

    private Lazy<Written> Write(Message message)
    {
        if (prefetcher.IsWritten(message)) return Written.Event;
        var company = Transaction.Current(message.Company);
        var written = message switch
        {
            TrackedEvent tracked => events.Write(tracked, company),
            Identify identify => identifies.Write(identify, company),
            _ => throw new ArgumentException($"A {message.GetType().Name} is not a message.", nameof(message)),
        };
        return written ?? receipts.OfStored(Transaction.Names, message with { Company = company });
    }

    /// <summary>Notes warnings and repeats.</summary>
    private void Note(IReadOnlyList<Message> messages, Receipt[] told)
    {
        for (var i = 0; i < told.Length; i++)
        {
            if (!told[i].Duplicate) Transaction.Ingestion.Note(messages[i], told[i]);
        }

        // In one order, so that two servers that were sent the same again wait for each other and not in a circle.
        foreach (var i in Enumerable.Range(0, told.Length).Where(i => told[i].Duplicate).OrderBy(i => messages[i].EventId, StringComparer.Ordinal)) Transaction.Ingestion.Note(messages[i], told[i]);
    }
}
