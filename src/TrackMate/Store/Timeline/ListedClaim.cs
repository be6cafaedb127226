using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>What was said of a person, or decided by an operator, as the list of claims shows it.</summary>
/// <param name="At">Unix milliseconds: the message's own time, or the act's.</param>
/// <param name="EventId">Of the message that said it; null for an act.</param>
/// <param name="ActId">Of an act.</param>
/// <param name="Session">Of a session's claim and of an un-binding: the session's id.</param>
/// <param name="Identifiers">Whom it is about; of a pair both, the smaller id first.</param>
/// <param name="Stands">Whether it counts.</param>
/// <param name="Stop">Why it does not.</param>
/// <param name="From">Of an un-binding: unix milliseconds.</param>
public sealed record ListedClaim(
    ListedClaimKind Kind,
    long At,
    string? EventId,
    string? ActId,
    Origin? Origin,
    ClaimMethod? Method,
    Trust? Trust,
    string? Session,
    IReadOnlyList<Identifier> Identifiers,
    bool Stands,
    JoinStop? Stop,
    string? Actor,
    long From = long.MinValue,
    long To = long.MaxValue)
{
    /// <summary>What orders those of one time.</summary>
    public string Key => EventId ?? ActId!;
}

public enum ListedClaimKind
{
    /// <summary>A session was said to be somebody's.</summary>
    Session,

    /// <summary>Two identifiers were said to be one person.</summary>
    Join,

    /// <summary>An operator made two profiles one.</summary>
    Merge,

    /// <summary>An operator says that a session is nobody's.</summary>
    Unbind,

    /// <summary>An operator keeps an identifier from joining any.</summary>
    Isolate,

    /// <summary>An operator keeps what is said from then on from joining.</summary>
    Freeze,

    /// <summary>An operator undid many claims of browsers at once.</summary>
    Claims,
}

/// <summary>An act by its id, as it was decided.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Session">Of a revoked claim of a session and of an un-binding.</param>
/// <param name="Identifiers">Whom it is about: none of an un-binding, all of a freeze.</param>
/// <param name="From">Of an un-binding: unix milliseconds.</param>
/// <param name="Stands">False once it is taken back.</param>
public sealed record ListedAct(string ActId, ListedClaimKind Kind, long At, string Actor, string? Session, IReadOnlyList<Identifier> Identifiers, long From, long To, bool Stands);
