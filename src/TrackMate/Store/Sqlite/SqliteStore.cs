using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>The embedded store: one SQLite file in one folder, one writer, readers beside it.</summary>
internal sealed partial class SqliteStore : ISnapshots, IDisposable
{
    /// <summary>What is written is hot: sixteen megabytes hold it. A larger cache costs at every commit, since SQLite walks it.</summary>
    private const int WriterCacheKibibytes = 16 * 1024;

    /// <summary>What asks whether the store writes again: more than any request holds, since on a full disk a little may still find room.</summary>
    private const int ProbeBytes = 1 << 20;

    private readonly string path;
    private readonly ILogger log;
    private readonly FolderLock folder;
    private readonly Checkpointer checkpointer;
    private readonly ConcurrentBag<Database> readers = [];
    private readonly WriteQueue queue;
    private Database? database;
    private MessageWriter? writer;
    private IngestionRows? ingestion;
    private volatile Exception? failure;
    private long lastMessage;

    private SqliteStore(string path, FolderLock folder, ILogger log, LogLimits limits)
    {
        this.path = path;
        this.folder = folder;
        this.log = log;
        checkpointer = new(path, limits);
        queue = new(Commit);
    }

    public static string PathIn(string dataFolder) => System.IO.Path.Combine(dataFolder, "trackmate.db");

    /// <summary>Opens or makes the store for the one server of this folder, and brings its schema up to date.</summary>
    /// <exception cref="IOException">Another server holds the folder, or it cannot be written.</exception>
    public static SqliteStore Open(string dataFolder, ILogger log, LogLimits? limits = null)
    {
        var held = FolderLock.Take(dataFolder);
        try
        {
            var store = new SqliteStore(PathIn(dataFolder), held, log, limits ?? LogLimits.Default);
            store.OpenWriter();
            Schema.Apply(store.database!);
            store.writer!.Reset();
            store.lastMessage = store.writer.LastMessage;
            store.checkpointer.Start();
            store.queue.Start();
            return store;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The number of the newest committed message; what follows a log begins after it.</summary>
    public long LastMessage => Volatile.Read(ref lastMessage);

    /// <summary>Called after a commit that stored something, be it only what was refused, on the writer's thread: be quick.</summary>
    public Action? Appended { get; set; }

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
    public async Task<T> ActAsync<T>(Func<ActWriter, T> work)
    {
        T? answer = default;
        await queue.RunAsync(writer => answer = work(writer.Acts));
        return answer!;
    }

    /// <summary>Runs a step of an erasure between the messages; it is committed when it returns.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was done.</exception>
    public async Task<ErasureState?> EraseAsync(Func<ErasureWriter, ErasureState?> step)
    {
        ErasureState? state = null;
        await queue.RunAsync(writer => state = writer.Erase(step));
        return state;
    }

    /// <summary>Where its file lies.</summary>
    public string Path => path;

    /// <summary>Takes away what has passed its bounds of what was refused, warned of and sent again.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <returns>Whether there may be more.</returns>
    /// <exception cref="StoreUnavailableException">It was not done.</exception>
    public async Task<bool> PruneIngestionAsync(Company company, long now)
    {
        var more = false;
        await queue.RunAsync(_ => more = ingestion!.Prune(company, now));
        return more;
    }

    /// <summary>One consistent look at the store; dispose it soon, since it holds the log back.</summary>
    /// <exception cref="StoreUnavailableException">The file cannot be read now.</exception>
    public ReadSnapshot Read()
    {
        try
        {
            if (!readers.TryTake(out var reader)) reader = Database.Open(path, readOnly: true, cacheKibibytes: 4096);
            return new(reader, readers);
        }
        catch (SqliteException e)
        {
            throw new StoreUnavailableException("The store cannot be read now.", e);
        }
    }

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
        checkpointer.Dispose();
        foreach (var reader in readers) reader.Dispose();
        database?.Dispose();
        folder.Dispose();
    }

    private void OpenWriter()
    {
        database = Database.Open(path, cacheKibibytes: WriterCacheKibibytes);
        writer = new(database);
        ingestion = new(database);
    }

    private void Commit(IReadOnlyList<WriteQueue.Append> batch)
    {
        var failed = Write(batch);
        if (failed is null)
        {
            if (failure is not null) LogWriteRecovered(log, path);
            failure = null;
            AfterCommit(batch.Any(append => append.Rejected is not null));
        }
        else if (Database.IsUnavailable(failed))
        {
            if (failure is null) LogWriteFailed(log, path, failed.Message, failed);
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
            if (database is null)
            {
                OpenWriter();
                writer!.Reset();
            }

            database!.Execute("BEGIN IMMEDIATE");
            writer!.Begin();
            foreach (var append in batch)
            {
                for (var i = 0; i < append.Messages.Count; i++) ingestion!.Note(append.Messages[i], append.Receipts[i] = writer!.Append(append.Messages[i]));
                if (append.Rejected is { } rejected) ingestion!.Keep(writer!.ToKeep(rejected), append.Messages, append.Receipts);
                append.Work?.Invoke(writer!);
            }

            writer!.Finish();
            var isProbe = failure is not null && batch.All(append => append is { Messages.Count: 0, Rejected: null, Work: null });
            if (isProbe) database.Execute($"INSERT INTO rejected (company, origin, received_ms, status, detail, body) VALUES (0, 0, 0, 0, '', zeroblob({ProbeBytes}))");
            database.Execute("COMMIT");
            if (isProbe) database.Execute("DELETE FROM rejected WHERE company = 0");
        }
        catch (Exception e)
        {
            Abandon();
            return e;
        }

        return null;
    }

    private void AfterCommit(bool keptRejected)
    {
        var appended = writer!.LastMessage != lastMessage || keptRejected;
        Volatile.Write(ref lastMessage, writer.LastMessage);
        try
        {
            if (appended) Appended?.Invoke();
        }
        catch (Exception e)
        {
            // What is committed is committed, whatever those who watch make of it.
            LogWatcherFailed(log, e);
        }

        checkpointer.AfterCommit(database!);
    }

    /// <summary>After a failed transaction nothing in memory can be trusted, and after an I/O error not even the connection.</summary>
    private void Abandon()
    {
        database?.Dispose();
        database = null;
        writer = null;
        ingestion = null;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The store {Path} cannot write: {Reason}. Senders get 503 and may send again; nothing acknowledged is lost. It is tried again with each message.")]
    private static partial void LogWriteFailed(ILogger logger, string path, string reason, Exception exception);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "A request of {Messages} messages cannot be written, whatever the store's state: {Reason}. Its sender got a 503; please report this.")]
    private static partial void LogUnwritable(ILogger logger, int messages, string reason, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Something that watches the store failed; what was committed stands.")]
    private static partial void LogWatcherFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "The store {Path} writes again.")]
    private static partial void LogWriteRecovered(ILogger logger, string path);
}
