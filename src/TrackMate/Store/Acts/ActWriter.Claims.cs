using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>Acts on many claims of browsers at once: each is rows of one id, and is done and taken back a step at a time.</summary>
internal sealed partial class ActWriter
{
    /// <summary>Takes back what browsers claim, of many sessions and pairs at once: a step of one act.</summary>
    /// <param name="actId">The act's id; null begins one.</param>
    /// <param name="total">Of all its steps: what the audit log says.</param>
    public ActAnswer RevokeClaimed(Company company, ClaimSet step, string? actId, ClaimTotal total, ActBy by)
    {
        var id = actId ?? ActRows.NewId(ClaimSet.Word);
        Change Act()
        {
            var changed = new List<StoredAct>();
            foreach (var (session, identifier) in step.Sessions.Where(claim => IsClaimed(company, claim.Session, claim.Identifier) && !claims.IsRevoked(company, claim.Session, claim.Identifier)))
            {
                rows.Add(company, id, ActKind.RevokeClaimed, by, session, identifier, hasId: true);
                changed.Add(new(id, ActKind.RevokeClaimed, session, identifier, null, null, null, false));
            }

            foreach (var (low, high) in step.Pairs.Where(pair => persons.Pairs.StandsClaimed(company, pair.Low, pair.High)))
            {
                rows.Add(company, id, ActKind.RevokeClaimedPair, by, identifier: low, other: high, hasId: true);
                changed.Add(new(id, ActKind.RevokeClaimedPair, null, low, high, null, null, false));
            }

            return changed.Count == 0 ? Change.None("") : new(id, RestandAll(company, changed));
        }

        return Step(company, by, "undo_claims", Act, actId is null, total);
    }

    /// <summary>Lets count again what such an act took back: a step of it.</summary>
    /// <param name="isFirst">Whether none came before: it writes the line of the audit log.</param>
    public ActAnswer RestoreClaimed(Company company, string actId, bool isFirst, ClaimTotal total, ActBy by)
    {
        Change Act()
        {
            var standing = rows.Standing(company, actId, ClaimSet.MostInStep);
            foreach (var act in standing) rows.Undo(company, act, by);
            return standing.Count == 0 ? Change.None(actId) : new(actId, RestandAll(company, standing));
        }

        return Step(company, by, "restore_claims", Act, isFirst, total);
    }

    /// <summary>The claims and pairs that an act took back, whether or not they count again; null where it is none.</summary>
    public ClaimSet? UndoneBy(Company company, string actId)
    {
        if (rows.Find(company, actId) is not [{ Kind: ActKind.RevokeClaimed or ActKind.RevokeClaimedPair }, ..] acts) return null;
        var sessions = acts.Where(act => act.Session is not null).Select(act => (act.Session!.Value, act.Identifier!.Value)).ToList();
        var pairs = acts.Where(act => act.Other is not null).Select(act => (act.Identifier!.Value, act.Other!.Value)).ToList();
        // An identify that names two is a session's claim and a pair.
        return new(Math.Max(sessions.Count, pairs.Count), sessions, pairs);
    }

    /// <summary>How many sessions' claims, and how many pairs, such an act keeps away; null where it is none.</summary>
    public (long Sessions, long Pairs)? StandingOf(Company company, string actId) => rows.Find(company, actId) is [{ Kind: ActKind.RevokeClaimed or ActKind.RevokeClaimedPair }, ..] ? rows.CountStanding(company, actId) : null;

    /// <summary>An act that one step holds is seen before and after, as every other is; of a longer one that would take the writer too long.</summary>
    private ActAnswer Step(Company company, ActBy by, string action, Func<Change> act, bool isFirst, ClaimTotal total)
    {
        if (total.Items <= ClaimSet.MostInStep) return Do(company, by, action, act, total);
        var change = act();
        if (change.Touched is null) return new ActOutcome(change.ActId, Moved.Nothing, Changed: false, [], []);
        long? line = isFirst ? Note(company, by, action, change.ActId, total.Moved, total) : null;
        return new ActOutcome(change.ActId, total.Moved, Changed: true, [], [], line);
    }

    /// <summary>Derives anew what hangs on claims and pairs whose acts have changed.</summary>
    private List<long> RestandAll(Company company, List<StoredAct> acts)
    {
        var touched = new List<long>();
        foreach (var act in acts.Where(act => act.Session is not null)) touched.AddRange(RestandClaim(company, act.Session!.Value, act.Identifier!.Value));
        var paired = new HashSet<long>();
        foreach (var act in acts.Where(act => act.Other is not null))
        {
            persons.Pairs.Recompute(company, act.Identifier!.Value, act.Other!.Value);
            paired.UnionWith([act.Identifier.Value, act.Other.Value]);
        }

        return [.. touched, .. paired, .. persons.RejoinEach(company, paired)];
    }

    private bool IsClaimed(Company company, long session, long identifier)
    {
        using var found = database.Use($"SELECT EXISTS (SELECT 1 FROM claim WHERE company = ? AND session = ? AND session IS NOT NULL AND identifier = ? AND trust = {ClaimTable.Claimed})");
        found.With(company.Number).With(session).With(identifier).Next();
        return found.Long(0) == 1;
    }
}
