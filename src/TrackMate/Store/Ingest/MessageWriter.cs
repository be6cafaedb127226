using TrackMate.Bind;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// Appends accepted messages and everything derived from them, inside a transaction. Messages of suppressed people are dropped. For each other message the prior state is
/// loaded, <c>Bind</c> decides, and the decision is stored. After the last message joins are derived once, and the receipts are completed.
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
        var prefetch = database is PostgresDatabase postgres ? new BatchPrefetch(new(postgres), transaction) : null;
        Func<Message, ReservedNumber> reserved = prefetch is null ? _ => default : prefetch.Take;
        Transaction = transaction;
        prefetcher = new(transaction, prefetch);
        var claims = new ClaimWriter(transaction, prefetcher);
        events = new(transaction, reserved, prefetcher, claims);
        identifies = new(transaction, reserved, prefetcher, claims);
        receipts = new(database);
    }

    public WriteTransaction Transaction { get; }

    /// <summary>Appends messages, in this order.</summary>
    /// <param name="unanswered">The receipts of an earlier transaction of the same messages whose commit is uncertain. A message that was new there is no repeat now.</param>
    /// <returns>The receipt of each message.</returns>
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
        var results = receipts.Of(written!);
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Duplicate && unanswered?[i] is { Duplicate: false } first) results[i] = first;
        }

        Note(messages, results);
        return results;
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
        return written ?? receipts.OfStored(Transaction.Ids, message with { Company = company });
    }

    /// <summary>Records warnings and repeats.</summary>
    private void Note(IReadOnlyList<Message> messages, Receipt[] results)
    {
        for (var i = 0; i < results.Length; i++)
        {
            if (!results[i].Duplicate) Transaction.Ingestion.Note(messages[i], results[i]);
        }

        // Sorted, so that two servers that received the same repeats cannot deadlock.
        foreach (var i in Enumerable.Range(0, results.Length).Where(i => results[i].Duplicate).OrderBy(i => messages[i].EventId, StringComparer.Ordinal)) Transaction.Ingestion.Note(messages[i], results[i]);
    }
}
