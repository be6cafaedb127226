using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store;
using TrackMate.Store.Acts;

namespace TrackMate.Show;

/// <summary>An act as an address or a form requests it.</summary>
/// <param name="Verb">One of the constants below.</param>
/// <param name="Id">For revoke and lift a claim, for undo an act, for unbind a session, otherwise a profile.</param>
/// <param name="Other">For a merge: the other profile.</param>
/// <param name="From">For an un-binding: a time as a form sends it, or empty.</param>
internal sealed record AskedAct(string Verb, string Id, string Other, string From, string To)
{
    public const string Revoke = "revoke";
    public const string Lift = "lift";
    public const string Undo = "undo";
    public const string Unbind = "unbind";
    public const string Merge = "merge";
    public const string Isolate = "isolate";
    public const string Freeze = "freeze";

    public static AskedAct Read(Func<string, string?> field) => new(field("do") ?? "", field("id") ?? "", field("other") ?? "", field("from")?.Trim() ?? "", field("to")?.Trim() ?? "");

    /// <summary>Validates the request, so that the writer only has to check that its objects exist.</summary>
    /// <exception cref="RejectionException">The verb is unknown, or an id or time is invalid.</exception>
    public ActCall Prepare(Clock clock)
    {
        switch (Verb)
        {
            case Revoke or Lift when ClaimIds.ReadPair(Id) is not null || ClaimIds.ReadMessage(Id) is not null:
                return (acts, current, by) => Acts.Revoke(acts, current, Id, lift: Verb == Lift, by);
            case Undo:
                return (acts, current, by) => acts.TakeBack(current, Id, by);
            case Unbind:
                var (from, to) = Times(clock);
                return (acts, current, by) => acts.Unbind(current, Id, from, to, by);
            case Merge when ProfileId.TryParse(Id, out var one) && ProfileId.TryParse(Other, out var other):
                return (acts, current, by) => acts.IsOnePerson(current, one, other) ? ActRefusal.OnePerson : acts.Merge(current, one, other, by);
            case Isolate when ProfileId.TryParse(Id, out var crowded):
                return (acts, current, by) => acts.Isolate(current, crowded, by);
            case Freeze when ProfileId.TryParse(Id, out var frozen):
                return (acts, current, by) => acts.Freeze(current, frozen, by);
            default:
                throw new RejectionException(Reason.NotFound, "There is no such action. The address may be incomplete.");
        }
    }

    /// <exception cref="RejectionException">A time is invalid, or the end is not after the start.</exception>
    public (long From, long To) Times(Clock clock)
    {
        var from = From.Length == 0 ? long.MinValue : clock.ReadLocal(From) ?? throw new RejectionException(Reason.BadValue, "The start is not a date and time. Correct it or leave it empty.", "from");
        var to = To.Length == 0 ? long.MaxValue : clock.ReadLocal(To) ?? throw new RejectionException(Reason.BadValue, "The end is not a date and time. Correct it or leave it empty.", "to");
        return from < to ? (from, to) : throw new RejectionException(Reason.BadValue, "The start must be before the end.", "from");
    }

    /// <summary>Returns what the act would move, without doing it.</summary>
    public static Task<ActAnswer> PreviewAsync(MessageStore store, Company company, ActCall act, TimeProvider time) =>
        store.ActAsync(company, (acts, current) => act(acts, current, new("", time.GetUtcNow().ToUnixTimeMilliseconds(), DryRun: true)));
}
