using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Store.Erase;
using TrackMate.Store.Write;

namespace TrackMate.Store;

/// <summary>The store of a server: one writer that takes what gathers in the queue, readers beside it, whichever engine keeps it.</summary>
internal sealed partial class MessageStore : ISnapshots, IDisposable
{
    /// <summary>How often a transaction is begun anew that only met another one.</summary>
    private const int MostAttempts = 5;

    /// <summary>What asks whether the store writes again: more than any request holds, since on a full disk a little may still find room.</summary>
    private const int ProbeBytes = 1 << 20;

    private readonly Engine engine;
    private readonly ILogger log;
    private readonly ConcurrentBag<Database> readers = [];
    private readonly WriteQueue queue;
    private Database? database;
    private MessageWriter? writer;
    private IngestionRows? ingestion;
    private readonly Lock asking = new();
    private volatile Exception? failure;
    private volatile Exception? unreadable;

    private MessageStore(Engine engine, ILogger log)
    {
        this.engine = engine;
        this.log = log;
        queue = new(Commit);
    }

    /// <summary>Opens or makes the store for a server, and brings its tables up to date.</summary>
    /// <exception cref="IOException">Another server holds it, or it cannot be written.</exception>
    public static MessageStore Open(Engine engine, ILogger log)
    {
        var store = new MessageStore(engine, log);
        try
        {
            engine.Serve(companies => store.Appended?.Invoke(companies));
            store.OpenWriter();
            store.writer!.Reset();
            store.queue.Start();
            return store;
        }
        catch
        {
            store.database?.Dispose();
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Called with the companies that have received or refused something, after it was committed, here or by another server: be quick.</summary>
    public Action<IReadOnlyCollection<long>>? Appended { get; set; }

    /// <summary>What the last transaction failed with; null while the store takes what comes.</summary>
    public Exception? Failure => failure;

    /// <summary>Stores the messages of one request together, and what was refused in it beside them.</summary>
    /// <param name="messages">None, with nothing refused, asks whether the store writes at all.</param>
    /// <returns>A receipt for each message, after the commit's fsync.</returns>
    /// <exception cref="StoreUnavailableException">Nothing was stored.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected = null) => queue.AppendAsync(messages, rejected);

    /// <summary>Does what an operator asks, between the messages and as durable as they are.</summary>
    /// <param name="work">Given the acts of this store; its answer is handed on once it is committed. It throws for faults of ours only.</param>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<T> ActAsync<T>(Company company, Func<ActWriter, T> work)
    {
        T? answer = default;
        await queue.RunAsync(company, writer => answer = work(writer.Acts));
        return answer!;
    }

    /// <summary>Runs a step of an erasure between the messages; it is committed when it returns.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<ErasureState?> EraseAsync(Company company, Func<ErasureWriter, ErasureState?> step)
    {
        ErasureState? state = null;
        await queue.RunAsync(company, writer => state = writer.Erase(step));
        return state;
    }

    /// <inheritdoc cref="Engine.Clean"/>
    public bool Clean(CancellationToken cancel) => engine.Clean(cancel);

    /// <summary>Takes away what has passed its bounds of what was refused, warned of and sent again.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <returns>Whether there may be more.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<bool> PruneIngestionAsync(Company company, long now)
    {
        var more = false;
        await queue.RunAsync(company, _ => more = ingestion!.Prune(company, now));
        return more;
    }

    /// <summary>One consistent look at the store; dispose it soon, since it holds the log back.</summary>
    /// <exception cref="StoreUnavailableException">The file or the database cannot be read now.</exception>
    public ReadSnapshot Read()
    {
        if (unreadable is null) return Begin();
        // To find out may take as long as a connection is waited for: one asks at a time, and the others are told what is known.
        if (!asking.TryEnter()) throw new StoreUnavailableException("The store cannot be read now.", unreadable);
        try
        {
            return Begin();
        }
        finally
        {
            asking.Exit();
        }
    }

    private ReadSnapshot Begin()
    {
        try
        {
            while (readers.TryTake(out var idle))
            {
                try
                {
                    return Readable(new(idle, readers));
                }
                catch (Exception e) when (IsUnavailable(e))
                {
                    // It may have lost what it was connected to, and then so have those beside it; a new one says whether that is so.
                    while (readers.TryTake(out var other)) other.Dispose();
                }
            }

            return Readable(new(engine.OpenReader(), readers));
        }
        catch (Exception e) when (IsUnavailable(e))
        {
            if (unreadable is null) LogReadFailed(log, engine.Name, (e.InnerException ?? e).Message);
            unreadable = e;
            throw new StoreUnavailableException("The store cannot be read now.", e);
        }
    }

    private ReadSnapshot Readable(ReadSnapshot snapshot)
    {
        if (unreadable is not null) LogReadRecovered(log, engine.Name);
        unreadable = null;
        return snapshot;
    }

    private bool IsUnavailable(Exception e) => e is StoreUnavailableException || engine.IsUnavailable(e);

    /// <summary>Reads out of one snapshot.</summary>
    public T Read<T>(Func<Database, T> read)
    {
        using var snapshot = Read();
        return read(snapshot.Database);
    }

    /// <summary>Takes nothing more, commits and answers what was taken, and leaves the log moved into the database.</summary>
    public void Dispose()
    {
        queue.Dispose();
        foreach (var reader in readers) reader.Dispose();
        database?.Dispose();
        engine.Dispose();
    }

    private void OpenWriter()
    {
        database = engine.OpenWriter();
        writer = new(database);
        ingestion = new(database);
    }

    private void Commit(IReadOnlyList<WriteQueue.Append> batch)
    {
        var failed = Write(batch);
        for (var attempt = 1; failed is not null && engine.IsTransient(failed) && attempt < MostAttempts; attempt++) failed = Write(batch);
        if (failed is null)
        {
            if (failure is not null) LogWriteRecovered(log, engine.Name);
            failure = null;
            AfterCommit(batch);
        }
        else if (engine.IsUnavailable(failed))
        {
            if (failure is null) LogWriteFailed(log, engine.Name, failed.Message, failed);
            failure = failed;
        }
        else if (batch.Count > 1)
        {
            // One request that cannot be written must not take its neighbours with it, now and at every retry.
            foreach (var append in batch) Commit([append]);
            return;
        }
        else
        {
            LogUnwritable(log, batch[0].Messages.Count, failed.Message, failed);
        }

        foreach (var append in batch) append.Failure = failed;
    }

    private Exception? Write(IReadOnlyList<WriteQueue.Append> batch)
    {
        try
        {
            BeginWrite([.. batch.SelectMany(append => append.Holds())]);
            writer!.Begin();
            foreach (var append in batch)
            {
                for (var i = 0; i < append.Messages.Count; i++) ingestion!.Note(append.Messages[i], append.Receipts[i] = writer!.Append(append.Messages[i]));
                if (append.Rejected is { } rejected) ingestion!.Keep(writer!.ToKeep(rejected), append.Messages, append.Receipts);
                append.Work?.Invoke(writer!);
            }

            writer!.Finish();
            var isProbe = failure is not null && batch.All(append => append is { Messages.Count: 0, Rejected: null, Work: null });
            if (isProbe) Probe();
            database!.Commit();
            if (isProbe) database.Execute("DELETE FROM rejected WHERE company = 0");
        }
        catch (Exception e)
        {
            Abandon();
            return e;
        }

        return null;
    }

    private void BeginWrite(List<(long Company, Hold Hold)> holds)
    {
        if (database is { IsShared: true } kept)
        {
            try
            {
                kept.BeginWrite(holds);
                return;
            }
            catch (Exception e) when (engine.IsUnavailable(e) && !engine.IsTransient(e))
            {
                // It may have lost what it was connected to since the last time; nothing was written yet, and a new one says whether that is so.
                Abandon();
            }
        }

        if (database is null)
        {
            OpenWriter();
            writer!.Reset();
        }

        database!.BeginWrite(holds);
    }

    private void Probe()
    {
        database!.Use("INSERT INTO rejected (company, origin, call, received_ms, status, detail, size, kept, body) VALUES (0, 0, 0, 0, 0, '', 0, 0, ?)").WithBlob(new byte[ProbeBytes]).Run();
    }

    private void AfterCommit(IReadOnlyList<WriteQueue.Append> batch)
    {
        var companies = batch.SelectMany(append => append.Heard()).ToHashSet();
        try
        {
            if (companies.Count > 0) Appended?.Invoke(companies);
        }
        catch (Exception e)
        {
            // What is committed is committed, whatever those who watch make of it.
            LogWatcherFailed(log, e);
        }

        engine.AfterCommit(database!, companies);
    }

    /// <summary>After a failed transaction nothing in memory can be trusted, and after an I/O error not even the connection.</summary>
    private void Abandon()
    {
        database?.Dispose();
        database = null;
        writer = null;
        ingestion = null;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Store} cannot be written: {Reason}. Senders get 503 and may send again; nothing acknowledged is lost. It is tried again with each message.")]
    private static partial void LogWriteFailed(ILogger logger, string store, string reason, Exception exception);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "A request of {Messages} messages cannot be written, whatever the store's state: {Reason}. Its sender got a 503; please report this.")]
    private static partial void LogUnwritable(ILogger logger, int messages, string reason, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Something that watches the store failed; what was committed stands.")]
    private static partial void LogWatcherFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "{Store} cannot be read: {Reason}. Whoever asks gets 503; it is tried again with each request.")]
    private static partial void LogReadFailed(ILogger logger, string store, string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Information, Message = "{Store} is read again.")]
    private static partial void LogReadRecovered(ILogger logger, string store);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "{Store} is written again.")]
    private static partial void LogWriteRecovered(ILogger logger, string store);
}
