using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Store.Erase;
using TrackMate.Store.Write;

namespace TrackMate.Store;

/// <summary>The store of a server: writers that take what gathers in their queues, readers beside them, whichever engine keeps it.</summary>
internal sealed partial class MessageStore : ISnapshots, IDisposable
{
    private readonly Engine engine;
    private readonly ConcurrentBag<Database> readers = [];
    private readonly ILogger log;
    private readonly StoreWriter[] writers;
    private readonly StoreWriter aside;
    private readonly ConcurrentDictionary<long, Exception> away = new();
    private readonly Lock asking = new();
    private volatile Exception? unreadable;

    private MessageStore(Engine engine, ILogger log)
    {
        this.engine = engine;
        this.log = log;
        writers = [.. Enumerable.Range(0, engine.Writers).Select(_ => new StoreWriter(engine, log, companies => Appended?.Invoke(companies), away))];
        aside = new(engine, log, companies => Appended?.Invoke(companies), away, isAside: true);
        StoreMetrics.QueueLength = () => writers.Sum(writer => writer.Waiting) + aside.Waiting;
    }

    /// <summary>Opens or makes the store for a server, and brings its tables up to date.</summary>
    /// <exception cref="IOException">Another server holds it, or it cannot be written.</exception>
    public static MessageStore Open(Engine engine, ILogger log)
    {
        var store = new MessageStore(engine, log);
        try
        {
            engine.Serve(companies => store.Appended?.Invoke(companies));
            foreach (var writer in store.writers) writer.Start();
            if (engine.IsDistributed) store.aside.Start();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Called with the companies that have received or refused something, after it was committed, here or by another server: be quick.</summary>
    public Action<IReadOnlyCollection<long>>? Appended { get; set; }

    /// <summary>What the last transaction of a writer failed with; null while the store takes what comes.</summary>
    public Exception? Failure => writers.Select(writer => writer.Failure).FirstOrDefault(failure => failure is not null);

    /// <summary>Stores the messages of one request together, all of one company, and what was refused in it beside them.</summary>
    /// <param name="messages">None, with nothing refused, is taken by a writer that writes.</param>
    /// <returns>A receipt for each message, once they are committed and lie on the disk.</returns>
    /// <exception cref="StoreUnavailableException">Nothing was stored.</exception>
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected = null) =>
        ((messages.Count > 0 ? messages[0].Company : rejected?.Company) is { } company ? WriterOf(company) : writers[0]).Queue.AppendAsync(messages, rejected);

    /// <summary>Asks the writers that failed last whether they write again.</summary>
    /// <exception cref="StoreUnavailableException">They do not.</exception>
    public Task ProbeAsync() => Task.WhenAll(writers.Where(writer => writer.Failure is not null).Select(writer => writer.Queue.AppendAsync([])));

    /// <summary>Does what an operator asks, between the messages and as durable as they are.</summary>
    /// <param name="work">Given the acts of this store; its answer is handed on once it is committed. It throws for faults of ours only.</param>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<T> ActAsync<T>(Company company, Func<ActWriter, T> work)
    {
        T? answer = default;
        await WriterOf(company).Queue.RunAsync(company, writer => answer = work(writer.Acts));
        return answer!;
    }

    /// <summary>Runs a step of an erasure between the messages; it is committed when it returns.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<ErasureState?> EraseAsync(Company company, Func<ErasureWriter, ErasureState?> step)
    {
        ErasureState? state = null;
        await WriterOf(company).Queue.RunAsync(company, writer => state = writer.Erase(step));
        return state;
    }

    /// <summary>Takes away what has passed its bounds of what was refused, warned of and sent again.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <returns>Whether there may be more.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<bool> PruneIngestionAsync(Company company, long now)
    {
        var more = false;
        await WriterOf(company).Queue.RunAsync(company, writer => more = writer.Ingestion.Prune(company, now));
        return more;
    }

    /// <summary>One consistent look at the store; dispose it soon, since it holds the log back.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be read now.</exception>
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

    /// <summary>Takes nothing more, commits and answers what was taken, and leaves the store whole.</summary>
    public void Dispose()
    {
        foreach (var writer in writers) writer.Queue.Dispose();
        aside.Queue.Dispose();
        // SQLite's log is moved into its file by whoever closes it last, which a connection that only reads cannot do.
        foreach (var reader in readers) reader.Dispose();
        foreach (var writer in writers) writer.Dispose();
        aside.Dispose();
        engine.Dispose();
    }

    /// <summary>
    /// All of one company goes through one writer, so that it is written in the order in which it came, and what holds one company up holds few others up. One whose
    /// machine is away goes through a writer of its like until it is written again: to find out each time that it still is takes time, and its neighbours have none to wait.
    /// </summary>
    private StoreWriter WriterOf(Company company) => away.ContainsKey(company.Number) ? aside : writers[company.Number % writers.Length];

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "{Store} cannot be read: {Reason}. Whoever asks gets 503; it is tried again with each request.")]
    private static partial void LogReadFailed(ILogger logger, string store, string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Information, Message = "{Store} is read again.")]
    private static partial void LogReadRecovered(ILogger logger, string store);
}
