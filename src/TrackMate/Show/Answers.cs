using System.Text.Json;
using System.Text.Json.Serialization;

namespace TrackMate.Show;

/// <summary>A profile as the read API shows it.</summary>
/// <param name="CreatedAt">The time of the earliest message that named the person.</param>
/// <param name="TraitTrust">By trait: <c>verified</c> where a signed token stands behind it, <c>claimed</c> where only a browser says it. A verified one always wins.</param>
/// <param name="Verified">Null where no back end has sent an event of the person.</param>
public sealed record ProfileDocument(
    string Id,
    [property: JsonPropertyName("company_id")] string CompanyId,
    string? Email,
    string? Name,
    IReadOnlyDictionary<string, JsonElement> Traits,
    string CreatedAt,
    string? FirstSeen,
    string? LastActive,
    TotalsDocument Totals,
    IReadOnlyList<IdentifierDocument> Identifiers,
    IReadOnlyDictionary<string, string> TraitTrust,
    VerifiedDocument? Verified)
{
    /// <summary>The identifier of which the name was said, so that a page shows it beside its own e-mail and not beside that of somebody who was merged.</summary>
    [JsonIgnore]
    public IdentifierDocument? NamedBy { get; init; }
}

/// <summary>What back ends alone say of when a person was active, whatever browsers claim.</summary>
/// <param name="FirstSeen">The time of the first event of a back end on the timeline.</param>
/// <param name="LastActive">That of the last one.</param>
public sealed record VerifiedDocument(string FirstSeen, string LastActive);

public sealed record TotalsDocument(long Events, SessionCounts Sessions, IReadOnlyList<RevenueDocument> Revenue);

public sealed record SessionCounts(long Client, long Server);

/// <param name="Currency">ISO 4217.</param>
/// <param name="Amount">Exact, as people write it: <c>"79.99"</c>.</param>
public sealed record RevenueDocument(string Currency, string Amount);

/// <param name="Kind"><c>email</c> or <c>externalId</c>.</param>
/// <param name="Id">The profile id that is this identifier's for ever.</param>
public sealed record IdentifierDocument(string Kind, string Value, string Id);

public sealed record ProfilesPage(IReadOnlyList<ProfileDocument> Profiles, string? NextCursor)
{
    /// <summary>Why an empty list may not be what was asked for, such as a <c>+</c> that was not escaped.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Hint { get; init; }
}

public sealed record TimelinePage(IReadOnlyList<TimelineEvent> Events, string? NextCursor);

/// <summary>One event on a timeline.</summary>
/// <param name="Source"><c>client</c> or <c>server</c>.</param>
/// <param name="SessionId">The browser's session, or the server session that holds it now (B7).</param>
/// <param name="Agent">Of a browser's event: what was kept of its User-Agent.</param>
/// <param name="NotCounted">Of a browser's event that is beyond a bound of the company: <c>too_old</c> or <c>too_many</c>. It is in no total.</param>
public sealed record TimelineEvent(
    string EventId,
    string EventType,
    JsonElement EventData,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Context,
    string Timestamp,
    string ReceivedAt,
    string Source,
    string SessionId,
    string? UserId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AgentDocument? Agent,
    BindingDocument Binding,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? NotCounted = null);

public sealed record AgentDocument(string Browser, string System, string Device, bool Bot);

/// <summary>Why an event is on a profile (B12).</summary>
/// <param name="Method"><c>identify</c>, <c>email</c>, <c>externalId</c>, <c>sessionId</c> or <c>userId</c>; <c>merge</c> where only an operator's merge leads on to the profile.</param>
/// <param name="Trust"><c>verified</c> or <c>claimed</c>.</param>
/// <param name="Chain">From the event to the profile, a link at a time.</param>
public sealed record BindingDocument(string Method, string Trust, IReadOnlyList<ChainLink> Chain);

/// <summary>One link of a chain.</summary>
/// <param name="Kind"><c>event</c>, <c>session</c>, <c>claim</c>, <c>identifier</c>, <c>join</c>, <c>merge</c> or <c>profile</c>: says which of the others are set.</param>
/// <param name="ClaimId">Of a claim and of a join: what revokes it.</param>
/// <param name="MergeId">Of a merge: what takes it back.</param>
public sealed record ChainLink(
    string Kind,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EventId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? SessionId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ClaimId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? MergeId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Method = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Trust = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? At = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IdentifierDocument? Identifier = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ProfileId = null);

/// <summary>The seed's session document.</summary>
/// <param name="UserId">Whose it is now: the profile of its last span.</param>
public sealed record SessionDocument(
    [property: JsonPropertyName("_id")] string Id,
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    string? UserId,
    IReadOnlyList<SessionEvent> Events,
    string? NextCursor);

public sealed record SessionEvent(string EventId, string EventType, JsonElement EventData, string Timestamp, string? UserId);

/// <summary>What became of an eventId: one receipt for each origin that sent it.</summary>
public sealed record EventReceipts(IReadOnlyList<EventReceipt> Receipts);

