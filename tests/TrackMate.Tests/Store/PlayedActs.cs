using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Acts;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
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
            if (act is OperatorAct.UndoClaims undo)
            {
                if (await UndoClaimsAsync(undo) is { } undone) done.Add(undone);
                else waiting.Enqueue(act);
                continue;
            }

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
        if (act is OperatorAct.UndoClaims) Assert.NotNull((await new ClaimUndo(store).RestoreAsync(company, actId, new("tests", act.At, DryRun: false)))!.Outcome);
        else Assert.NotNull((await ActAsync(act, actId))!.Outcome);
        done.Remove((act, actId));
    }

    /// <returns>What was undone, so that the model need not know what had arrived by then; null where there was nothing yet.</returns>
    private async Task<(OperatorAct Act, string ActId)?> UndoClaimsAsync(OperatorAct.UndoClaims undo)
    {
        var filter = new ClaimFilter(undo.Session is null ? null : [undo.Session], undo.Leaf, undo.From, undo.To);
        var preview = (await new ClaimUndo(store).UndoAsync(company, filter, new("tests", undo.At, DryRun: true)))!;
        var undone = (await new ClaimUndo(store).UndoAsync(company, filter, new("tests", undo.At, DryRun: false)))!;
        Assert.Equal((preview.Claims, preview.Sessions, preview.Pairs, preview.Moved.Events, preview.Moved.Sessions), (undone.Claims, undone.Sessions, undone.Pairs, undone.Moved.Events, undone.Moved.Sessions));
        Assert.Equal(preview.Moved.Revenue, undone.Moved.Revenue);
        if (undone.ActId is null) return null;
        using var snapshot = store.Read(company);
        var (sessions, pairs) = (new List<(string, ProfileId)>(), new List<(ProfileId, ProfileId)>());
        using var rows = snapshot.Database.Use("""
            SELECT s.session_id, i.leaf, o.leaf FROM act a JOIN identifier i ON i.id = a.identifier AND i.company = a.company
            LEFT JOIN session s ON s.id = a.session AND s.company = a.company LEFT JOIN identifier o ON o.id = a.other AND o.company = a.company
            WHERE a.company = ? AND a.act_id = ?
            """);
        rows.With(company.Number).With(undone.ActId);
        while (rows.Next())
        {
            if (rows.TextOrNull(0) is { } session) sessions.Add((session, ProfileId.FromBytes(rows.Bytes(1))));
            else pairs.Add((ProfileId.FromBytes(rows.Bytes(1)), ProfileId.FromBytes(rows.Bytes(2))));
        }

        return (undo with { Sessions = sessions, Pairs = pairs }, undone.ActId);
    }

    private Task<ActAnswer?> ActAsync(OperatorAct act, string? lift, bool dryRun = false) => store.ActAsync<ActAnswer?>(company, (acts, _) =>
    {
        var by = new ActBy("tests", act.At, dryRun);
        return act switch
        {
            OperatorAct.RevokeClaim or OperatorAct.RevokePair when lift is not null => acts.TakeBack(company, lift, by),
            OperatorAct.RevokeClaim revoke => history.Stored.FirstOrDefault(message => message.SessionId == revoke.Session && message.Named.Count > 0 && message.SessionGoesTo.Id == revoke.Leaf) is { } said
                ? acts.RevokeClaim(company, said.Order.Origin, said.EventId, lift: false, by)
                : null,
            OperatorAct.RevokePair revoke => acts.RevokePair(company, revoke.One, revoke.Other, lift: false, by),
            OperatorAct.Unbind unbind => lift is null ? acts.Unbind(company, unbind.Session, unbind.From, unbind.To, by) : acts.TakeBack(company, lift, by),
            OperatorAct.Merge merge => lift is null ? acts.Merge(company, merge.One, merge.Other, by) : acts.Unmerge(company, null, lift, by),
            OperatorAct.Isolate isolate => lift is null ? acts.Isolate(company, isolate.Leaf, by) : acts.TakeBack(company, lift, by),
            OperatorAct.Freeze freeze => lift is null ? acts.Freeze(company, [freeze.Leaf], by, freeze.At) : acts.TakeBack(company, lift, by),
            _ => throw new ArgumentException($"A {act.GetType().Name} is no act.", nameof(act)),
        };
    });
}
