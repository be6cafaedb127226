using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Describes claims, and what operators did about them, in sentences (B12).</summary>
internal sealed class ClaimText(string companyId, Clock clock)
{
    /// <summary>A claim or act in a person's list.</summary>
    public IReadOnlyList<Phrase> Of(ClaimDocument claim) => claim switch
    {
        { Kind: "session", Method: "webhook" } => ["A webhook linked session ", Session(claim.SessionId!), " to ", Known(claim.Identifiers[0])],
        { Kind: "session" } => ["Session ", Session(claim.SessionId!), " was identified as ", Known(claim.Identifiers[0])],
        { Kind: "join", EventId: null } => [Known(claim.Identifiers[0]), " and ", Known(claim.Identifiers[1]), " are kept apart"],
        { Kind: "join" } => [Known(claim.Identifiers[0]), " and ", Known(claim.Identifiers[1]), " are one person"],
        { Kind: "merge" } => [Known(claim.Identifiers[0]), " and ", Known(claim.Identifiers[1]), " were merged"],
        { Kind: "unbind" } => ["Session ", Session(claim.SessionId!), " is un-bound" + Times(TimeOf(claim.From) ?? long.MinValue, TimeOf(claim.To) ?? long.MaxValue)],
        { Kind: "isolate" } => [Known(claim.Identifiers[0]), " is separated from all other identifiers"],
        _ => [Known(claim.Identifiers[0]), " is frozen: new claims do not join it"],
    };

    /// <summary>Where the claim came from.</summary>
    public static string SourceOf(ClaimDocument claim) => claim switch
    {
        { Actor: { } actor } => $"by {actor}",
        { Kind: "session", Method: "webhook" } => "from a back end with an API key, verified",
        { Trust: "verified" } => claim.Kind == "join" ? "from a back end with an API key, verified" : "verified",
        { Kind: "join" } => "from a browser, claimed",
        _ => "from a browser, claimed",
    };

    /// <summary>The claim's status in a word or two, and the reason if it is not active.</summary>
    public static (string Word, string? Why) StatusOf(ClaimDocument claim) => claim switch
    {
        { Status: "standing" } => ("active", null),
        { Kind: "join", EventId: null } => ("kept apart", "by an operator, until lifted"),
        { Status: "revoked" } => ("revoked", "by an operator, until lifted"),
        _ => ("stopped", WhyStopped(claim.Stop)),
    };

    public static string WhyStopped(string? stop) => stop switch
    {
        "two_externalids" => "one person would have two external ids",
        "too_many_emails" => "one person would have more e-mails than the company allows",
        "too_many_joins" => "one of the two is joined with too many others",
        "profile_frozen" => "it arrived after the profile was frozen",
        "claimed_joins" => "only a browser claims it, and the setting --claimed-joins does not allow that",
        "contradicted" => "a verified or earlier claim contradicts it",
        "too_many_sessions" => "too many new sessions claimed it on that day",
        _ => "a rule stopped it",
    };

    /// <summary>The action that an operator can take.</summary>
    public static (string Verb, string Word) ButtonOf(ClaimDocument claim) => claim.Kind is "session" or "join"
        ? claim.Status == "revoked" ? (AskedAct.Lift, "Lift") : (AskedAct.Revoke, "Revoke")
        : (AskedAct.Undo, "Undo");

    /// <summary>A line of the audit log; the sentence begins with the actor.</summary>
    /// <param name="line">The line.</param>
    /// <param name="act">The act that it names; null if there is none, as after an erasure.</param>
    /// <param name="who">The actor's name in the sentence.</param>
    public IReadOnlyList<Phrase> Of(AuditLine line, ListedAct? act, string who)
    {
        var about = act?.Identifiers.Select(Known).ToList() ?? [];
        Phrase Session() => act?.Session is { } session ? this.Session(session) : "a session";
        Phrase First() => about is [var first, ..] ? first : "an identifier";
        Phrase Second() => about is [_, var second, ..] ? second : "another";
        Phrase Detail(string name) => JsonElement.Parse(line.Detail).TryGetProperty(name, out var value) ? new Phrase(value.ToString(), IsValue: true) : "";
        IReadOnlyList<Phrase> said = (line.Action, act?.Kind) switch
        {
            ("merge", _) => [" merged ", First(), " and ", Second()],
            ("unmerge", _) => [" undid the merge of ", First(), " and ", Second()],
            ("revoke", ListedClaimKind.Session) => [" revoked the claim that session ", Session(), " is ", First()],
            ("revoke", _) => [" kept ", First(), " and ", Second(), " apart"],
            ("lift", ListedClaimKind.Session) => [" restored the claim that session ", Session(), " is ", First()],
            ("lift", _) => [" stopped keeping ", First(), " and ", Second(), " apart"],
            ("undo_claims", _) => [" undid ", Counted(line), " of browsers"],
            ("restore_claims", _) => [" restored ", Counted(line), " of browsers"],
            ("unbind", _) => [" un-bound session ", Session(), act is null ? "" : Times(act.From, act.To)],
            ("rebind", _) => [" undid the un-binding of session ", Session()],
            ("isolate", _) => [" undid all joins of ", First()],
            ("unisolate", _) => [" allowed joins of ", First(), " again"],
            ("freeze", _) => [" froze ", First(), More(about.Count - 1)],
            ("unfreeze", _) => [" unfroze ", First(), More(about.Count - 1)],
            ("erase", _) => [" erased a person"],
            ("key_add", _) => [" created the API key ", Detail("key"), " with the scopes ", Detail("scopes")],
            ("key_revoke", _) => [" revoked the API key ", Detail("key")],
            ("resend", _) => [" fixed a rejected message and sent it again"],
            _ => [" did ", new(line.Action, IsValue: true)],
        };
        return [new(who, IsValue: true), .. said];
    }

    /// <summary>Whether the sentence is complete, so that no ids and numbers need to follow.</summary>
    public static bool HasSentence(AuditLine line) => line.Action is "erase" or "key_add" or "key_revoke" or "resend";

    public Phrase Session(string sessionId) => new(Sessions.Short(sessionId), IsValue: true, Links.Session(companyId, sessionId));

    public Phrase Known(Identifier identifier) => new(identifier.Value, IsValue: true, Links.Person(companyId, identifier.Id.ToString()));

    /// <summary>The time range of an un-binding, if it has one.</summary>
    public string Times(long from, long to) => (from, to) switch
    {
        (long.MinValue, long.MaxValue) => "",
        (_, long.MaxValue) => $" from {clock.Full(from)} on",
        (long.MinValue, _) => $" until {clock.Full(to)}",
        _ => $" from {clock.Full(from)} to {clock.Full(to)}",
    };

    private Phrase Known(IdentifierDocument identifier) => new(identifier.Value, IsValue: true, Links.Person(companyId, identifier.Id));

    private static string More(int others) => others switch
    {
        <= 0 => "",
        1 => " and one more of its identifiers",
        _ => $" and {others} more of its identifiers",
    };

    private static string Counted(AuditLine line) =>
        System.Text.Json.JsonElement.Parse(line.Detail).TryGetProperty("claims", out var claims) && claims.TryGetInt64(out var number) ? MovedText.Count(number, "claim") : "claims";

    private static long? TimeOf(string? time) => time is null ? null : Clock.Read(time);
}
