using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>The step that a transaction had reached.</summary>
internal enum WritePhase
{
    Beginning,
    Writing,
    Committing,
}

/// <summary>The result of a transaction.</summary>
/// <param name="OnKeptConnection">Whether an earlier transaction had used the same connection.</param>
/// <param name="Failure">The failure; null if it is committed.</param>
/// <param name="Receipts">The receipts of the messages, once they were written.</param>
internal readonly record struct WriteOutcome(bool OnKeptConnection, WritePhase Phase, Exception? Failure, Receipt[]? Receipts);

/// <summary>The connection of one of a store's writers. It is closed after each failed transaction: the caches are invalid then, and after an I/O error the connection may be unusable too.</summary>
internal sealed class WriterConnection(Engine engine) : IDisposable
{
    private Database? database;
    private MessageWriter? writer;

    /// <exception cref="Exception">The engine's exception, if the store cannot be opened.</exception>
    public void Open()
    {
        database = engine.OpenWriter();
        writer = new(new(database));
    }

    /// <summary>Writes all requests of a batch, or none.</summary>
    /// <param name="unanswered">The receipts of an earlier transaction of the same messages, whose commit is uncertain.</param>
    public WriteOutcome Write(IReadOnlyList<WriteQueue.Append> batch, Receipt[]? unanswered)
    {
        var outcome = new WriteOutcome { OnKeptConnection = database is not null };
        try
        {
            if (database is null) Open();
            var transaction = writer!.Transaction;
            transaction.Begin(batch.SelectMany(append => append.Holds()), batch.Sum(append => append.Messages.Count));

            outcome = outcome with { Phase = WritePhase.Writing };
            var receipts = writer.Append([.. batch.SelectMany(append => append.Messages)], unanswered);
            var next = 0;
            foreach (var append in batch)
            {
                Array.Copy(receipts, next, append.Receipts, 0, append.Messages.Count);
                next += append.Messages.Count;
                if (append.Rejected is { } rejected) transaction.Ingestion.Keep(transaction.Suppressed.WithoutTheirBodies(rejected), append.Messages, append.Receipts);
                append.Work?.Do(transaction);
            }

            transaction.Finish();
            outcome = outcome with { Phase = WritePhase.Committing, Receipts = receipts };
            database!.Commit();
            // Checked before any sender is told that its messages are stored: commits into a deleted file are lost when the server stops.
            if (!engine.IsInPlace) throw new StoreMovedException(engine.Name);
            return outcome;
        }
        catch (Exception e)
        {
            if (outcome.Phase is WritePhase.Beginning && database?.HasBegun == true) outcome = outcome with { Phase = WritePhase.Writing };
            Dispose();
            return outcome with { Failure = e };
        }
    }

    /// <summary>Tests whether the store can be written again.</summary>
    public WriteOutcome Probe()
    {
        try
        {
            if (database is null) Open();
            engine.Probe(database!);
            return default;
        }
        catch (Exception e)
        {
            Dispose();
            return new() { Failure = e };
        }
    }

    /// <summary>Runs the engine's work after a commit.</summary>
    public void AfterCommit(IReadOnlyCollection<long> companies) => engine.AfterCommit(database!, companies);

    public void Dispose()
    {
        database?.Dispose();
        database = null;
        writer = null;
    }
}
