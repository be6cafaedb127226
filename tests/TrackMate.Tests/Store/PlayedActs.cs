using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Tests.Model;

namespace TrackMate.Tests.Store;

/// <summary>The acts of a history, done to one company of a store as soon as what they name has arrived, and taken back.</summary>
internal sealed class PlayedActs(MessageStore store, Company company, History history)
{
    private readonly List<(OperatorAct Act, string ActId)> done = [];
    private readonly Queue<OperatorAct> waiting = new(history.Acts);

    public List<OperatorAct> Standing => [.. done.Select(act => act.Act)];

    /// <summary>A view's text, with the names of merges for their random ids.</summary>
    public string Named(string view) => done.Select(act => act).Where(act => act.Act is OperatorAct.Merge)
        .Aggregate(view, (text, act) => text.Replace(act.ActId, ((OperatorAct.Merge)act.Act).Name, StringComparison.Ordinal));

    /// <summary>Does the next so many that can be done; what names something unknown waits.</summary>
    public async Task DoAsync(int most)
    {
        for (var tried = Math.Min(most, waiting.Count); tried > 0; tried--)
        {
            var act = waiting.Dequeue();
            var preview = await ActAsync(act, lift: null, dryRun: true);
            var answer = await ActAsync(act, lift: null);
            if (answer?.Outcome is not { } outcome)
            {
                waiting.Enqueue(act);
                continue;
            }

            Assert.Equal((preview!.Outcome!.Moved.Events, preview.Outcome.Moved.Sessions, preview.Outcome.Changed), (outcome.Moved.Events, outcome.Moved.Sessions, outcome.Changed));
            Assert.Equal(preview.Outcome.Moved.Revenue, outcome.Moved.Revenue);
            done.Add((act, outcome.ActId));
        }
    }

    /// <summary>Takes back the next, in any order.</summary>
    public async Task UndoAsync(Random random)
    {
        var (act, actId) = done[random.Next(done.Count)];
        Assert.NotNull((await ActAsync(act, actId))!.Outcome);
        done.Remove((act, actId));
    }

    private Task<ActAnswer?> ActAsync(OperatorAct act, string? lift, bool dryRun = false) => store.ActAsync<ActAnswer?>(company, acts =>
    {
        var by = new ActBy("tests", act.At, dryRun);
        return act switch
        {
            OperatorAct.RevokeClaim revoke => history.Stored.FirstOrDefault(message => message.SessionId == revoke.Session && message.Named.Count > 0 && message.SessionGoesTo.Id == revoke.Leaf) is { } said
                ? acts.RevokeClaim(company, said.Order.Origin, said.EventId, lift is not null, by)
                : null,
            OperatorAct.RevokePair revoke => acts.RevokePair(company, revoke.One, revoke.Other, lift is not null, by),
            OperatorAct.Unbind unbind => lift is null ? acts.Unbind(company, unbind.Session, unbind.From, unbind.To, by) : acts.TakeBack(company, lift, by),
            OperatorAct.Merge merge => lift is null ? acts.Merge(company, merge.One, merge.Other, by) : acts.Unmerge(company, null, lift, by),
            OperatorAct.Isolate isolate => lift is null ? acts.Isolate(company, isolate.Leaf, by) : acts.TakeBack(company, lift, by),
            OperatorAct.Freeze freeze => lift is null ? acts.Freeze(company, [freeze.Leaf], by, freeze.At) : acts.TakeBack(company, lift, by),
            _ => throw new ArgumentException($"A {act.GetType().Name} is no act.", nameof(act)),
        };
    });
}
