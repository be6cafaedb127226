namespace TrackMate.Bind;

/// <summary>What a company makes of browsers' identifies that no valid token stands behind (B15).</summary>
public enum TokenMode
{
    /// <summary>They are taken, as claimed.</summary>
    Off,

    /// <summary>They are taken, as claimed, and counted.</summary>
    Observe,

    /// <summary>They are refused.</summary>
    Enforce,
}

/// <summary>How a company signs its tokens; the name is that of RFC 7518 and RFC 8037. Fixed by the company, never taken from a token.</summary>
public enum TokenAlgorithm
{
    HS256,
    EdDSA,
}

/// <summary>Why an identify has no valid token: one closed list, one counter each. All but the first are answered in the same words, so that an answer helps nobody to forge one.</summary>
public enum TokenFault
{
    Missing,
    TooLarge,
    Malformed,
    WrongAlgorithm,
    UnknownKey,
    WrongSignature,
    Expired,
    NotYet,
    TooLongLived,
    WrongAudience,
    WrongPerson,
    WrongSession,
}
