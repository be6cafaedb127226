namespace TrackMate.Store.Tables;

/// <summary>What a profile page counts (Totals of a profile).</summary>
/// <param name="FirstSeen">Unix milliseconds; null for a person with no event.</param>
/// <param name="Revenue">Payments less refunds by currency, exact.</param>
public sealed record Totals(
    long ClientEvents,
    long ServerEvents,
    long BotEvents,
    long ClientSessions,
    long ServerSessions,
    long? FirstSeen,
    long? LastActive,
    IReadOnlyList<(string Currency, decimal Amount)> Revenue,
    int Payments,
    int Refunds,
    long? VerifiedFirst = null,
    long? VerifiedLast = null)
{
    public long Events => ClientEvents + ServerEvents;
}
