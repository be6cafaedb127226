using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>How an act on many claims went, or would go.</summary>
/// <param name="ActId">What takes it back; null in a preview, and where there was nothing to do.</param>
/// <param name="Sessions">Sessions that claimed something.</param>
/// <param name="Pairs">Pairs of identifiers.</param>
/// <param name="IsExact">False where so much would move that it is only weighed.</param>
/// <param name="Line">The number of its line in the audit log.</param>
public sealed record ClaimUndone(string? ActId, long Claims, long Sessions, long Pairs, Moved Moved, bool IsExact, ActOutcome? Outcome, long? Line);

/// <summary>
/// Undoes claims of browsers by the thousand, as one act (B12). What it takes is looked for beside the writer, and then undone a step at a time, so that senders do
/// not wait for it. Where the server stops between two steps, what is undone is one act, and the rest is there to be undone by another.
/// </summary>
internal sealed class ClaimUndo(IActs store)
{
    /// <returns>Null where it would be more claims than are undone at once.</returns>
    public async Task<ClaimUndone?> UndoAsync(Company company, ClaimFilter filter, ActBy by)
    {
        var set = store.Read(database => new ClaimSetReader(database).Find(company, filter), company);
        return set is null ? null : await UndoAsync(company, set, by);
    }

    private async Task<ClaimUndone> UndoAsync(Company company, ClaimSet set, ActBy by)
    {
        var isExact = set.Count <= ClaimSet.MostInStep;
        var total = new ClaimTotal(set.Claims, set.Count, isExact || set.Count == 0 ? Moved.Nothing : store.Read(database => new ClaimSetReader(database).Weigh(company, set), company));
        var done = new ClaimUndone(null, set.Claims, set.Sessions.Select(claim => claim.Session).Distinct().Count(), set.Pairs.Count, total.Moved, isExact, null, null);
        if (set.Count == 0 || (by.DryRun && !isExact)) return done;
        foreach (var step in set.Steps())
        {
            var outcome = (await store.ActAsync(company, (acts, current) => acts.RevokeClaimed(current, step, done.ActId, total, by))).Outcome!;
            if (!outcome.Changed) continue;
            done = done with { ActId = by.DryRun ? null : outcome.ActId, Outcome = outcome, Line = done.Line ?? outcome.Line, Moved = isExact ? outcome.Moved : done.Moved };
        }

        return done;
    }

    /// <summary>Lets count again what an act undid.</summary>
    /// <returns>Null where it is no act on many claims.</returns>
    public async Task<ClaimUndone?> RestoreAsync(Company company, string actId, ActBy by)
    {
        if (await store.ActAsync(company, (acts, current) => acts.StandingOf(current, actId)) is not { } standing) return null;
        var count = standing.Sessions + standing.Pairs;
        var isExact = count <= ClaimSet.MostInStep;
        // An identify that names two is a session's claim and a pair.
        var total = new ClaimTotal(Math.Max(standing.Sessions, standing.Pairs), (int)Math.Min(count, int.MaxValue), Moved.Nothing);
        var done = new ClaimUndone(actId, total.Claims, standing.Sessions, standing.Pairs, Moved.Nothing, isExact, null, null);
        if (count == 0 || (by.DryRun && !isExact)) return done;
        for (var isFirst = true; ; isFirst = false)
        {
            var first = isFirst;
            var outcome = (await store.ActAsync(company, (acts, current) => acts.RestoreClaimed(current, actId, first, total, by))).Outcome!;
            if (!outcome.Changed) break;
            done = done with { Outcome = outcome, Line = done.Line ?? outcome.Line, Moved = outcome.Moved };
            if (isExact) return done;
        }

        // What counts again can be weighed only now.
        var set = await store.ActAsync(company, (acts, current) => acts.UndoneBy(current, actId));
        return done with { Moved = store.Read(database => new ClaimSetReader(database).Weigh(company, set!), company) };
    }

    /// <summary>Undoes again, as another act, what an act had undone.</summary>
    /// <inheritdoc cref="RestoreAsync" path="/returns"/>
    public async Task<ClaimUndone?> AgainAsync(Company company, string actId, ActBy by) =>
        await store.ActAsync(company, (acts, current) => acts.UndoneBy(current, actId)) is { } set ? await UndoAsync(company, set, by) : null;
}
