using CsCheck;
using TrackMate.Bind;

namespace TrackMate.Tests.Bind;

/// <summary>Totals of a profile: a payment is told once however many tell it, and the earliest teller says how much and whose.</summary>
public sealed class RevenueLedgerTests
{
    private static readonly Gen<Teller<int>[]> Tellers = Gen.Select(
            Gen.Long[1, 3], Gen.OneOf(MoneyKind.Payment, MoneyKind.Refund), Gen.OneOf(null, "r1", "r2"), Gen.Long[0, 3], Gen.Int[0, 9999], Gen.OneOf("EUR", "USD"), Gen.Int[1, 2],
            (payment, kind, refund, time, cents, currency, owner) => (payment, kind, refund, time, cents, currency, owner))
        .Array[0, 10]
        .Select(tellers => tellers.Select((teller, i) => new Teller<int>(
            teller.payment, teller.kind, teller.kind is MoneyKind.Refund ? teller.refund : null, EventOrder.Of(teller.time, Origin.Server, i % 3), ((char)('a' + (i * 7 % 10))).ToString(), teller.cents / 100m, teller.currency, teller.owner)).ToArray());

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
                left.Payment == right.Payment && left.Kind == right.Kind
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

    private static List<Teller<int>> Sorted(IEnumerable<Teller<int>> rows) => [.. rows.OrderBy(row => row.EventId, StringComparer.Ordinal)];
}
