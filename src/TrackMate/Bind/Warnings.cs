namespace TrackMate.Bind;

/// <summary>Names of what an API key is told beside its answer, and of why a claim does not count.</summary>
internal static class Warnings
{
    public const string UnknownUserId = "unknown_userid";
    public const string EventIdReused = "eventid_reused";
    public const string AmountUnreadable = "amount_unreadable";

    /// <summary>All that a message's sender may have meant otherwise.</summary>
    public static IReadOnlyList<string> Of(Receipt receipt)
    {
        if (receipt is { UnknownUserId: false, Reused: false, MoneyUnreadable: false, JoinsStopped: null }) return [];
        List<string> warnings = [];
        if (receipt.UnknownUserId) warnings.Add(UnknownUserId);
        if (receipt.Reused) warnings.Add(EventIdReused);
        if (receipt.MoneyUnreadable) warnings.Add(AmountUnreadable);
        warnings.AddRange((receipt.JoinsStopped ?? []).Select(Of));
        return warnings;
    }

    public static string Of(JoinStop stop) => stop switch
    {
        JoinStop.TwoExternalIds => "two_externalids",
        JoinStop.TooManyEmails => "too_many_emails",
        JoinStop.TooManyJoins => "too_many_joins",
        JoinStop.Revoked => "revoked",
        JoinStop.Frozen => "profile_frozen",
        JoinStop.Contradicted => "contradicted",
        JoinStop.ClaimedJoins => "claimed_joins",
        _ => "too_many_sessions",
    };
}
