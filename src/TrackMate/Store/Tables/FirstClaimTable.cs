namespace TrackMate.Store.Tables;

/// <summary>
/// Values in the table <c>first_claim</c>: the first time that a session claimed an identifier (B13). In <c>first_claim_day</c>, <c>standing</c> is no such value but the
/// number of sessions that count on a day.
/// </summary>
internal static class FirstClaimTable
{
    /// <summary><c>standing</c>: an operator revoked it.</summary>
    public const string Revoked = "0";

    /// <summary><c>standing</c>: it counts.</summary>
    public const string Stands = "1";

    /// <summary><c>standing</c>: too many sessions claimed the identifier earlier on the same day.</summary>
    public const string TooLate = "2";
}
