namespace TrackMate.Bind;

/// <summary>One message that tells of a payment or a refund.</summary>
/// <param name="Payment">The store's number of the payment: tellers that share a key, directly or through others, carry the same.</param>
/// <param name="Order">The message's time.</param>
/// <param name="Holder">Whatever the caller knows the owner by; it is handed back with the row.</param>
public sealed record Teller<THolder>(long Payment, MoneyKind Kind, string? RefundId, EventOrder Order, string EventId, decimal Amount, string Currency, THolder Holder);

/// <summary>The ledger: one row per payment and one per refund, as the earliest teller told it (Totals of a profile).</summary>
public static class RevenueLedger
{
    /// <returns>The teller that each row stands on; refunds are rows of their own.</returns>
    public static IEnumerable<Teller<THolder>> Rows<THolder>(IEnumerable<Teller<THolder>> tellers) =>
        tellers
            .GroupBy(teller => (teller.Payment, teller.Kind, Refund: teller.Kind is MoneyKind.Payment ? "" : teller.RefundId is { } id ? "id:" + id : "event:" + teller.EventId))
            .Select(row => row.Aggregate((first, next) => IsEarlier(next, first) ? next : first));

    /// <summary>Payments less refunds, by currency in alphabetical order; exact.</summary>
    public static IReadOnlyList<(string Currency, decimal Amount)> Totals<THolder>(IEnumerable<Teller<THolder>> rows) =>
        [.. rows.GroupBy(row => row.Currency)
            .OrderBy(currency => currency.Key, StringComparer.Ordinal)
            .Select(currency => (currency.Key, currency.Sum(row => row.Kind is MoneyKind.Payment ? row.Amount : -row.Amount)))];

    private static bool IsEarlier<THolder>(Teller<THolder> left, Teller<THolder> right)
    {
        var byTime = left.Order.UnixMilliseconds.CompareTo(right.Order.UnixMilliseconds);
        return byTime < 0 || (byTime == 0 && EventIds.Compare(left.EventId, right.EventId) < 0);
    }
}
