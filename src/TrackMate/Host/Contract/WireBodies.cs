using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TrackMate.Http;
using TrackMate.Receive;
using TrackMate.Show;

namespace TrackMate.Host.Contract;

// Bodies are read in one pass without building objects (Http/WireObject.cs); these records only say to readers of the contract what may stand in them.

/// <summary>One event of a browser.</summary>
internal sealed record BrowserEventBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    string EventType,
    JsonObject? EventData = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    DateTimeOffset? SentAt = null,
    JsonObject? Context = null);

/// <summary>Many events of one browser session, at most 500.</summary>
internal sealed record BrowserEventsBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    IReadOnlyList<BrowserEventItem> Events,
    DateTimeOffset? SentAt = null,
    JsonObject? Context = null);

/// <summary>One event of a batch.</summary>
internal sealed record BrowserEventItem(string EventType, JsonObject? EventData = null, DateTimeOffset? Timestamp = null, string? EventId = null, JsonObject? Context = null);

/// <summary>A browser says who it is: by e-mail, by the sender's own id, or both; the token that the company's back end signed vouches for it.</summary>
internal sealed record IdentifyBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    string? Email = null,
    string? ExternalId = null,
    string? Name = null,
    JsonObject? Traits = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    DateTimeOffset? SentAt = null,
    string? Token = null);

/// <summary>Whom a webhook is about: at least one, taken in the order userId, email, externalId, sessionId.</summary>
internal sealed record WebhookIdentifier(string? Email = null, string? SessionId = null, string? UserId = null, string? ExternalId = null);

/// <summary>One event of a back end.</summary>
internal sealed record WebhookBody(
    WebhookIdentifier Identifier,
    string EventType,
    JsonObject? EventData = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    [property: JsonPropertyName("company_id")] string? CompanyId = null);

/// <summary>Which claims of browsers to undo: at least one member, all of them have to fit.</summary>
internal sealed record RevokeClaimsBody(
    IReadOnlyList<string>? Sessions = null,
    ClaimedIdentifier? Identifier = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    bool? DryRun = null);

/// <summary>One of the three.</summary>
internal sealed record ClaimedIdentifier(string? Email = null, string? ExternalId = null, string? UserId = null);

/// <summary>Many events of a back end, at most 500.</summary>
internal sealed record WebhooksBody(IReadOnlyList<WebhookItem> Events, [property: JsonPropertyName("company_id")] string? CompanyId = null);

/// <summary>One webhook of a batch.</summary>
internal sealed record WebhookItem(WebhookIdentifier Identifier, string EventType, JsonObject? EventData = null, DateTimeOffset? Timestamp = null, string? EventId = null);

/// <summary>A body of which everything may be left out.</summary>
/// <param name="DryRun">Says what would move, and does nothing.</param>
internal sealed record ActBody(bool? DryRun = null);

/// <summary>When a session is nobody's.</summary>
/// <param name="From">Inclusive; from its beginning if left out.</param>
/// <param name="To">Exclusive; for good if left out, whatever is said of it later.</param>
internal sealed record UnbindBody(DateTimeOffset? From = null, DateTimeOffset? To = null, bool? DryRun = null);

/// <param name="ProfileId">The profile that becomes one with that of the address.</param>
internal sealed record MergeBody(string ProfileId, bool? DryRun = null);

/// <param name="MergeId">As the merge was answered with.</param>
internal sealed record UnmergeBody(string MergeId, bool? DryRun = null);

/// <summary>Whether the server runs and takes what comes.</summary>
internal sealed record HealthAnswer(string Status, string Version, string? Detail = null);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(BrowserEventBody))]
[JsonSerializable(typeof(ActBody))]
[JsonSerializable(typeof(RevokeClaimsBody))]
[JsonSerializable(typeof(UnbindBody))]
[JsonSerializable(typeof(MergeBody))]
[JsonSerializable(typeof(UnmergeBody))]
[JsonSerializable(typeof(ClaimsPage))]
[JsonSerializable(typeof(ActDocument))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(BrowserEventsBody))]
[JsonSerializable(typeof(IdentifyBody))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(WebhooksBody))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(ProfileAnswer))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhookBatchAnswer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(ProfileDocument))]
[JsonSerializable(typeof(ProfilesPage))]
[JsonSerializable(typeof(TimelinePage))]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(EventReceipts))]
[JsonSerializable(typeof(ErasureDocument))]
internal sealed partial class ContractJson : JsonSerializerContext;
