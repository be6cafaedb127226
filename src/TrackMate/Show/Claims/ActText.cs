using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Acts;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>The texts of the page that asks before an act.</summary>
/// <param name="Title">The question.</param>
/// <param name="About">The present state.</param>
/// <param name="Effect">The effect, and how long it lasts.</param>
/// <param name="Button">The label of the button that does it.</param>
internal sealed record ActQuestion(string Title, IReadOnlyList<Phrase> About, string Effect, string Button);

/// <summary>The texts that ask before an act and say what would move.</summary>
internal sealed class ActText(Documents documents, ClaimText text)
{
    private Company Company => documents.Company;

    /// <exception cref="RejectionException">The claim, act, session or profile does not exist.</exception>
    public ActQuestion Of(AskedAct asked, Clock clock) => asked.Verb switch
    {
        AskedAct.Revoke or AskedAct.Lift => OfClaim(asked),
        AskedAct.Undo => OfAct(asked.Id),
        AskedAct.Unbind => OfSession(asked, clock),
        AskedAct.Isolate => new("Undo all its joins?", [Known(asked.Id), " is separated from all other identifiers"],
            "Past and future claims about it join no other profile until you undo this. Events that name it stay on its own profile.", "Undo joins"),
        AskedAct.Freeze => new("Freeze this profile?", [Known(asked.Id), " stays as it is"],
            "Existing joins stay. New claims join none of its identifiers until you undo this.", "Freeze"),
        _ => throw new RejectionException(Reason.NotFound, "There is no such action. The address may be incomplete."),
    };

    /// <summary>What would move, from which people to which.</summary>
    public IReadOnlyList<Phrase> Moves(ActOutcome outcome)
    {
        var moved = MovedText.Of(outcome.Moved.Events, outcome.Moved.Sessions, outcome.Moved.Revenue);
        var (losing, gaining) = (Losing(outcome.Before, outcome.After), Losing(outcome.After, outcome.Before));
        if (moved.Length == 0 || losing.Count + gaining.Count == 0) return ["No events would move."];
        return (losing.Count, gaining.Count) switch
        {
            ( > 0, > 0) => [new(moved, IsValue: true), " would move from ", .. Names(losing), " to ", .. Names(gaining), "."],
            ( > 0, _) => [new(moved, IsValue: true), " would leave the timeline of ", .. Names(losing), " and belong to nobody."],
            _ => [new(moved, IsValue: true), " that belong to nobody now would move to the timeline of ", .. Names(gaining), "."],
        };
    }

    private ActQuestion OfClaim(AskedAct asked)
    {
        var lift = asked.Verb == AskedAct.Lift;
        if (ClaimIds.ReadPair(asked.Id) is { } pair)
        {
            IReadOnlyList<Phrase> both = [Known(pair.Low.ToString()), " and ", Known(pair.High.ToString())];
            if (lift) return new("Restore this join?", [.. both, " are kept apart by an operator"], "Past and future claims that join the two are active again.", "Lift");
            return documents.Claims.IsSaid(Company, pair.Low, pair.High)
                ? new("Revoke this join?", [.. both, " are joined as one person"], "This claim and any future claim of the same pair are ignored until you lift it.", "Revoke")
                : new("Keep these two apart?", [.. both, " look like one person"], "They are no longer suggested as duplicates, and claims that join them are ignored until you lift this.", "Not the same");
        }

        if (ClaimIds.ReadMessage(asked.Id) is not { } message || documents.Claims.Said(Company, message.Origin, message.EventId) is not { } said)
            throw new RejectionException(Reason.NotFound, "The company has no claim with this id. The address may be incomplete.");
        if (said.Session is not { } session)
            return new(lift ? "Restore this join?" : "Revoke this join?", [text.Known(said.Identifiers[0]), " and ", said.Identifiers.Count > 1 ? text.Known(said.Identifiers[1]) : "another"], "", lift ? "Lift" : "Revoke");
        IReadOnlyList<Phrase> about = ["Session ", text.Session(session), " was identified as ", text.Known(said.Identifiers[0])];
        return lift
            ? new("Restore this claim?", [.. about, "; an operator revoked this claim"], "The claim is active again.", "Lift")
            : new("Revoke this claim?", about, "This claim and any future claim of the same session and person are ignored until you lift it. If the session has another claim, that one applies.", "Revoke");
    }

