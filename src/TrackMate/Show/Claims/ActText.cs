using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>What the page before an act says.</summary>
/// <param name="Title">A question.</param>
/// <param name="About">What is there now.</param>
/// <param name="Effect">What follows, and for how long.</param>
/// <param name="Button">The word that does it.</param>
internal sealed record ActQuestion(string Title, IReadOnlyList<Phrase> About, string Effect, string Button);

/// <summary>Asks before an act, and tells what would move.</summary>
internal sealed class ActText(Documents documents, ClaimText text)
{
    private Company Company => documents.Company;

    /// <exception cref="Refused">What it is about is not there.</exception>
    public ActQuestion Of(AskedAct asked, Clock clock) => asked.Verb switch
    {
        AskedAct.Revoke or AskedAct.Lift => OfClaim(asked),
        AskedAct.Undo => OfAct(asked.Id),
        AskedAct.Unbind => OfSession(asked, clock),
        AskedAct.Isolate => new("Undo everything that it joined?", [Known(asked.Id), " stops being one person with any other identifier"],
            "Whatever was said or will be said of it joins nobody, until you undo this. Events that name it stay on its own profile.", "Undo its joins"),
        AskedAct.Freeze => new("Freeze this profile?", [Known(asked.Id), " stays as it is"],
            "What was said so far still counts. What is said for the first time from now on joins none of its identifiers, until you undo this.", "Freeze"),
        _ => throw new Refused(Reason.NotFound, "Nothing of this kind can be done here. Perhaps the address is cut short."),
    };

    /// <summary>What moves, from whom, to whom.</summary>
    public IReadOnlyList<Phrase> Moves(ActOutcome outcome)
    {
        var moved = MovedText.Of(outcome.Moved.Events, outcome.Moved.Sessions, outcome.Moved.Revenue);
        var (losing, gaining) = (Losing(outcome.Before, outcome.After), Losing(outcome.After, outcome.Before));
        if (moved.Length == 0 || losing.Count + gaining.Count == 0) return ["No event would move by it."];
        return (losing.Count, gaining.Count) switch
        {
            ( > 0, > 0) => [new(moved, IsValue: true), " would move from ", .. Names(losing), " to ", .. Names(gaining), "."],
            ( > 0, _) => [new(moved, IsValue: true), " would leave the timeline of ", .. Names(losing), " and be nobody’s."],
            _ => [new(moved, IsValue: true), " that are nobody’s now would come to the timeline of ", .. Names(gaining), "."],
        };
    }

    private ActQuestion OfClaim(AskedAct asked)
    {
        var lift = asked.Verb == AskedAct.Lift;
        if (ClaimIds.ReadPair(asked.Id) is { } pair)
        {
            IReadOnlyList<Phrase> both = [Known(pair.Low.ToString()), " and ", Known(pair.High.ToString())];
            if (lift) return new("Let them be one person again?", [.. both, " are kept apart by an operator"], "What was said of the two counts again, as if it had never been taken back.", "Lift");
            return documents.Claims.IsSaid(Company, pair.Low, pair.High)
                ? new("Take back that they are one person?", [.. both, " were said to be one person"], "It is as if it had never been said, whoever said it or says it again, until you lift this.", "Revoke")
                : new("Keep these two apart?", [.. both, " look like one person"], "They are no longer suggested, and nothing that says they are one person counts, until you lift this.", "Not the same");
        }

        if (ClaimIds.ReadMessage(asked.Id) is not { } message || documents.Claims.Said(Company, message.Origin, message.EventId) is not { } said)
            throw new Refused(Reason.NotFound, "The company has no claim of this id. Perhaps the address is cut short.");
        if (said.Session is not { } session)
            return new(lift ? "Let them be one person again?" : "Take back that they are one person?", [text.Known(said.Identifiers[0]), " and ", said.Identifiers.Count > 1 ? text.Known(said.Identifiers[1]) : "another"], "", lift ? "Lift" : "Revoke");
        IReadOnlyList<Phrase> about = ["Session ", text.Session(session), " was said to be ", text.Known(said.Identifiers[0])];
        return lift
            ? new("Let this claim count again?", [.. about, "; an operator took that back"], "It counts again, as if it had never been taken back.", "Lift")
            : new("Take back this claim?", about, "It is as if nobody had ever said that this session is this person, and as if nobody will, until you lift this. Another claim of the session takes its place, if there is one.", "Revoke");
    }

    private ActQuestion OfAct(string actId)
    {
        if (documents.Claims.Act(Company, actId) is not { } act) throw new Refused(Reason.NotFound, "The company has no act of this id. Perhaps the address is cut short.");
        IReadOnlyList<Phrase> about = act switch
        {
            { Kind: ListedClaimKind.Merge, Identifiers: [var one, var other, ..] } => [text.Known(one), " and ", text.Known(other), $" were merged by {act.Actor}"],
            { Kind: ListedClaimKind.Unbind, Session: { } session } => ["Session ", text.Session(session), $" was made nobody’s{text.Times(act.From, act.To)} by {act.Actor}"],
            { Kind: ListedClaimKind.Isolate, Identifiers: [var one, ..] } => [text.Known(one), $" was kept from joining anybody by {act.Actor}"],
            { Kind: ListedClaimKind.Claims } => [$"Claims of browsers were undone by {act.Actor}"],
            { Kind: ListedClaimKind.Freeze, Identifiers: [var one, ..] } => [text.Known(one), $" was frozen by {act.Actor}"],
            { Session: { } session, Identifiers: [var one, ..] } => ["That session ", text.Session(session), " is ", text.Known(one), $" was taken back by {act.Actor}"],
            { Identifiers: [var one, var other, ..] } => [text.Known(one), " and ", text.Known(other), $" are kept apart by {act.Actor}"],
            _ => [$"It was done by {act.Actor}"],
        };
        return new(act.Kind switch
        {
            ListedClaimKind.Merge => "Undo this merge?",
            ListedClaimKind.Unbind => "Give this session back?",
            ListedClaimKind.Isolate => "Let it join again?",
            ListedClaimKind.Freeze => "Unfreeze this profile?",
            _ => "Undo this?",
        }, about, "Everything is as it would be if it had never been done, with what was said meanwhile.", "Undo");
    }

    private ActQuestion OfSession(AskedAct asked, Clock clock)
    {
        if (documents.Sessions.Find(Company, asked.Id) is null) throw new Refused(Reason.NotFound, "The company has no browser session of this id.");
        var (from, to) = asked.Times(clock);
        return new("Make this session nobody’s?", ["Session ", text.Session(asked.Id), from == long.MinValue && to == long.MaxValue ? " would be nobody’s from its first event on" : " would be nobody’s" + text.Times(from, to)],
            "Its events in that time are on no timeline, whoever was said to be there, until you undo this.", "Make it nobody’s");
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
            : throw new Refused(Reason.NotFound, "There is no person of this id in this company. Perhaps the address is cut short.");
}
