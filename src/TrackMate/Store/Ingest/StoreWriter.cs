using System.Diagnostics;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>One of a store's writers: a queue, and the code that commits its batches, each in one transaction, on a connection of its own.</summary>
internal sealed partial class StoreWriter : IDisposable
{
    /// <summary>How often a transaction is tried in all, if it only conflicted with another one.</summary>
    private const int MostAttempts = 5;

    /// <summary>How long the retry writer tries unavailable companies in one batch. After that the remaining ones fail with their last known reason.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Engine engine;
    private readonly ILogger log;
    private readonly Action<IReadOnlyCollection<long>> appended;
    private readonly UnavailableCompanies unavailable;
    private readonly bool isRetryWriter;
    private readonly WriterConnection connection;
    private volatile Exception? failure;

    /// <param name="appended">Called after a commit, with the companies for which messages were stored or rejected.</param>
    /// <param name="unavailable">Shared by all writers of a store.</param>
    /// <param name="isRetryWriter">Whether this is the writer for unavailable companies. The other writers do not wait for these.</param>
    public StoreWriter(Engine engine, ILogger log, Action<IReadOnlyCollection<long>> appended, UnavailableCompanies unavailable, bool isRetryWriter = false, TimeProvider? time = null)
    {
        this.engine = engine;
        this.log = log;
        this.appended = appended;
        this.unavailable = unavailable;
        this.isRetryWriter = isRetryWriter;
        connection = new(engine);
        Queue = new(Commit, time ?? TimeProvider.System, engine.Writers == 1 ? QueueLimits.OneWriter : QueueLimits.OneOfSeveral, engine.SyncsApart ? Sync : null);
    }

    public WriteQueue Queue { get; }

    /// <summary>The failure of the last transaction; null while the store can be written.</summary>
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
        // Requests that were queued before their company became unavailable must not delay their neighbours once more.
        var here = isRetryWriter ? batch : [.. batch.Where(append => !FailIfUnavailable(append))];
        if (here.Count > 0) _ = engine.IsDistributed || isRetryWriter ? CommitParts(ByCompany(here)) : CommitTogether(here);
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

            // The first unavailable companies are tried, which may take time. After that the others fail with their known reason; otherwise the batch would wait for each of them.
            else if (!isRetryWriter || Stopwatch.GetElapsedTime(started) < Patience || !part.All(FailIfUnavailable)) isThere = CommitTogether(part);
        }

        return isThere;
    }

    /// <returns>False if the store itself cannot be written, so that there is no need to try other batches.</returns>
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
            if (!engine.SyncsApart) Publish(batch);
            connection.AfterCommit(ChangedCompaniesOf(batch));
            return true;
        }

        // The company's lock is held by somebody else, or the company's own machine is unreachable. A failure to begin concerns the store as a whole.
        var concernsCompany = engine.IsHeld(failed) || (engine.IsDistributed && outcome.Phase is not WritePhase.Beginning && engine.IsUnavailable(failed));
        if (concernsCompany && ByCompany(batch) is { Count: > 1 } companies) return CommitParts(companies);
        // One request that cannot be written must not make its neighbours fail, now and at every retry.
        if (!engine.IsUnavailable(failed) && batch.Count > 1) return CommitParts([.. batch.Select(append => new[] { append })]);

        if (concernsCompany && batch[0].Company is { } company) unavailable.Add(company, failed);
        else if (engine.IsUnavailable(failed)) NoteFailure(failed);
        else LogUnwritable(log, batch[0].Messages.Count, failed.Message, failed);
        foreach (var append in batch) (append.Failure, append.MayBeStored) = (failed, unanswered is not null || IsUncertain(outcome));
        return concernsCompany || !engine.IsUnavailable(failed);
    }

    /// <summary>
    /// Whether to retry a transaction: always after a conflict, and once after a lost connection, which may have been lost long before. The lost transaction may have been
    /// committed; its messages then count as repeats of themselves. An operator's work cannot be recognized as a repeat, so the operator has to look.
    /// </summary>
    private bool MayTryAgain(IReadOnlyList<WriteQueue.Append> batch, WriteOutcome outcome, int attempt) => engine.IsTransient(outcome.Failure!) || (attempt == 1 && engine.IsLost(outcome.Failure!) && outcome.Phase switch
    {
        WritePhase.Beginning => outcome.OnKeptConnection,
        WritePhase.Writing => true,
        _ => batch.All(append => append.Work is null),
    });

    private bool IsUncertain(WriteOutcome outcome) => outcome is { Phase: WritePhase.Committing, Failure: { } failed } && engine.IsUncertain(failed);

    private bool FailIfUnavailable(WriteQueue.Append append)
    {
        if (append.Company is not { } company || unavailable.ReasonOf(company) is not { } reason) return false;
        append.Failure = reason;
        return true;
    }

    private void NoteWritten(IReadOnlyList<WriteQueue.Append> batch)
    {
        if (failure is not null) LogWriteRecovered(log, engine.Name);
        failure = null;
        unavailable.Remove(batch.Select(append => append.Company).OfType<Company>());
    }

    private void NoteFailure(Exception reason)
    {
        // The outer exception of a time-out says only that a read failed, so the cause is logged.
        if (failure is null) LogWriteFailed(log, engine.Name, StoreUnavailableException.CauseOf(reason), reason);
        failure = reason;
    }

    /// <summary>Brings a committed batch onto the disk.</summary>
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

        Publish(written);
    }

    /// <summary>Publishes which companies have new data.</summary>
    private void Publish(IReadOnlyList<WriteQueue.Append> batch)
    {
        NoteWritten(batch);
        try
        {
            if (ChangedCompaniesOf(batch) is { Count: > 0 } companies) appended(companies);
        }
        catch (Exception e)
        {
            // The commit stands, even if a listener fails.
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
