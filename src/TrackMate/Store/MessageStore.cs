using TrackMate.Bind;
using TrackMate.Store.Acts;
using TrackMate.Store.Derive;
using TrackMate.Store.Erase;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store;

/// <summary>The store of a server: writers that take what gathers in their queues, readers beside them, whichever engine keeps it.</summary>
internal sealed class MessageStore : IActs, IDisposable
{
    private readonly Engine engine;
    private readonly StoreReaders readers;
    private readonly StoreWriter[] writers;
    private readonly StoreWriter aside;
    private readonly UnavailableCompanies away;

    private MessageStore(Engine engine, ILogger log)
    {
        this.engine = engine;
        readers = new(engine, log);
        away = new(engine, log);
        writers = [.. Enumerable.Range(0, engine.Writers).Select(_ => new StoreWriter(engine, log, companies => Appended?.Invoke(companies), away))];
        aside = new(engine, log, companies => Appended?.Invoke(companies), away, isRetryWriter: true);
        StoreMetrics.QueueLength = kind => writers.Append(aside).Sum(writer => writer.Queue.Waiting(kind));
    }

    /// <summary>Opens or makes the store for a server, and brings its tables up to date.</summary>
    /// <exception cref="IOException">Another server holds it, or it cannot be written.</exception>
    public static MessageStore Open(Engine engine, ILogger log)
    {
        var store = new MessageStore(engine, log);
        try
        {
            engine.Serve(companies => store.Appended?.Invoke(companies));
            Rederivation.Finish(engine);
            foreach (var writer in store.writers) writer.Start();
            if (engine.IsShared) store.aside.Start();
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
    public Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, RejectionRecord? rejected = null) =>
        ((messages.Count > 0 ? messages[0].Company : rejected?.Company) is { } company ? WriterOf(company) : writers[0]).Queue.AppendAsync(messages, rejected);

    /// <summary>Asks whether messages of a sender would be taken now, before they are read: that costs less than after.</summary>
    /// <exception cref="StoreUnavailableException">They would not.</exception>
    public void CheckRoom(Company company, Origin origin, long bytes)
    {
        if (WriterOf(company).Queue.RefusalOf(new(company.Number, origin is Origin.Browser ? SenderKind.Browsers : SenderKind.BackEnd), bytes) is not { } refusal) return;
        StoreMetrics.NotQueued(refusal);
        throw refusal;
    }

    /// <inheritdoc cref="Engine.IsInPlace"/>
    public bool IsInPlace => engine.IsInPlace;

    /// <summary>Asks the writers that failed last whether they write again.</summary>
    /// <exception cref="StoreUnavailableException">They do not, or the files of the store are no longer in place.</exception>
    public Task ProbeAsync() => !engine.IsInPlace
        ? Task.FromException(new StoreUnavailableException("The data folder was deleted, moved or replaced."))
        : Task.WhenAll(writers.Where(writer => writer.Failure is not null).Select(writer => writer.Queue.AppendAsync([])));

    /// <inheritdoc/>
    public async Task<T> ActAsync<T>(Company company, Func<ActWriter, Company, T> work)
    {
        T? answer = default;
        await WriterOf(company).Queue.RunAsync(company, LockMode.Rewrite, transaction => answer = work(new(transaction.Database, transaction.Marks), transaction.Current(company)));
        return answer!;
    }

    /// <summary>Runs a step of an erasure between the messages; it is committed when it returns.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<ErasureState?> EraseAsync(Company company, Func<ErasureWriter, ErasureState?> step)
    {
        ErasureState? state = null;
        await WriterOf(company).Queue.RunAsync(company, LockMode.Rewrite, transaction => state = ErasureWriter.Run(transaction, step));
        return state;
    }

    /// <summary>Takes away what has passed its bounds of what was refused, warned of and sent again.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <returns>Whether there may be more.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<bool> PruneIngestionAsync(Company company, long now)
    {
        var more = false;
        await WriterOf(company).Queue.RunAsync(company, LockMode.Append, transaction => more = transaction.Ingestion.Prune(company, now));
        return more;
    }

    /// <summary>Does some of what people are found by and that no message waited for.</summary>
    /// <returns>Whether there may be more.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<bool> IndexAsync(Company company)
    {
        var more = false;
        await WriterOf(company).Queue.RunAsync(company, LockMode.Bind, transaction => more = new SearchIndex(transaction.Database).Update(company) | transaction.Derived.Keys.Backfill(company));
        return more;
    }

    /// <summary>Does some of what a changed setting is an input of and is not derived yet.</summary>
    /// <returns>What was done; null where nothing was left.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<RebuildPart?> DeriveAsync(Company company)
    {
        RebuildPart? more = null;
        await WriterOf(company).Queue.RunAsync(company, LockMode.Rewrite, transaction => more = SettingsSteps.Step(transaction, company, StepBudget.Small));
        return more;
    }

    /// <summary>One consistent look at the store; dispose it soon, since it holds the log back.</summary>
    /// <param name="company">Of which is read; null for what is the installation's.</param>
    /// <exception cref="StoreUnavailableException">It cannot be read now.</exception>
    public ReadSnapshot Read(Company? company = null) => readers.Read(company);

    /// <inheritdoc cref="ISnapshots.Read"/>
    public T Read<T>(Func<Database, T> read, Company? company = null)
    {
        using var snapshot = Read(company);
        return read(snapshot.Database);
    }

    /// <summary>Takes nothing more, commits and answers what was taken, and leaves the store whole.</summary>
    public void Dispose()
    {
        foreach (var writer in writers) writer.Queue.Dispose();
        aside.Queue.Dispose();
        // SQLite's log is moved into its file by whoever closes it last, which a connection that only reads cannot do.
        readers.Dispose();
        foreach (var writer in writers) writer.Dispose();
        aside.Dispose();
        engine.Dispose();
    }

    /// <summary>
    /// All of one company goes through one writer, so that it is written in the order in which it came, and what holds one company up holds few others up. One that
    /// is held by somebody else, or whose machine is away, goes through a writer of its like until it is written again: to find out takes time, and its neighbours
    /// have none to wait.
    /// </summary>
    private StoreWriter WriterOf(Company company) => away.Contains(company) ? aside : writers[company.Number % writers.Length];
}
