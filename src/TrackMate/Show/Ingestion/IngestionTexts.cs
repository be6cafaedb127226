using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>Texts of the pages about ingestion.</summary>
internal static class IngestionTexts
{
    public static string Source(Origin origin) => origin is Origin.Server ? "Server" : "Browser";

    public static string Path(ReceivingCall call) => call switch
    {
        ReceivingCall.Profile => "POST /api/profile",
        ReceivingCall.Webhooks => "POST /api/webhooks/events",
        _ => "POST /api/events",
    };

    /// <summary>The second line of a rejection in a list.</summary>
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
        Warnings.UnknownUserId => "The userId is not known yet",
        Warnings.EventIdReused => "The same eventId was sent with different content; the first event stays",
        Warnings.AmountUnreadable => "The amount or currency of this payment is not readable, so it does not count as revenue",
        "two_externalids" => "One person would have two external ids, so they are not joined",
        "too_many_emails" => "One person would have more e-mails than the company allows, so they are not joined",
        "too_many_joins" => "One of the identifiers is named with too many others, so they are not joined",
        "revoked" => "An operator keeps the identifiers apart, so they are not joined",
        "profile_frozen" => "An operator has frozen the profile, so the identifiers are not joined",
        "claimed_joins" => "Only a browser claims it, and the setting --claimed-joins does not allow that, so the identifiers are not joined",
        "contradicted" => "An earlier or verified claim contradicts it, so the identifiers are not joined",
        "too_many_sessions" => "Too many new sessions claimed this identifier on one day",
        _ => warning,
    };

    public static string Percent(double rate) => (rate * 100).ToString(rate is > 0 and < 0.1 ? "0.0" : "0", System.Globalization.CultureInfo.InvariantCulture) + " %";
}
