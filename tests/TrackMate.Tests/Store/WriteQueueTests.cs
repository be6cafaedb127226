using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What the queue before the writer promises: fair, bounded, honest about time, answered after the commit, nothing taken is dropped.</summary>
[EmbeddedOnly]
public sealed class WriteQueueTests
{
    private const int Flooding = 1, Quiet = 2;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A writer whose transactions take as long as the test says, and only when it says so.</summary>
    private sealed class Writer : IDisposable
    {
        private readonly BlockingCollection<List<WriteQueue.Append>> begun = [];
        private readonly SemaphoreSlim mayCommit = new(0), maySync = new(0);

        public Writer(FakeTimeProvider time, double millisecondsPerMessage = 0, QueueLimits? limits = null, bool syncs = false) => Queue = new(
            batch =>
            {
                begun.Add([.. batch], CancellationToken.None);
                Assert.True(mayCommit.Wait(Limit, CancellationToken.None));
                time.Advance(TimeSpan.FromMilliseconds(batch.Sum(append => append.Messages.Count) * millisecondsPerMessage));
            },
            time,
            limits,
            syncs ? _ => Assert.True(maySync.Wait(Limit, CancellationToken.None)) : null);

        public WriteQueue Queue { get; }

        /// <summary>Right code never begins one here, so its test never fails; wrong code has a moment to do so.</summary>
        public bool BeginsNone() => !begun.TryTake(out _, TimeSpan.FromMilliseconds(100));

        public List<WriteQueue.Append> Begun()
        {
            Assert.True(begun.TryTake(out var batch, Limit));
            return batch;
        }

        /// <summary>Begins a transaction that is then committed.</summary>
        public List<WriteQueue.Append> Begins()
        {
            var batch = Begun();
            mayCommit.Release();
            return batch;
        }

        public Task<Receipt[]> Send(long company, int events, int bytes = 2, Origin origin = Origin.Browser)
        {
            var data = new string(' ', bytes);
            return Queue.AppendAsync([.. Enumerable.Range(0, events).Select(Message (i) => origin is Origin.Browser
                ? Messages.Browser(Messages.Company(company), "s", $"{i}", data: data)
                : Messages.Webhook(Messages.Company(company), "a@shop.com", $"{i}", data: data))]);
        }

        /// <summary>A transaction is on the disk.</summary>
        public void Syncs() => maySync.Release();

        public void LetGo()
        {
            mayCommit.Release(1_000_000);
            maySync.Release(1_000_000);
        }

        public void Dispose()
        {
            LetGo();
            Queue.Dispose();
            begun.Dispose();
            mayCommit.Dispose();
            maySync.Dispose();
        }
    }

    [Fact]
    public void A_single_event_is_in_the_next_transaction_however_many_batches_of_another_company_wait()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        _ = writer.Send(Flooding, 500);
        var first = writer.Begun();
        for (var i = 0; i < 50; i++) _ = writer.Send(Flooding, 500);
        _ = writer.Send(Quiet, 1);
        Assert.Equal(500, first.Single().Messages.Count);

