using Microsoft.AspNetCore.Http;
using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Store;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What the queue before the writer promises: bounded, answered after the commit, nothing taken is dropped.</summary>
[EmbeddedOnly]
public sealed class WriteQueueTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_queue_refuses_at_once_with_503_and_Retry_After_and_answers_what_it_took()
    {
        using var goOn = new ManualResetEventSlim();
        var committed = 0;
        using var queue = new WriteQueue(batch =>
        {
            goOn.Wait(Limit, CancellationToken.None);
            committed += batch.Count;
        });
        queue.Start();

        var taken = new List<Task<Receipt[]>>();
        Task<Receipt[]> next;
        while (!(next = queue.AppendAsync([])).IsFaulted && taken.Count < 100_000) taken.Add(next);
        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
        Assert.All(taken, append => Assert.False(append.IsCompleted));

        var http = new DefaultHttpContext();
        await Problems.Middleware(http, _ => throw refusal);
        Assert.Equal(503, http.Response.StatusCode);
        Assert.Matches("^[1-9][0-9]*$", http.Response.Headers.RetryAfter.ToString());

        goOn.Set();
        await Task.WhenAll(taken).WaitAsync(Limit, Cancel);
        Assert.Equal(taken.Count, committed);
    }

    [Fact]
    public async Task A_stop_commits_and_answers_what_was_taken_and_refuses_what_comes_after()
    {
        using var goOn = new ManualResetEventSlim();
        var queue = new WriteQueue(_ => goOn.Wait(Limit, CancellationToken.None));
        queue.Start();
        var taken = Enumerable.Range(0, 5000).Select(_ => queue.AppendAsync([])).ToList();
        var stopping = Task.Run(queue.Dispose, Cancel);
        goOn.Set();
        await stopping.WaitAsync(Limit, Cancel);
        await Task.WhenAll(taken).WaitAsync(Limit, Cancel);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => queue.AppendAsync([]));
    }

    [Fact]
    public async Task A_failed_transaction_is_a_503_and_says_that_nothing_was_stored()
    {
        using var queue = new WriteQueue(batch => batch[0].Failure = new IOException("No space left on device"));
        queue.Start();
        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(() => queue.AppendAsync([]));
        Assert.Contains("nothing of this was stored", refusal.Message);
    }
}
