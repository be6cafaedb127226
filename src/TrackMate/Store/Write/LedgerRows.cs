using System.Globalization;
using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>What servers told of money, grouped as it comes: entries that share a key, directly or through others, carry one number. Which payments a group holds is <see cref="RevenueLedger.Assign"/>'s to say.</summary>
internal sealed class LedgerRows(Database database)
{
    /// <summary>Asks which payments the keys of an event stand for.</summary>
    public IReadOnlyList<Lazy<long?>> PaymentsOf(Company company, Money money) => [.. money.PaymentKeys.Select(key => PaymentOf(company, key))];

    /// <param name="known">What its keys stand for.</param>
    /// <returns>Whether it joined payments that were several.</returns>
    public bool Add(Company company, long message, EventOrder order, string eventId, Money money, long? session, long? identifier, IReadOnlyList<Lazy<long?>> known)
    {
        // A new payment takes the number of the message that first told of it; numbers only group, so which one is kept does not show.
        var payments = known.Select(payment => payment.Value).OfType<long>().Distinct().Order().ToArray();
        var payment = payments.Length > 0 ? payments[0] : message;
        foreach (var other in payments.Skip(1)) Join(company, other, payment);
        foreach (var key in money.PaymentKeys)
        {
            database.Use("INSERT INTO payment_key (company, key, payment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .With(company.Number).With(key).With(payment).Run();
        }

        database.Use("""
            INSERT INTO ledger_entry (message, company, payment, payment_id, keys, kind, refund_id, at, event_id, amount, currency, session, identifier)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
            .With(message).With(company.Number).With(payment).With(money.PaymentId).With(string.Join(PaymentKey.Separator, money.PaymentKeys)).With((long)money.Kind).With(money.RefundId).With(order.Value).With(eventId)
            .With(money.Amount.ToString(CultureInfo.InvariantCulture)).With(money.Currency).With(session).With(identifier).Run();
        return payments.Length > 1;
    }

    private Lazy<long?> PaymentOf(Company company, string key) =>
        database.Use("SELECT payment FROM payment_key WHERE company = ? AND key = ?").With(company.Number).With(key).Ask(row => row.Next() ? (long?)row.Long(0) : null);

    private void Join(Company company, long from, long into)
    {
        database.Use("UPDATE ledger_entry SET payment = ? WHERE company = ? AND payment = ?").With(into).With(company.Number).With(from).Run();
        database.Use("UPDATE payment_key SET payment = ? WHERE company = ? AND payment = ?").With(into).With(company.Number).With(from).Run();
    }
}
