using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>A message that tells of a payment or a refund of a person.</summary>
/// <param name="Why">Why it is not counted; null where it is.</param>
/// <param name="Keys">The ids that the payment is known by.</param>
public sealed record LedgerRow(string EventId, string EventType, long At, decimal Amount, string Currency, bool IsRefund, string? Why, IReadOnlyList<string> Keys);

/// <summary>The rows that a person's revenue is the sum of, the newest first, and beside them what tells of the same money.</summary>
/// <param name="Counted">How many of all rows count.</param>
public sealed record LedgerPage(IReadOnlyList<LedgerRow> Rows, int Counted, bool IsFirst, string? NextCursor)
{
    private const int PageSize = 100;
    private const int KeysShown = 4;

    /// <param name="from">How many rows the pages before had.</param>
    internal static LedgerPage Of(Documents documents, Person person, long? from)
    {
        var tellers = documents.Totals.TellersOf(person);
        var counted = RevenueLedger.Rows(tellers).ToHashSet();
        var own = tellers.Where(teller => teller.Holder).OrderByDescending(teller => teller.Order.UnixMilliseconds).ThenByDescending(teller => teller.EventId, StringComparer.Ordinal).ToList();
        var skipped = (int)Math.Clamp(from ?? 0, 0, own.Count);
        var company = person.Company;
        var keys = tellers.ToLookup(teller => teller.Payment, teller => teller.Keys);
        var rows = own.Skip(skipped).Take(PageSize).Select(teller =>
        {
            var first = counted.FirstOrDefault(row => row.Payment == teller.Payment && row.Kind == teller.Kind && (row.Kind is MoneyKind.Payment || row.RefundId == teller.RefundId));
            return new LedgerRow(
                teller.EventId,
                documents.Event(person, Origin.Server, teller.EventId)?.EventType ?? "",
                teller.Order.UnixMilliseconds,
                teller.Amount,
                teller.Currency,
                teller.Kind is MoneyKind.Refund,
                counted.Contains(teller) ? null : first is { Holder: false } ? "an earlier event on another timeline reported the same payment" : $"an earlier event reported the same {(teller.Kind is MoneyKind.Payment ? "payment" : "refund")}",
                [.. keys[teller.Payment].SelectMany(known => known).Distinct().Take(KeysShown).Select(PaymentKey.ShownOf)]);
        });
        return new([.. rows], counted.Count(row => row.Holder), skipped == 0, skipped + PageSize < own.Count ? Cursors.Write(company, skipped + PageSize) : null);
    }
}