    private ActQuestion OfAct(string actId)
    {
        if (documents.Claims.Act(Company, actId) is not { } act) throw new RejectionException(Reason.NotFound, "The company has no act with this id. The address may be incomplete.");
        IReadOnlyList<Phrase> about = act switch
        {
            { Kind: ListedClaimKind.Merge, Identifiers: [var one, var other, ..] } => [text.Known(one), " and ", text.Known(other), $" were merged by {act.Actor}"],
            { Kind: ListedClaimKind.Unbind, Session: { } session } => ["Session ", text.Session(session), $" was un-bound{text.Times(act.From, act.To)} by {act.Actor}"],
            { Kind: ListedClaimKind.Isolate, Identifiers: [var one, ..] } => [text.Known(one), $" was separated from all other identifiers by {act.Actor}"],
            { Kind: ListedClaimKind.Claims } => [$"Claims of browsers were undone by {act.Actor}"],
            { Kind: ListedClaimKind.Freeze, Identifiers: [var one, ..] } => [text.Known(one), $" was frozen by {act.Actor}"],
            { Session: { } session, Identifiers: [var one, ..] } => ["The claim that session ", text.Session(session), " is ", text.Known(one), $" was revoked by {act.Actor}"],
            { Identifiers: [var one, var other, ..] } => [text.Known(one), " and ", text.Known(other), $" are kept apart by {act.Actor}"],
            _ => [$"It was done by {act.Actor}"],
        };
        return new(act.Kind switch
        {
            ListedClaimKind.Merge => "Undo this merge?",
            ListedClaimKind.Unbind => "Undo this un-binding?",
            ListedClaimKind.Isolate => "Allow joins again?",
            ListedClaimKind.Freeze => "Unfreeze this profile?",
            _ => "Undo this?",
        }, about, "The result is the same as if it had never been done. Messages received since then are included.", "Undo");
    }

    private ActQuestion OfSession(AskedAct asked, Clock clock)
    {
        if (documents.Sessions.Find(Company, asked.Id) is null) throw new RejectionException(Reason.NotFound, "The company has no browser session with this id.");
        var (from, to) = asked.Times(clock);
        return new("Un-bind this session?", ["Session ", text.Session(asked.Id), from == long.MinValue && to == long.MaxValue ? " would belong to nobody from its first event on" : " would belong to nobody" + text.Times(from, to)],
            "Its events in that time are on no timeline, whatever claims say, until you undo this.", "Un-bind");
    }

    private static List<ProfileId> Losing(IReadOnlyList<HeldProfile> one, IReadOnlyList<HeldProfile> other) =>
        [.. one.Where(held => held.Events > (other.FirstOrDefault(found => found.Id == held.Id)?.Events ?? 0)).Select(held => held.Id)];

    private IEnumerable<Phrase> Names(List<ProfileId> ids)
    {
        const int MostNamed = 3;
        for (var i = 0; i < ids.Count && i < MostNamed; i++)
        {
            if (i > 0) yield return i == ids.Count - 1 ? " and " : ", ";
            yield return Known(ids[i].ToString());
        }

        if (ids.Count > MostNamed) yield return $" and {ids.Count - MostNamed} more";
    }

    private Phrase Known(string id) =>
        ProfileId.TryParse(id, out var profile) && documents.Claims.Known(Company, profile) is { } identifier
            ? text.Known(identifier)
            : throw new RejectionException(Reason.NotFound, "No person in this company has this id. The address may be incomplete.");
}
