using System.Globalization;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// What servers told of money: a row for each message, and one for each key of a payment that it names. Which messages tell of one payment is found when they are read:
/// a message that shares keys with two large groups costs no more than any other.
/// </summary>
internal sealed class LedgerRows(Database database)
{
    public void Add(Company company, long message, EventOrder order, string eventId, Money money, long? session, long? identifier)
    {
        foreach (var key in money.PaymentKeys)
            database.Use("INSERT INTO payment_key (company, key, message) VALUES (?, ?, ?)").With(company.Number).With(key).With(message).Run();
        database.Use("""
            INSERT INTO ledger_entry (message, company, payment_id, keys, kind, refund_id, at, event_id, amount, currency, session, identifier)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
            .With(message).With(company.Number).With(money.PaymentId).With(string.Join(PaymentKey.Separator, money.PaymentKeys)).With((long)money.Kind).With(money.RefundId).With(order.Value).With(eventId)
            .With(money.Amount.ToString(CultureInfo.InvariantCulture)).With(money.Currency).With(session).With(identifier).Run();
    }

    /// <summary>Takes a message out, if it told of money.</summary>
    public void Remove(Company company, long message)
    {
        foreach (var key in KeysOf(company, message))
            database.Use("DELETE FROM payment_key WHERE company = ? AND key = ? AND message = ?").With(company.Number).With(key).With(message).Run();
        database.Use("DELETE FROM ledger_entry WHERE message = ? AND company = ?").With(message).With(company.Number).Run();
    }

    private string[] KeysOf(Company company, long message)
    {
        using var row = database.Use("SELECT keys FROM ledger_entry WHERE message = ? AND company = ?");
        return row.With(message).With(company.Number).Next() ? row.Text(0).Split(PaymentKey.Separator, StringSplitOptions.RemoveEmptyEntries) : [];
    }
}
