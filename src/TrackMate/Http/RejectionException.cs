namespace TrackMate.Http;

/// <summary>Every way in which a message or a request is refused: one closed list, one status each, one counter each.</summary>
internal enum Reason
{
    Malformed,
    BadText,
    DuplicateKey,
    BadCursor,
    BadParameter,
    NoKey,
    UnknownKey,
    UnknownCompany,
    TokenMissing,
    TokenInvalid,
    ForeignCompany,
    OriginNotAllowed,
    ScopeMissing,
    NotFound,
    BodyTooSlow,
    TooLarge,
    UnsupportedEncoding,
    MissingField,
    WrongType,
    BadValue,
    TooDeep,
    TooManyKeys,
    BadNumber,
    TooManyEvents,
    NoIdentifier,
    TimeOutOfRange,
    Suppressed,
    TooManyRequests,
    TooManyPairs,
    QuotaSpent,
    ShareSpent,
    StoreUnavailable,
    Overloaded,
    Starting,
    DiskReserve,
}

/// <summary>A refusal on its way to the sender: what to mend, by the field's wire name.</summary>
/// <param name="reason">Which of the closed list.</param>
/// <param name="detail">A sentence that tells the sender what to mend; never a part of a body that may hold secrets.</param>
/// <param name="field">The field's wire name, such as <c>events[3].eventType</c>.</param>
/// <param name="retryAfterSeconds">For the refusals that pass by waiting.</param>
/// <param name="kept">What the company reads of it, where that is more than strangers are told.</param>
internal sealed class RejectionException(Reason reason, string detail, string? field = null, int? retryAfterSeconds = null, string? kept = null) : Exception(detail)
{
    public Reason Reason { get; } = reason;

    public string? Field { get; } = field;

    public int? RetryAfterSeconds { get; } = retryAfterSeconds;

    /// <summary>The sentence that is kept among the company's rejected events.</summary>
    public string Kept { get; } = kept ?? detail;

    public int Status => StatusOf(Reason);

    public static int StatusOf(Reason reason) => reason switch
    {
        Reason.Malformed or Reason.BadText or Reason.DuplicateKey or Reason.BadCursor or Reason.BadParameter => 400,
        Reason.NoKey or Reason.UnknownKey or Reason.UnknownCompany or Reason.TokenMissing or Reason.TokenInvalid => 401,
        Reason.ForeignCompany or Reason.OriginNotAllowed or Reason.ScopeMissing => 403,
        Reason.NotFound => 404,
        Reason.BodyTooSlow => 408,
        Reason.TooLarge => 413,
        Reason.UnsupportedEncoding => 415,
        Reason.MissingField or Reason.WrongType or Reason.BadValue or Reason.TooDeep or Reason.TooManyKeys or Reason.BadNumber
            or Reason.TooManyEvents or Reason.NoIdentifier or Reason.TimeOutOfRange or Reason.Suppressed => 422,
        Reason.TooManyRequests or Reason.TooManyPairs or Reason.QuotaSpent or Reason.ShareSpent => 429,
        Reason.StoreUnavailable or Reason.Overloaded or Reason.Starting or Reason.DiskReserve => 503,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A reason without a status."),
    };

    /// <summary>The reason as metrics and problem types name it: <c>too_many_events</c>.</summary>
    public static string NameOf<T>(T reason)
        where T : struct, Enum =>
        string.Concat(reason.ToString().Select((c, i) => char.IsAsciiLetterUpper(c) && i > 0 ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
}