        writer.LetGo();
        var next = writer.Begun();
        Assert.Equal([Quiet], next.Select(append => append.Company!.Number));
    }

    [Fact]
    public async Task A_transaction_is_as_short_as_its_messages_were_seen_to_need()
    {
        using var writer = new Writer(time, millisecondsPerMessage: 1);
        writer.Queue.Start();
        for (var i = 0; i < 100; i++)
        {
            var sent = writer.Send(Flooding, 10);
            Assert.Single(writer.Begins());
            await sent.WaitAsync(Limit, Cancel);
        }

        // Four milliseconds hold about four of them now.
        _ = writer.Send(Flooding, 1);
        writer.Begun();
        for (var i = 0; i < 400; i++) _ = writer.Send(Flooding, 1);
        writer.LetGo();
        Assert.InRange(writer.Begun().Count, 2, 8);
    }

    [Fact]
    public async Task A_large_request_is_no_part_of_a_transaction_of_small_ones()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        _ = writer.Send(Flooding, 1);
        writer.Begun();
        _ = writer.Send(Quiet, 1);
        _ = writer.Send(Flooding, 100);
        writer.LetGo();
        Assert.Equal([Quiet], writer.Begun().Select(append => append.Company!.Number));
        Assert.Equal([Flooding], writer.Begun().Select(append => append.Company!.Number));
    }

    /// <summary>A company that sends little finds the writer free while it rests, and is not kept waiting by who sends without end.</summary>
    [Fact]
    public async Task After_a_large_request_the_writer_rests_where_another_company_sends_too()
    {
        using var writer = new Writer(time, millisecondsPerMessage: 1, limits: QueueLimits.OneWriter with { LongestRest = Limit });
        writer.Queue.Start();
        var quiet = writer.Send(Quiet, 1);
        writer.Begins();
        await quiet.WaitAsync(Limit, Cancel);
        var first = writer.Send(Flooding, 500);
        var second = writer.Send(Flooding, 500);
        Assert.Single(writer.Begins());
        await first.WaitAsync(Limit, Cancel);
        Assert.True(writer.BeginsNone());

        // Whoever sends little is written meanwhile.
        quiet = writer.Send(Quiet, 1);
        Assert.Equal([Quiet], writer.Begins().Select(append => append.Company!.Number));
        await quiet.WaitAsync(Limit, Cancel);
        Assert.False(second.IsCompleted);

        // Once the time has passed, whatever comes next finds that.
        time.Advance(TimeSpan.FromSeconds(1));
        quiet = writer.Send(Quiet, 1);
        writer.LetGo();
        await Task.WhenAll(second, quiet).WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task Who_would_wait_for_its_own_messages_longer_than_two_seconds_gets_429_and_others_are_taken()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        var sent = new List<Task<Receipt[]>>();
        while (sent.Count == 0 || (!sent[^1].IsFaulted && sent.Count < 10_000)) sent.Add(writer.Send(Flooding, 500));
        await RefusedAsync(sent[^1], 429, "urn:trackmate:problem:share_spent");

        // The company's own back end has a share of its own, and so has everybody else.
        Assert.False(writer.Send(Flooding, 1, origin: Origin.Server).IsFaulted);
        Assert.False(writer.Send(Quiet, 1).IsFaulted);
        Assert.Null(writer.Queue.RefusalOf(new(Quiet, SenderKind.Browsers), 1));
        Assert.NotNull(writer.Queue.RefusalOf(new(Flooding, SenderKind.Browsers), 1));

        writer.LetGo();
        await Task.WhenAll(sent[..^1]).WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task Who_would_wait_for_others_longer_than_two_seconds_gets_503()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        Task<Receipt[]>? refused = null;
        for (var i = 0; refused is null && i < 10_000; i++)
        {
            for (var company = 1; company <= 20 && refused is null; company++)
            {
                if (writer.Send(company, 500) is { IsFaulted: true } failed) refused = failed;
            }
        }

        await RefusedAsync(refused!, 503, "urn:trackmate:problem:overloaded");
    }

    /// <summary>Where a few messages take seconds, their sender has not sent too much: it is the store that is slow.</summary>
    [Fact]
    public async Task Who_would_wait_for_few_messages_of_its_own_gets_503()
    {
        using var writer = new Writer(time, millisecondsPerMessage: 1000);
        writer.Queue.Start();
        for (var i = 0; i < 20; i++)
        {
            var stored = writer.Send(Quiet, 1);
            writer.Begins();
            await stored.WaitAsync(Limit, Cancel);
        }

        var sent = new List<Task<Receipt[]>>();
        while (sent.Count == 0 || (!sent[^1].IsFaulted && sent.Count < 100)) sent.Add(writer.Send(Quiet, 1));
        await RefusedAsync(sent[^1], 503, "urn:trackmate:problem:overloaded");
    }

    [Fact]
    public async Task A_transaction_that_does_not_end_is_a_503_for_who_comes_after_two_seconds()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        _ = writer.Send(Quiet, 1);
        writer.Begun();
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(writer.Send(Quiet, 1).IsFaulted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        var refused = writer.Send(Quiet, 1);
        Assert.Equal(QueueFull.SlowTransaction, (await Assert.ThrowsAsync<QueueFullException>(() => refused)).Cause);
        await RefusedAsync(refused, 503, "urn:trackmate:problem:overloaded");
    }

    [Fact]
    public async Task Nobody_is_answered_before_its_transaction_is_on_the_disk_while_the_next_one_is_written()
    {
        using var writer = new Writer(time, syncs: true);
        writer.Queue.Start();
        var first = writer.Send(Quiet, 1);
        writer.Begins();
        var second = writer.Send(Flooding, 1);
        writer.Begins();

        // The second one waits for the disk, so a third is not begun.
        var third = writer.Send(Quiet, 1);
        Assert.False(first.IsCompleted);
        writer.Syncs();
        await first.WaitAsync(Limit, Cancel);
        writer.Begins();
        Assert.False(second.IsCompleted);
        writer.Syncs();
        await second.WaitAsync(Limit, Cancel);
        Assert.False(third.IsCompleted);
        writer.Syncs();
        await third.WaitAsync(Limit, Cancel);
    }

    /// <summary>However long the disk takes, at most one transaction waits for it: what comes meanwhile stays in the queue, where it is counted.</summary>
    [Fact]
    public async Task The_writer_does_not_run_ahead_of_the_disk()
    {
        using var writer = new Writer(time, syncs: true);
        writer.Queue.Start();
        var sent = new List<Task<Receipt[]>> { writer.Send(Quiet, 1) };
        writer.Begins();
        sent.Add(writer.Send(Quiet, 1));
        writer.Begins();
        for (var i = 0; i < 10; i++) sent.Add(writer.Send(Quiet, 1));
        Assert.True(writer.BeginsNone());
        Assert.Equal(10, writer.Queue.Waiting(SenderKind.Browsers));

        writer.LetGo();
        await Task.WhenAll(sent).WaitAsync(Limit, Cancel);
        Assert.Equal(10, writer.Begun().Count);
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_is_a_503_for_who_comes_after_two_seconds_and_for_who_waits_after_four_and_a_half()
    {
        using var writer = new Writer(time, syncs: true);
        writer.Queue.Start();
        var underway = writer.Send(Quiet, 1);
        writer.Begins();
        time.Advance(TimeSpan.FromSeconds(2.1));
        var refused = await Assert.ThrowsAsync<QueueFullException>(() => writer.Send(Quiet, 1));
        Assert.Equal(QueueFull.SlowTransaction, refused.Cause);
        time.Advance(TimeSpan.FromSeconds(2.6));
        Assert.True((await Assert.ThrowsAsync<StoreUnavailableException>(() => underway)).IsInUse);
    }

    [Fact]
    public async Task What_was_committed_and_did_not_get_to_the_disk_may_be_stored()
    {
        using var queue = new WriteQueue(_ => { }, time, sync: batch => (batch[0].Failure, batch[0].MayBeStored) = (new IOException("Input/output error"), true));
        queue.Start();
        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(() => queue.AppendAsync([]));
        Assert.Contains("has not answered whether it stored this", refusal.Message);
    }

    /// <summary>Nobody waits for longer than five seconds, whatever the disk does.</summary>
    [Fact]
    public async Task Whoever_waits_for_four_and_a_half_seconds_is_told_what_is_known()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        var underway = writer.Send(Quiet, 1);
        writer.Begun();
        time.Advance(TimeSpan.FromSeconds(1));
        var waiting = writer.Send(Quiet, 1);
        time.Advance(TimeSpan.FromSeconds(3.75));
        var mayBeStored = await Assert.ThrowsAsync<StoreUnavailableException>(() => underway).WaitAsync(Limit, Cancel);
        Assert.Contains("has not answered whether it stored this", mayBeStored.Message);
        Assert.True(mayBeStored.IsInUse);
        Assert.False(waiting.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(2));
        var isNot = await Assert.ThrowsAsync<StoreUnavailableException>(() => waiting).WaitAsync(Limit, Cancel);
        Assert.Contains("nothing of this was stored", isNot.Message);
        Assert.False(isNot.IsInUse);
        Assert.Equal(0, writer.Queue.Waiting(SenderKind.Browsers));
    }

    [Fact]
    public async Task An_operator_is_not_turned_away_for_what_others_send_and_waits_for_one_transaction()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        for (var i = 0; i < 10_000 && !writer.Send(Flooding, 500).IsFaulted; i++) { }
        var act = writer.Queue.RunAsync(Messages.Company(Flooding), LockMode.Rewrite, _ => { });
        writer.Begun();
        writer.LetGo();
        Assert.NotNull(writer.Begun().Single().Work);
        await act.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task One_sender_holds_at_most_half_of_the_room()
    {
        using var writer = new Writer(time, limits: new(1 << 20, 10, 1));
        var sent = new List<Task<Receipt[]>>();
        while (sent.Count == 0 || (!sent[^1].IsFaulted && sent.Count < 10_000)) sent.Add(writer.Send(Flooding, 1, bytes: 30_000));
        Assert.InRange(sent.Count, 15, 18);
        await RefusedAsync(sent[^1], 429, "urn:trackmate:problem:share_spent");
        Assert.False(writer.Send(Quiet, 1, bytes: 30_000).IsFaulted);
        writer.Queue.Start();
        writer.LetGo();
        await Task.WhenAll(sent[..^1]).WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task A_stop_commits_and_answers_what_was_taken_and_refuses_what_comes_after()
    {
        using var writer = new Writer(time);
        writer.Queue.Start();
        var taken = Enumerable.Range(0, 2000).Select(_ => writer.Send(Quiet, 1)).ToList();
        var stopping = Task.Run(writer.Queue.Dispose, Cancel);
        writer.LetGo();
        await stopping.WaitAsync(Limit, Cancel);
        await Task.WhenAll(taken).WaitAsync(Limit, Cancel);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.Send(Quiet, 1));
    }

    [Fact]
    public async Task A_failed_transaction_is_a_503_and_says_that_nothing_was_stored()
    {
        using var queue = new WriteQueue(batch => batch[0].Failure = new IOException("No space left on device"), time);
        queue.Start();
        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(() => queue.AppendAsync([]));
        Assert.Contains("nothing of this was stored", refusal.Message);
    }

    private static async Task RefusedAsync(Task<Receipt[]> append, int status, string problem)
    {
        var refusal = await Assert.ThrowsAnyAsync<StoreUnavailableException>(() => append);
        var http = new DefaultHttpContext();
        using var body = new MemoryStream();
        http.Response.Body = body;
        await Problems.Middleware(http, _ => throw refusal);
        Assert.Equal(status, http.Response.StatusCode);
        Assert.Matches("^[1-9][0-9]*$", http.Response.Headers.RetryAfter.ToString());
        Assert.Contains(problem, System.Text.Encoding.UTF8.GetString(body.ToArray()));
    }
}