/// <param name="Source"><c>client</c> or <c>server</c>: eventIds of browsers and of back ends are apart (B10).</param>
/// <param name="Status"><c>stored</c>; <c>duplicate</c>, where it is stored and has been sent again since; or <c>rejected</c>.</param>
/// <param name="StatusCode">Of a rejected one: the HTTP status it was answered with.</param>
/// <param name="Detail">Of a rejected one: what to mend.</param>
/// <param name="Body">Of a rejected one: what was sent, as text; null where nothing of it was kept.</param>
/// <param name="BodyCut">Whether more was sent than is kept of the body.</param>
/// <param name="ProfileId">Whose timeline it is on now; null while it is nobody's, and for a rejected one.</param>
/// <param name="Binding">Why it is there; null where it is on no timeline.</param>
/// <param name="ReceivedAt">When it was stored or, of a rejected one, refused last.</param>
/// <param name="Duplicates">Of a duplicate: how often it came after the first time.</param>
/// <param name="LastDuplicateAt">Of a duplicate: when it came last.</param>
/// <param name="Rejections">Earlier refusals of the eventId that are still kept, the newest first.</param>
public sealed record EventReceipt(
    string EventId,
    string Source,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? StatusCode,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Body,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? BodyCut,
    string? ProfileId,
    BindingDocument? Binding,
    string ReceivedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Duplicates,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LastDuplicateAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RejectionDocument>? Rejections);

/// <summary>A refusal that came before what a receipt tells.</summary>
public sealed record RejectionDocument(string ReceivedAt, int StatusCode, string Detail);

public sealed record ClaimsPage(IReadOnlyList<ClaimDocument> Claims, string? NextCursor);

/// <summary>What was said of a person, or decided by an operator (B12).</summary>
/// <param name="Id">What <c>POST /api/claims/{id}/revoke</c> takes: also of a merge, an un-binding, an isolation or a freeze, which it takes back.</param>
/// <param name="Kind"><c>session</c>: a session was said to be this identifier's. <c>join</c>: two identifiers were said to be one person. <c>merge</c>, <c>unbind</c>, <c>isolate</c>, <c>freeze</c>: an operator's.</param>
/// <param name="Status"><c>standing</c>, <c>revoked</c> by an operator, or <c>stopped</c> by a rule.</param>
/// <param name="Stop">Of a stopped one: the rule, named as in <c>warnings</c>.</param>
/// <param name="Method"><c>identify</c> or <c>webhook</c>.</param>
/// <param name="Actor">Of an operator's: who.</param>
public sealed record ClaimDocument(
    string Id,
    string Kind,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Stop,
    string At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Method,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Trust,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EventId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? SessionId,
    IReadOnlyList<IdentifierDocument> Identifiers,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Actor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? From,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? To);

/// <summary>What an act moved, or would move: what is shown under another profile's id than before, or under none.</summary>
/// <param name="MergeId">Of a merge and its undoing; null in a preview.</param>
/// <param name="ClaimId">What takes the act back, or what was revoked.</param>
/// <param name="DryRun">Nothing was done.</param>
/// <param name="Events">Events that were sent.</param>
/// <param name="Sessions">Sessions of browsers and of servers.</param>
/// <param name="Claims">Of an act on many claims.</param>
public sealed record ActDocument(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? MergeId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ClaimId = null,
    bool DryRun = false,
    long Events = 0,
    long Sessions = 0,
    IReadOnlyList<RevenueDocument>? Revenue = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ClaimCounts? Claims = null);

/// <summary>Of an act on many claims: what it undoes, or lets count again.</summary>
/// <param name="Claims">Claims of browsers: identifies.</param>
/// <param name="Sessions">Sessions that claimed something.</param>
/// <param name="Pairs">Pairs of identifiers that were claimed to be one person.</param>
/// <param name="Exact">False where so many are undone that what moves is only estimated.</param>
public sealed record ClaimCounts(long Claims, long Sessions, long Pairs, bool Exact);

public sealed record AuditPage(IReadOnlyList<AuditDocument> Entries, string? NextCursor);

/// <summary>Who did what.</summary>
/// <param name="Actor">A member's name, or the first characters of an API key.</param>
/// <param name="Action">Such as <c>merge</c>, <c>revoke</c>, <c>erase</c>.</param>
/// <param name="Detail">Ids and numbers.</param>
public sealed record AuditDocument(string At, string Actor, string Action, JsonElement Detail);

/// <summary>The answer to <c>DELETE /api/profiles/{id}</c>.</summary>
/// <param name="ProfileId">The id that the person had.</param>
/// <param name="Files"><c>clean</c> once no file of the store holds a byte of it, <c>later</c> where something that reads still holds them back, or the store went away after the person was hidden, and the server goes on; none for a preview.</param>
public sealed record ErasureDocument(
    string ProfileId,
    bool DryRun,
    ErasedDocument Erased,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Files);

/// <param name="Identifies">Identifies that named the person.</param>
/// <param name="Identifiers">E-mails, externalIds and ids.</param>
/// <param name="Rejected">Refused messages that named the person.</param>
public sealed record ErasedDocument(long Events, long Identifies, long Sessions, long Identifiers, long Rejected, IReadOnlyList<RevenueDocument> Revenue);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProfileDocument))]
[JsonSerializable(typeof(ProfilesPage))]
[JsonSerializable(typeof(TimelinePage))]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(EventReceipts))]
[JsonSerializable(typeof(ClaimsPage))]
[JsonSerializable(typeof(ActDocument))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(TimelineEvent))]
[JsonSerializable(typeof(ErasureDocument))]
[JsonSerializable(typeof(SuggestionsDocument))]
internal sealed partial class ShowJson : JsonSerializerContext;
