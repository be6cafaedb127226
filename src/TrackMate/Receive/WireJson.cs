using System.Text.Json.Serialization;
using TrackMate.Http;

namespace TrackMate.Receive;

/// <summary>The answers to the receiving calls.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(ProfileAnswer))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhookBatchAnswer))]
internal sealed partial class WireJson : JsonSerializerContext;

internal static class Wire
{
    public static readonly WireJson Json = new(new(JsonAnswer.Options));
}

/// <summary>The answer to <c>POST /api/events</c>.</summary>
/// <param name="Accepted">Events that are stored now, for the first time.</param>
/// <param name="Duplicates">Events whose eventId had been stored before.</param>
/// <param name="Rejected">Events of a batch that were refused, each on its own.</param>
public sealed record EventsAnswer(int Accepted, int Duplicates, IReadOnlyList<RejectedAnswer>? Rejected = null);

/// <param name="Index">Where in <c>events</c> it stands.</param>
/// <param name="EventId">Its eventId, if it could be read.</param>
/// <param name="Status">The HTTP status it would have been answered with alone.</param>
/// <param name="Detail">What to mend.</param>
public sealed record RejectedAnswer(int Index, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? EventId, int Status, string Detail);

/// <summary>The answer to <c>POST /api/profile</c>: always this shape, known or not, merged or not.</summary>
/// <param name="ProfileId">The id of the identifier in this message, 24 hex digits.</param>
public sealed record ProfileAnswer(string ProfileId);

/// <summary>The answer to one webhook.</summary>
/// <param name="ProfileId">Whose timeline the event is on; null while its session is nobody's (B6).</param>
/// <param name="SessionId">The server session that holds it now (B7).</param>
/// <param name="EventId">The sender's, or the one given to it.</param>
/// <param name="Duplicate">It had been stored before; nothing changed (B10).</param>
/// <param name="Warnings"><c>unknown_userid</c>, <c>eventid_reused</c>, <c>amount_unreadable</c>, <c>two_externalids</c>, <c>too_many_emails</c>, <c>too_many_joins</c>.</param>
public sealed record WebhookAnswer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ProfileId,
    string SessionId,
    string EventId,
    bool Duplicate,
    IReadOnlyList<string>? Warnings = null);

/// <summary>The answer to a batch of webhooks: one result each, in order, an answer or a problem.</summary>
public sealed record WebhookBatchAnswer(IReadOnlyList<System.Text.Json.Nodes.JsonNode> Results);
