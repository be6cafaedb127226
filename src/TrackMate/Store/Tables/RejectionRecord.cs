using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>The receiving call of a request. The numbers are stored.</summary>
public enum ReceivingCall
{
    /// <summary><c>POST /api/events</c>.</summary>
    Events = 1,

    /// <summary><c>POST /api/profile</c>.</summary>
    Profile = 2,

    /// <summary><c>POST /api/webhooks/events</c>.</summary>
    Webhooks = 3,
}

/// <summary>The rejected items of one request, as stored with the company's rejected events. Their number is limited; the oldest are deleted first.</summary>
public sealed record RejectionRecord(Company Company, Origin Origin, ReceivingCall Call, long ReceivedAt, IReadOnlyList<RejectedEvent> Events)
{
    /// <summary>For a browser: the stored parts of its User-Agent.</summary>
    public Agent? Agent { get; init; }

    /// <summary>The fields that a browser's batch has for all its events, as a JSON object; null if each event has its own.</summary>
    public string? Envelope { get; init; }

    /// <summary>The number of the rejected message that the request fixes. It is marked as fixed once one of the request's messages is stored.</summary>
    public long? Mends { get; init; }

    /// <summary>The operator who fixed it, for the audit log.</summary>
    public string? MendedBy { get; init; }
}

/// <param name="EventId">The sender's eventId, if it could be read.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Detail">What the sender should fix.</param>
/// <param name="Body">The event as sent, truncated to a limit.</param>
/// <param name="Size">The size of the event as sent, in bytes.</param>
/// <param name="Events">For a batch that was rejected as a whole: its readable eventIds.</param>
public sealed record RejectedEvent(string? EventId, int Status, string Detail, ReadOnlyMemory<byte> Body, int Size, IReadOnlyList<string>? Events = null);

/// <summary>One refused event or request, as it is shown.</summary>
/// <param name="Number">The store's own number of it.</param>
/// <param name="Envelope">What the event's batch said for all of them, a JSON object.</param>
/// <param name="Body">What was sent, cut to a bounded length; not always text.</param>
/// <param name="Size">Bytes that were sent: more than the body where that was cut.</param>
/// <param name="Events">How many events with a readable id were refused with it, being one batch.</param>
/// <param name="Stored">The eventId under which it is stored: since it was mended here, or since its sender sent it right.</param>
public sealed record RejectedRow(
    long Number,
    Origin Origin,
    ReceivingCall Call,
    string? EventId,
    long ReceivedAt,
    int Status,
    string Detail,
    string? Envelope,
    Agent? Agent,
    ReadOnlyMemory<byte> Body,
    int Size,
    int Events,
    bool Mended,
    string? Stored)
{
    public bool Cut => Size > Body.Length;
}

/// <summary>Rejected messages with the same fault.</summary>
/// <param name="Newest">The number of the newest of them.</param>
/// <param name="Detail">What was wrong with the newest.</param>
/// <param name="EventId">Of the newest, if it could be read.</param>
/// <param name="Fixed">How many of them are stored now: fixed here, or sent again correctly.</param>
public sealed record RejectedGroup(long Newest, Origin Origin, int Status, string Detail, string? EventId, int Count, int Fixed, long FirstAt, long LastAt);

/// <summary>A stored message that is not quite what its sender may have meant.</summary>
/// <param name="Warning">As API keys are told: <c>unknown_userid</c>, <c>eventid_reused</c>, …</param>
public sealed record WarningRow(long Number, Origin Origin, string EventId, long ReceivedAt, string Warning);

/// <summary>How often a stored message was sent again, and when last (unix milliseconds).</summary>
public sealed record Duplicates(long Count, long LastAt);

/// <summary>Sessions that began on a UTC day, and how many of them are somebody's now.</summary>
public sealed record StitchDay(long Day, long Sessions, long Identified)
{
    /// <summary>0 to 1; null where there was no session.</summary>
    public static double? RateOf(IReadOnlyCollection<StitchDay> days) =>
        days.Sum(day => day.Sessions) is > 0 and var sessions ? (double)days.Sum(day => day.Identified) / sessions : null;
}
