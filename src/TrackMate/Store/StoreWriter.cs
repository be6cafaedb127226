using System.Collections.Concurrent;
using TrackMate.Store.Write;

namespace TrackMate.Store;

/// <summary>One of a store's writers: a queue, and what commits a batch of it in one transaction, through a connection of its own.</summary>
internal sealed partial class StoreWriter : IDisposable
{
    /// <summary>How often a transaction is begun anew that only met another one.</summary>
    private const int MostAttempts = 5;

    private readonly Engine engine;
    private readonly ILogger log;
    private readonly Action<IReadOnlyCollection<long>> appended;
    private readonly ConcurrentDictionary<long, Exception> away;
    private readonly bool isAside;
    private Database? database;
    private MessageWriter? writer;
    private volatile Exception? failure;

    /// <param name="appended">Called with the companies that have received or refused something, after it was committed.</param>
    /// <param name="away">Companies whose machine could not be written the last time, and why; shared by all writers of a store.</param>
    /// <param name="isAside">Whether it is the one that tries those again; the others do not wait for them.</param>
    public StoreWriter(Engine engine, ILogger log, Action<IReadOnlyCollection<long>> appended, ConcurrentDictionary<long, Exception> away, bool isAside = false)
    {
        this.engine = engine;
        this.log = log;
        this.appended = appended;
        this.away = away;
        this.isAside = isAside;
        Queue = new(Commit);
    }

    public WriteQueue Queue { get; }

    public int Waiting => Queue.Waiting;

    /// <summary>What the last transaction failed with; null while it takes what comes.</summary>
    public Exception? Failure => failure;

    public void Start()
    {
        Connect();
        Queue.Start();
    }

    public void Dispose()
    {
        Queue.Dispose();
        database?.Dispose();
    }

    private void Connect()
    {
        database = engine.OpenWriter();
        writer = new(database);
        writer.Reset();
    }

    private void Commit(IReadOnlyList<WriteQueue.Append> batch)
    {
        if (engine.IsDistributed && batch.GroupBy(append => append.Company).ToList() is { Count: > 1 } companies)
        {
            foreach (var company in companies) Commit([.. company]);
            return;
        }

        var owner = engine.IsDistributed ? batch[0].Company : null;
        if (!isAside && owner is { } gone && away.TryGetValue(gone, out var reason))
        {
            // What was queued before that was known must not hold its neighbours up once more.
            foreach (var append in batch) append.Failure = reason;
            return;
        }

        var failed = Write(batch);
        for (var attempt = 1; failed is not null && engine.IsTransient(failed) && attempt < MostAttempts; attempt++) failed = Write(batch);
        if (failed is null)
        {
            if (failure is not null) LogWriteRecovered(log, engine.Name);
            failure = null;
            if (owner is { } back) away.TryRemove(back, out _);
            AfterCommit(batch);
        }
        else if (engine.IsUnavailable(failed))
        {
            if (failure is null) LogWriteFailed(log, engine.Name, failed.Message, failed);
            failure = failed;
            if (owner is { } lost) away[lost] = failed;
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
            var isKept = database is not null;
            if (!isKept) Connect();
            if (failure is not null && batch.All(append => append.IsProbe))
            {
                engine.Probe(database!);
                return null;
            }

            Begin(batch, isKept);
            var receipts = writer!.Append([.. batch.SelectMany(append => append.Messages)]).AsSpan();
            foreach (var append in batch)
            {
                receipts[..append.Messages.Count].CopyTo(append.Receipts);
                receipts = receipts[append.Messages.Count..];
                if (append.Rejected is { } rejected) writer.Ingestion.Keep(writer.ToKeep(rejected), append.Messages, append.Receipts);
                append.Work?.Invoke(writer);
            }

            writer.Finish();
            database!.Commit();
        }
        catch (Exception e)
        {
            Abandon();
            return e;
        }

        return null;
    }

    private void Begin(IReadOnlyList<WriteQueue.Append> batch, bool isKept)
    {
        try
        {
            Begin();
        }
        catch (Exception e) when (isKept && database!.IsShared && engine.IsUnavailable(e) && !engine.IsTransient(e))
        {
            // It may have lost what it was connected to since the last time; nothing was written yet, and a new one says whether that is so.
            Abandon();
            Connect();
            Begin();
        }

        void Begin()
        {
            database!.BeginWrite(batch.SelectMany(append => append.Holds()), batch.Sum(append => append.Messages.Count));
            writer!.Begin();
        }
    }

    private void AfterCommit(IReadOnlyList<WriteQueue.Append> batch)
    {
        var companies = batch.SelectMany(append => append.Heard()).ToHashSet();
        try
        {
            if (companies.Count > 0) appended(companies);
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
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Store} cannot be written: {Reason}. Senders get 503 and may send again; nothing acknowledged is lost. It is tried again with each message.")]
    private static partial void LogWriteFailed(ILogger logger, string store, string reason, Exception exception);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "A request of {Messages} messages cannot be written, whatever the store's state: {Reason}. Its sender got a 503; please report this.")]
    private static partial void LogUnwritable(ILogger logger, int messages, string reason, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Something that watches the store failed; what was committed stands.")]
    private static partial void LogWatcherFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "{Store} is written again.")]
    private static partial void LogWriteRecovered(ILogger logger, string store);
}
