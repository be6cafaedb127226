using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>Totals of a profile: a payment is told once however many tell it, and the earliest teller says how much and whose.</summary>
[NoStore]
public sealed class RevenueLedgerTests
{
    private static readonly Gen<Teller<int>[]> Tellers = Gen.Select(
            Gen.Long[1, 3], Gen.OneOf(MoneyKind.Payment, MoneyKind.Refund), Gen.OneOf(null, "r1", "r2"), Gen.Long[0, 3], Gen.Int[0, 9999], Gen.OneOf("EUR", "USD"), Gen.Int[1, 2],
            (payment, kind, refund, time, cents, currency, owner) => (payment, kind, refund, time, cents, currency, owner))
        .Array[0, 10]
        .Select(tellers => tellers.Select((teller, i) => new Teller<int>(
            teller.payment, null, [], teller.kind, teller.kind is MoneyKind.Refund ? teller.refund : null, EventOrder.Of(teller.time, Origin.Server, i % 3), ((char)('a' + (i * 7 % 10))).ToString(), teller.cents / 100m, teller.currency, teller.owner)).ToArray());

    [Fact]
    public void Any_order_of_tellers_gives_the_same_rows_and_totals() =>
        Gen.Select(Tellers, Gen.Int).Sample((tellers, seed) =>
        {
            var shuffled = tellers.ToArray();
            new Random(seed).Shuffle(shuffled);
            Assert.Equal(Sorted(RevenueLedger.Rows(tellers)), Sorted(RevenueLedger.Rows(shuffled)));
            Assert.Equal(RevenueLedger.Totals(RevenueLedger.Rows(tellers)), RevenueLedger.Totals(RevenueLedger.Rows(shuffled)));
        });

    [Fact]
    public void A_row_stands_on_its_earliest_teller_and_totals_are_payments_less_refunds() =>
        Tellers.Sample(tellers =>
        {
            bool SameRow(Teller<int> left, Teller<int> right) =>
                left.Group == right.Group && left.Kind == right.Kind
                && (left.Kind is MoneyKind.Payment || (left.RefundId is null ? left.EventId == right.EventId : left.RefundId == right.RefundId));
            var expected = tellers.Where(teller => !tellers.Any(other => SameRow(teller, other)
                && (other.Order.UnixMilliseconds, other.EventId).CompareTo((teller.Order.UnixMilliseconds, teller.EventId)) < 0)).ToList();
            var rows = RevenueLedger.Rows(tellers).ToList();
            Assert.Equal(Sorted(expected), Sorted(rows));

            var totals = RevenueLedger.Totals(rows);
            Assert.Equal(expected.Select(row => row.Currency).Distinct().Order(StringComparer.Ordinal), totals.Select(total => total.Currency));
            foreach (var (currency, amount) in totals)
                Assert.Equal(expected.Where(row => row.Currency == currency).Sum(row => row.Kind is MoneyKind.Payment ? row.Amount : -row.Amount), amount);
        });

    private static Teller<int> Told(int at, string? paymentId, params string[] keys) =>
        new(1, paymentId, [.. paymentId is null ? Array.Empty<string>() : [paymentId], .. keys], MoneyKind.Payment, null, EventOrder.Of(at, Origin.Server), "e" + at, at, "USD", at);

    /// <summary>Of each teller, by its time, the payment that it tells of; whatever order they are given in.</summary>
    private static string Assigned(params Teller<int>[] tellers) => string.Join(' ', RevenueLedger.Assign(tellers.Shuffle().ToList()).OrderBy(teller => teller.Holder).Select(teller => $"{teller.Holder}:{teller.PaymentId ?? "-"}"));

    [Fact]
    public void Two_paymentIds_are_two_payments_of_one_order_and_the_order_itself_belongs_to_the_earlier() =>
        Assert.Equal("1:card 2:gift 3:card", Assigned(Told(2, "gift", "o"), Told(1, "card", "o"), Told(3, null, "o")));

    [Fact]
    public void A_message_without_a_paymentId_goes_to_the_payment_it_shares_a_key_with_and_brings_its_own_keys_along() =>
        // 4 shares a key with gift alone; 5 shares one with 4 alone, and 6 with 5.
        Assert.Equal("1:card 2:gift 4:gift 5:gift 6:gift", Assigned(Told(1, "card", "o"), Told(2, "gift", "o", "c"), Told(4, null, "c", "d"), Told(5, null, "d", "f"), Told(6, null, "f")));

    [Fact]
    public void What_shares_a_key_with_several_payments_belongs_to_the_earliest_and_does_not_take_their_other_messages_along() =>
        Assert.Equal("1:a 2:b 3:a 4:b", Assigned(Told(1, "a", "x"), Told(2, "b", "y"), Told(3, null, "x", "y"), Told(4, null, "y")));

    [Fact]
    public void Messages_without_any_paymentId_among_them_tell_of_one_payment() =>
        Assert.Equal("1:- 2:- 3:-", Assigned(Told(1, null, "x"), Told(2, null, "x", "y"), Told(3, null, "y")));

    private static List<Teller<int>> Sorted(IEnumerable<Teller<int>> rows) => [.. rows.OrderBy(row => row.EventId, StringComparer.Ordinal)];
}
