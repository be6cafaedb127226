using System.Diagnostics;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>One of a store's writers: a queue, and what commits a batch of it in one transaction, through a connection of its own.</summary>
internal sealed partial class StoreWriter : IDisposable
{
    /// <summary>How often a transaction is begun anew that only met another one.</summary>
    private const int MostAttempts = 5;

    /// <summary>How long one that is away is waited for before others of its like are told what is known.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Engine engine;
    private readonly ILogger log;
    private readonly Action<IReadOnlyCollection<long>> appended;
    private readonly UnavailableCompanies away;
    private readonly bool isAside;
    private readonly WriterConnection connection;
    private volatile Exception? failure;

    /// <param name="appended">Called with the companies that have received or refused something, after it was committed.</param>
    /// <param name="away">Shared by all writers of a store.</param>
    /// <param name="isAside">Whether it is the one that tries those again; the others do not wait for them.</param>
    public StoreWriter(Engine engine, ILogger log, Action<IReadOnlyCollection<long>> appended, UnavailableCompanies away, bool isAside = false, TimeProvider? time = null)
    {
        this.engine = engine;
        this.log = log;
        this.appended = appended;
        this.away = away;
        this.isAside = isAside;
        connection = new(engine);
        Queue = new(Commit, time ?? TimeProvider.System, engine.Writers == 1 ? QueueLimits.OneWriter : QueueLimits.OneOfSeveral, engine.SyncsApart ? Sync : null);
    }

    public WriteQueue Queue { get; }

    /// <summary>What the last transaction failed with; null while it takes what comes.</summary>
    public Exception? Failure => failure;

    public void Start()
    {
        connection.Open();
        Queue.Start();
    }

    public void Dispose()
    {
        Queue.Dispose();
        connection.Dispose();
    }

    private void Commit(IReadOnlyList<WriteQueue.Append> batch)
    {
        // What was queued before that was known must not hold its neighbours up once more.
        var here = isAside ? batch : [.. batch.Where(append => !FailIfAway(append))];
        if (here.Count > 0) _ = engine.IsDistributed || isAside ? CommitParts(ByCompany(here)) : CommitTogether(here);
    }

    private static List<IReadOnlyList<WriteQueue.Append>> ByCompany(IReadOnlyList<WriteQueue.Append> batch) =>
        [.. batch.GroupBy(append => append.Company?.Number).Select(company => company.ToList())];

    /// <inheritdoc cref="CommitTogether"/>
    private bool CommitParts(IReadOnlyList<IReadOnlyList<WriteQueue.Append>> parts)
    {
        var (started, isThere) = (Stopwatch.GetTimestamp(), true);
        foreach (var part in parts)
        {
            if (!isThere)
            {
                foreach (var append in part) append.Failure = failure;
            }

            // One that is away is waited for; then the others that were away are told what is known of them, or all of them would be waited for.
            else if (!isAside || Stopwatch.GetElapsedTime(started) < Patience || !part.All(FailIfAway)) isThere = CommitTogether(part);
        }

        return isThere;
    }

    /// <returns>False where the store itself cannot be written, so that it need not be tried for others.</returns>
    private bool CommitTogether(IReadOnlyList<WriteQueue.Append> batch)
    {
        var isProbe = failure is not null && batch.All(append => append.IsProbe);
        var outcome = isProbe ? connection.Probe() : connection.Write(batch, null);
        Receipt[]? unanswered = null;
        for (var attempt = 1; !isProbe && outcome.Failure is not null && attempt < MostAttempts && MayTryAgain(batch, outcome, attempt); attempt++)
        {
            if (IsUncertain(outcome)) unanswered = outcome.Receipts;
            outcome = connection.Write(batch, unanswered);
        }

        if (outcome.Failure is not { } failed)
        {
            if (!engine.SyncsApart) Tell(batch);
            connection.AfterCommit(ChangedCompaniesOf(batch));
            return true;
        }

        // Held by somebody else or, where it lies on a machine of its own, on one that is away: what is begun is begun where all are.
        var isTheCompanys = engine.IsHeld(failed) || (engine.IsDistributed && outcome.Phase is not WritePhase.Beginning && engine.IsUnavailable(failed));
        if (isTheCompanys && ByCompany(batch) is { Count: > 1 } companies) return CommitParts(companies);
        // One request that cannot be written must not take its neighbours with it, now and at every retry.
        if (!engine.IsUnavailable(failed) && batch.Count > 1) return CommitParts([.. batch.Select(append => new[] { append })]);

        if (isTheCompanys && batch[0].Company is { } company) away.Add(company, failed);
        else if (engine.IsUnavailable(failed)) NoteFailure(failed);
        else LogUnwritable(log, batch[0].Messages.Count, failed.Message, failed);
        foreach (var append in batch) (append.Failure, append.MayBeStored) = (failed, unanswered is not null || IsUncertain(outcome));
        return isTheCompanys || !engine.IsUnavailable(failed);
    }

