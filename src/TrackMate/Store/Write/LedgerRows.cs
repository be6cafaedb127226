using System.Globalization;
using TrackMate.Bind;

namespace TrackMate.Store.Write;

/// <summary>What servers told of money, grouped as it comes: entries that share a key, directly or through others, carry one payment's number.</summary>
internal sealed class LedgerRows(Database database)
{
    public void Add(Company company, long message, EventOrder order, string eventId, Money money, long? session, long? identifier)
    {
        // A new payment takes the number of the message that first told of it; numbers only group, so which one is kept does not show.
        var payments = money.PaymentKeys.Select(key => PaymentOf(company, key)).OfType<long>().Distinct().Order().ToArray();
        var payment = payments.Length > 0 ? payments[0] : message;
        foreach (var other in payments.Skip(1)) Join(company, other, payment);
        foreach (var key in money.PaymentKeys)
        {
            database.Use("INSERT INTO payment_key (company, key, payment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .With(company.Number).With(key).With(payment).Run();
        }

        database.Use("""
            INSERT INTO ledger_entry (message, company, payment, kind, refund_id, at, event_id, amount, currency, session, identifier)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
            .With(message).With(company.Number).With(payment).With((long)money.Kind).With(money.RefundId).With(order.Value).With(eventId)
            .With(money.Amount.ToString(CultureInfo.InvariantCulture)).With(money.Currency).With(session).With(identifier).Run();
    }

    private long? PaymentOf(Company company, string key)
    {
        using var payment = database.Use("SELECT payment FROM payment_key WHERE company = ? AND key = ?");
        return payment.With(company.Number).With(key).Next() ? payment.Long(0) : null;
    }

    private void Join(Company company, long from, long into)
    {
        database.Use("UPDATE ledger_entry SET payment = ? WHERE company = ? AND payment = ?").With(into).With(company.Number).With(from).Run();
        database.Use("UPDATE payment_key SET payment = ? WHERE company = ? AND payment = ?").With(into).With(company.Number).With(from).Run();
    }
}
