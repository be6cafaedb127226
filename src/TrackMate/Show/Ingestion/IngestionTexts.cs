using TrackMate.Bind;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>What the pages about ingestion say of what they list.</summary>
internal static class IngestionTexts
{
    public static string Source(Origin origin) => origin is Origin.Server ? "Server" : "Browser";

    public static string Path(ReceivingCall call) => call switch
    {
        ReceivingCall.Profile => "POST /api/profile",
        ReceivingCall.Webhooks => "POST /api/webhooks/events",
        _ => "POST /api/events",
    };

    /// <summary>The second line of a refusal in a list.</summary>
    public static string What(RejectedRow row) => row switch
    {
        { EventId: { } eventId } => eventId,
        { Events: 1 } => "a batch of 1 event with an id",
        { Events: > 1 } => $"a batch of {row.Events} events with ids",
        _ => "no eventId",
    };

    /// <summary>A warning as a sentence.</summary>
    public static string Warning(string warning) => warning switch
    {
        Warnings.UnknownUserId => "It named a userId that nothing is known of yet",
        Warnings.EventIdReused => "Its eventId came again with another body; the first one stays",
        Warnings.AmountUnreadable => "It pays, but its amount or currency cannot be made out, so it earns nothing",
        "two_externalids" => "It would make one person of two external ids, so they are not joined",
        "too_many_emails" => "It would give a person more e-mails than the company allows, so they are not joined",
        "too_many_joins" => "One of its identifiers is named with too many others, so they are not joined",
        "revoked" => "An operator keeps its identifiers apart, so they are not joined",
        "profile_frozen" => "An operator has frozen the profile, so its identifiers are not joined",
        "contradicted" => "Something that was said before, or by a server, contradicts it, so its identifiers are not joined",
        "too_many_sessions" => "More sessions claimed its identifier on one day than are believed",
        _ => warning,
    };

    public static string Percent(double rate) => (rate * 100).ToString(rate is > 0 and < 0.1 ? "0.0" : "0", System.Globalization.CultureInfo.InvariantCulture) + " %";
}