    /// <summary>
    /// One that met another transaction is begun anew, and once one whose connection went, maybe long before. That one may have been committed: then its messages are
    /// repeats of themselves. What an operator does is none, so it is left to them to look.
    /// </summary>
    private bool MayTryAgain(IReadOnlyList<WriteQueue.Append> batch, WriteOutcome outcome, int attempt) => engine.IsTransient(outcome.Failure!) || (attempt == 1 && engine.IsLost(outcome.Failure!) && outcome.Phase switch
    {
        WritePhase.Beginning => outcome.OnKeptConnection,
        WritePhase.Writing => true,
        _ => batch.All(append => append.Work is null),
    });

    private bool IsUncertain(WriteOutcome outcome) => outcome is { Phase: WritePhase.Committing, Failure: { } failed } && engine.IsUncertain(failed);

    private bool FailIfAway(WriteQueue.Append append)
    {
        if (append.Company is not { } company || away.ReasonOf(company) is not { } reason) return false;
        append.Failure = reason;
        return true;
    }

    private void NoteWritten(IReadOnlyList<WriteQueue.Append> batch)
    {
        if (failure is not null) LogWriteRecovered(log, engine.Name);
        failure = null;
        away.Remove(batch.Select(append => append.Company).OfType<Company>());
    }

    private void NoteFailure(Exception reason)
    {
        // Of a time-out the outer one says only that something was read.
        if (failure is null) LogWriteFailed(log, engine.Name, StoreUnavailableException.CauseOf(reason), reason);
        failure = reason;
    }

    /// <summary>Brings onto the disk what was committed of a batch.</summary>
    private void Sync(IReadOnlyList<WriteQueue.Append> batch)
    {
        List<WriteQueue.Append> written = [.. batch.Where(append => append.Failure is null)];
        if (written.Count == 0) return;
        try
        {
            engine.Sync();
        }
        catch (Exception e)
        {
            NoteFailure(e);
            foreach (var append in written) (append.Failure, append.MayBeStored) = (e, true);
            return;
        }

        Tell(written);
    }

    /// <summary>Tells of what is stored now.</summary>
    private void Tell(IReadOnlyList<WriteQueue.Append> batch)
    {
        NoteWritten(batch);
        try
        {
            if (ChangedCompaniesOf(batch) is { Count: > 0 } companies) appended(companies);
        }
        catch (Exception e)
        {
            // What is committed is committed, whatever those who watch make of it.
            LogWatcherFailed(log, e);
        }
    }

    private static HashSet<long> ChangedCompaniesOf(IReadOnlyList<WriteQueue.Append> batch) => [.. batch.SelectMany(append => append.ChangedCompanies())];

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Store} cannot be written: {Reason}. Senders get 503 and may send again; nothing acknowledged is lost. It is tried again with each message.")]
    private static partial void LogWriteFailed(ILogger logger, string store, string reason, Exception exception);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "A request of {Messages} messages cannot be written, whatever the store's state: {Reason}. Its sender got a 503; please report this.")]
    private static partial void LogUnwritable(ILogger logger, int messages, string reason, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Something that watches the store failed; what was committed stands.")]
    private static partial void LogWatcherFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "{Store} is written again.")]
    private static partial void LogWriteRecovered(ILogger logger, string store);
}
