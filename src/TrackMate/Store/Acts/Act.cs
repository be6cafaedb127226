using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>What a profile's timeline adds up to before or after an act.</summary>
/// <param name="HasRegistration">Whether one of its events is the derived <c>user_registered</c>.</param>
public sealed record HeldProfile(ProfileId Id, Totals Totals, bool HasRegistration)
{
    /// <summary>Events that were sent.</summary>
    public long Events => Totals.Events - (HasRegistration ? 1 : 0);
}

/// <param name="ActId">What the act is called by, when it is taken back.</param>
/// <param name="Changed">False where it had been done before: nothing moved.</param>
/// <param name="Before">The profiles that it touches, as they were.</param>
/// <param name="After">The same identifiers' profiles, as they are or would be.</param>
/// <param name="Line">The number of its line in the audit log; null in a preview and where nothing changed.</param>
public sealed record ActOutcome(string ActId, Moved Moved, bool Changed, IReadOnlyList<HeldProfile> Before, IReadOnlyList<HeldProfile> After, long? Line = null);

/// <summary>Why an act is not possible.</summary>
public enum ActRefusal
{
    /// <summary>The company has nothing of this id.</summary>
    NotFound,

    /// <summary>The two are one person already, by what was said of them.</summary>
    OnePerson,

    /// <summary>The merge is not one of this profile.</summary>
    NotItsMerge,
}

/// <summary>What an operator asks of the acts of a company. All that it needs has been read and validated before.</summary>
/// <param name="company">With the settings in force.</param>
internal delegate ActAnswer ActCall(ActWriter acts, Company company, ActBy by);

/// <summary>An act as it went, or why it could not.</summary>
public sealed record ActAnswer(ActOutcome? Outcome, ActRefusal? AttributedRejection)
{
    public static implicit operator ActAnswer(ActOutcome outcome) => new(outcome, null);

    public static implicit operator ActAnswer(ActRefusal refusal) => new(null, refusal);
}
