using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>How far a transaction had come.</summary>
internal enum WritePhase
{
    Beginning,
    Writing,
    Committing,
}

/// <summary>What became of a transaction.</summary>
/// <param name="OnKeptConnection">Whether its connection had been kept from one before.</param>
/// <param name="Failure">What it failed with; null where it is committed.</param>
/// <param name="Receipts">What became of the messages, once they were written.</param>
internal readonly record struct WriteOutcome(bool OnKeptConnection, WritePhase Phase, Exception? Failure, Receipt[]? Receipts);

/// <summary>The connection of one of a store's writers, which goes with each transaction that fails: nothing that was remembered can be trusted then, and after an I/O error not even the connection.</summary>
internal sealed class WriterConnection(Engine engine) : IDisposable
{
    private Database? database;
    private MessageWriter? writer;

    /// <exception cref="Exception">As the engine has it: the store cannot be opened.</exception>
    public void Open()
    {
        database = engine.OpenWriter();
        writer = new(new(database));
    }

    /// <summary>Writes all of a batch, or nothing.</summary>
    /// <param name="unanswered">What became of its messages in an earlier transaction of theirs, of which it is not known whether it was committed.</param>
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
            // Before anybody is told that it is stored: a file that was deleted under the server takes commits that end with it.
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

    /// <summary>Asks whether the store is written again.</summary>
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

    /// <summary>Lets the engine do what it does after each commit.</summary>
    public void AfterCommit(IReadOnlyCollection<long> companies) => engine.AfterCommit(database!, companies);

    public void Dispose()
    {
        database?.Dispose();
        database = null;
        writer = null;
    }
}
