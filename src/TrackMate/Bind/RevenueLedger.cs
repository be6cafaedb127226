namespace TrackMate.Bind;

/// <summary>One message that tells of a payment or a refund.</summary>
/// <param name="Group">A number of the messages that share a key, directly or through others; the caller's to give.</param>
/// <param name="PaymentId">The payment's own id as <see cref="PaymentKey"/> writes it: of the message, or of the payment that <see cref="RevenueLedger.Assign"/> gave it to; null if there is none.</param>
/// <param name="Keys">All keys that the message names.</param>
/// <param name="Order">The message's time.</param>
/// <param name="Holder">Whatever the caller knows the owner by; it is handed back with the row.</param>
public sealed record Teller<THolder>(
    long Group, string? PaymentId, IReadOnlyList<string> Keys, MoneyKind Kind, string? RefundId, EventOrder Order, string EventId, decimal Amount, string Currency, THolder Holder)
{
    /// <summary>The payment that it tells of.</summary>
    public (long Group, string? PaymentId) Payment => (Group, PaymentId);
}

/// <summary>The ledger: one row per payment and one per refund, as the earliest teller told it (Totals of a profile). Pure, and the same for any order of arrival.</summary>
public static class RevenueLedger
{
    /// <summary>
    /// Says of each message which payment it tells of. Two different paymentIds are two payments, also of one order: a gift card and a card. A message without one
    /// belongs to the earliest payment with which it shares a key, and brings its other keys along: what shares a key only with it belongs there too. Where no
    /// message of a group names a paymentId, all of them tell of one payment.
    /// </summary>
    /// <param name="tellers">Groups, each of them whole.</param>
    public static IReadOnlyList<Teller<THolder>> Assign<THolder>(IReadOnlyCollection<Teller<THolder>> tellers) =>
        [.. tellers.GroupBy(teller => teller.Group).SelectMany(group => AssignGroup([.. group]))];

    /// <param name="tellers">As <see cref="Assign"/> returns them.</param>
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

    private static List<Teller<THolder>> AssignGroup<THolder>(List<Teller<THolder>> group)
    {
        // A payment's place is that of the earliest message that names its id.
        var payments = group.Where(teller => teller.PaymentId is not null).GroupBy(teller => teller.PaymentId!)
            .Select(payment => payment.Aggregate((first, next) => IsEarlier(next, first) ? next : first)).ToList();
        if (payments.Count == 0) return group;
        payments.Sort((left, right) => IsEarlier(left, right) ? -1 : IsEarlier(right, left) ? 1 : string.CompareOrdinal(left.PaymentId, right.PaymentId));
        var placeOf = payments.Select((payment, place) => (payment.PaymentId!, place)).ToDictionary(payment => payment.Item1, payment => payment.place);

        // For each key the earliest payment that is known by it; a round for what shares a key with a payment, another for what shares one with those, and so on.
        var known = new Dictionary<string, int>();
        Learn(group.Where(teller => teller.PaymentId is not null).Select(teller => (teller, placeOf[teller.PaymentId!])));
        var assigned = group.Where(teller => teller.PaymentId is not null).ToList();
        var left = group.Where(teller => teller.PaymentId is null).ToList();
        while (left.Count > 0)
        {
            var round = left.Select(teller => (Teller: teller, Place: teller.Keys.Where(known.ContainsKey).Select(key => known[key]).DefaultIfEmpty(int.MaxValue).Min())).ToList();
            var found = round.Where(one => one.Place != int.MaxValue).ToList();
            if (found.Count == 0) break;
            Learn(found);
            assigned.AddRange(found.Select(one => one.Teller with { PaymentId = payments[one.Place].PaymentId }));
            left = [.. round.Where(one => one.Place == int.MaxValue).Select(one => one.Teller)];
        }

        return [.. assigned, .. left];

        void Learn(IEnumerable<(Teller<THolder> Teller, int Place)> round)
        {
            // What was learned in an earlier round stays: a key that a payment is known by directly is that payment's.
            var learned = new Dictionary<string, int>();
            foreach (var (teller, place) in round)
            {
                foreach (var key in teller.Keys.Where(key => !known.ContainsKey(key))) learned[key] = Math.Min(place, learned.GetValueOrDefault(key, int.MaxValue));
            }

            foreach (var (key, place) in learned) known.Add(key, place);
        }
    }

    private static bool IsEarlier<THolder>(Teller<THolder> left, Teller<THolder> right)
    {
        var byTime = left.Order.UnixMilliseconds.CompareTo(right.Order.UnixMilliseconds);
        return byTime < 0 || (byTime == 0 && EventIds.Compare(left.EventId, right.EventId) < 0);
    }
}
