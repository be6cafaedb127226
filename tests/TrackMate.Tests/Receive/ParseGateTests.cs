using Microsoft.Extensions.Time.Testing;
using TrackMate.Receive;
using TrackMate.Store.Ingest;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>Which large bodies are parsed: the senders in turn, of each only a few that are not answered yet, and nobody waits for long.</summary>
[NoStore]
public sealed class ParseGateTests
{
    private const int Body = 100_000;

    private static readonly Sender Flood = new(1, SenderKind.Browsers), Quiet = new(2, SenderKind.Browsers);

    private readonly FakeTimeProvider time = new();
    private readonly ParseGate gate;

    public ParseGateTests() => gate = new(atOnce: 1, time);

    [Fact]
    public async Task Of_one_sender_only_a_few_are_parsed_and_not_answered_and_another_one_passes()
    {
        var turns = await FillAsync();
        var next = gate.EnterAsync(Flood, Body).AsTask();
        Assert.False(next.IsCompleted);

        using (var other = await gate.EnterAsync(Quiet, Body)) other.EndParsing();

        turns[0].Dispose();
        using var turn = await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(gate.EnterAsync(Flood, Body).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Who_has_waited_for_too_long_is_refused_and_keeps_nobody_else_waiting()
    {
        var turns = await FillAsync();
        var late = gate.EnterAsync(Flood, Body).AsTask();
        time.Advance(TimeSpan.FromSeconds(0.3));
        Assert.False(late.IsCompleted);
        var later = gate.EnterAsync(Flood, Body).AsTask();
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True((await Assert.ThrowsAsync<QueueFullException>(() => late)).OwnShare);

        turns[0].Dispose();
        using var turn = await later.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_waits_is_bounded_in_bytes_and_one_sender_leaves_half_of_them()
    {
        await FillAsync();
        var waiting = 0;
        for (; gate.RefusalOf(Flood, Body) is null; waiting++) _ = gate.EnterAsync(Flood, Body).AsTask();
        Assert.InRange(waiting * (long)Body, 7L << 20, 9L << 20);
        Assert.True((await Assert.ThrowsAsync<QueueFullException>(() => gate.EnterAsync(Flood, Body).AsTask())).OwnShare);
        Assert.Null(gate.RefusalOf(Quiet, Body));
    }

    [Fact]
    public async Task A_processor_is_free_once_a_body_is_parsed()
    {
        using var first = await gate.EnterAsync(Flood, Body);
        var second = gate.EnterAsync(Quiet, Body).AsTask();
        Assert.False(second.IsCompleted);
        first.EndParsing();
        using var turn = await second.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    /// <summary>As many of one sender as may be parsed and not answered.</summary>
    private async Task<List<ParseTurn>> FillAsync()
    {
        var turns = new List<ParseTurn>();
        for (var i = 0; i < ParseGate.MostUnanswered; i++)
        {
            turns.Add(await gate.EnterAsync(Flood, Body));
            turns[i].EndParsing();
        }

        return turns;
    }
}
