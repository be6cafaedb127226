using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>A message that reports a payment or refund of a person.</summary>
/// <param name="Why">Why it is not counted; null if it is counted.</param>
/// <param name="Keys">The ids by which the payment is known.</param>
public sealed record LedgerRow(string EventId, string EventType, long At, decimal Amount, string Currency, bool IsRefund, string? Why, IReadOnlyList<string> Keys);

/// <summary>A page of a person's payments and refunds, newest first: the rows that add up to the revenue, and the rows that report the same money again.</summary>
/// <param name="Counted">The number of counted rows on all pages.</param>
public sealed record LedgerPage(IReadOnlyList<LedgerRow> Rows, int Counted, bool IsFirst, string? NextCursor)
{
    private const int PageSize = 100;
    private const int KeysShown = 4;

    /// <param name="from">The number of rows on the previous pages.</param>
    internal static LedgerPage Of(Documents documents, Person person, long? from)
    {
        var sources = documents.Totals.TellersOf(person);
        var counted = RevenueLedger.Rows(sources).ToHashSet();
        var own = sources.Where(source => source.Holder).OrderByDescending(source => source.Order.UnixMilliseconds).ThenByDescending(source => source.EventId, StringComparer.Ordinal).ToList();
        var skipped = (int)Math.Clamp(from ?? 0, 0, own.Count);
        var company = person.Company;
        var keys = sources.ToLookup(source => source.Payment, source => source.Keys);
        var rows = own.Skip(skipped).Take(PageSize).Select(source =>
        {
            var first = counted.FirstOrDefault(row => row.Payment == source.Payment && row.Kind == source.Kind && (row.Kind is MoneyKind.Payment || row.RefundId == source.RefundId));
            return new LedgerRow(
                source.EventId,
                documents.Event(person, Origin.Server, source.EventId)?.EventType ?? "",
                source.Order.UnixMilliseconds,
                source.Amount,
                source.Currency,
                source.Kind is MoneyKind.Refund,
                counted.Contains(source) ? null : first is { Holder: false } ? "an earlier event on another timeline reported the same payment" : $"an earlier event reported the same {(source.Kind is MoneyKind.Payment ? "payment" : "refund")}",
                [.. keys[source.Payment].SelectMany(known => known).Distinct().Take(KeysShown).Select(PaymentKey.ShownOf)]);
        });
        return new([.. rows], counted.Count(row => row.Holder), skipped == 0, skipped + PageSize < own.Count ? Cursors.Write(company, skipped + PageSize) : null);
    }
}
