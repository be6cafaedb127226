using System.Globalization;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// What servers told of money: a row for each message, and one for each key of a payment that it names. Which messages tell of one payment is found when they are read:
/// a message that shares keys with two large groups costs no more than any other.
/// </summary>
/// <remarks>A company has two ledgers, 0 and 1, of which one is read. While a change of what pays is derived, the other one is written too; once it is whole, it is the one that is read, at once.</remarks>
internal sealed class LedgerRows(Database database)
{
    /// <summary>Which ledger of company <c>?1</c> is read, to stand in a statement.</summary>
    public const string LedgerRead = "COALESCE((SELECT ledger FROM ledger_read WHERE company = ?1 AND only_row = 0), 0)";

    /// <summary>Adds a message to a company's ledger, and to the one that a change will have it read.</summary>
    public void Add(Company company, MoneyMessage message, Money? money)
    {
        if (money is not null) Insert(company, company.Settings.Ledger, message, money);
        if (company.Settings.Next is not null) AddNext(company, message);
    }

    /// <summary>Adds a message to the ledger that a change will have a company read, if there is one.</summary>
    public void AddNext(Company company, MoneyMessage message)
    {
        var wanted = company.Settings.Wanted();
        if (wanted.Ledger != company.Settings.Ledger && Money.Read(wanted, message.Type, message.Data, out _) is { } money) Insert(company, wanted.Ledger, message, money);
    }

    private void Insert(Company company, int ledger, MoneyMessage message, Money money)
    {
        foreach (var key in money.PaymentKeys)
            database.Use("INSERT INTO payment_key (company, key, message) VALUES (?, ?, ?) ON CONFLICT (company, key, message) DO NOTHING").With(company.Number).With(key).With(message.Number).Run();
        database.Use("""
            INSERT INTO ledger_entry (company, message, ledger, payment_id, keys, kind, refund_id, at, event_id, amount, currency, session, identifier)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (company, message, ledger) DO NOTHING
            """)
            .With(company.Number).With(message.Number).With(ledger)
            .With(money.PaymentId).With(string.Join(PaymentKey.Separator, money.PaymentKeys)).With((long)money.Kind).With(money.RefundId).With(message.Order.Value).With(message.EventId)
            .With(money.Amount.ToString(CultureInfo.InvariantCulture)).With(money.Currency).With(message.Session).With(message.Identifier).Run();
    }

    /// <summary>Takes a message out, if it told of money.</summary>
    public void Remove(Company company, long message)
    {
        RemoveKeys(company, message, KeysOf(company, message).SelectMany(row => row.Keys));
        database.Use("DELETE FROM ledger_entry WHERE company = ? AND message = ?").With(company.Number).With(message).Run();
    }

    /// <summary>Has readers read another ledger from now on.</summary>
    public void Read(Company company, int ledger) =>
        database.Use("INSERT INTO ledger_read (company, only_row, ledger) VALUES (?, 0, ?) ON CONFLICT (company, only_row) DO UPDATE SET ledger = excluded.ledger").With(company.Number).With(ledger).Run();

    /// <summary>Takes out rows of the ledger that is not read.</summary>
    /// <param name="after">Messages up to this number are done.</param>
    /// <param name="most">Rows looked at, 3 or more.</param>
    /// <returns>The number to go on from; null where all is done.</returns>
    public long? Clear(Company company, long after, int most)
    {
        var rows = database.Use("SELECT message, ledger FROM ledger_entry WHERE company = ? AND message > ? ORDER BY message, ledger LIMIT ?")
            .With(company.Number).With(after).With(most).DeferAll(row => (Message: row.Long(0), IsRead: row.Long(1) == company.Settings.Ledger)).Value;
        // Both rows of a message are on one page, or it waits for the next.
        var isLast = rows.Count < most;
        var whole = isLast ? rows : rows.FindAll(row => row.Message != rows[^1].Message);
        foreach (var message in whole.GroupBy(row => row.Message).Where(message => message.Any(row => !row.IsRead)))
        {
            // The two may name other keys: which values mean nobody is a setting too.
            var keys = KeysOf(company, message.Key);
            RemoveKeys(company, message.Key, keys.Where(row => row.Ledger != company.Settings.Ledger).SelectMany(row => row.Keys).Except(keys.Where(row => row.Ledger == company.Settings.Ledger).SelectMany(row => row.Keys)));
            database.Use("DELETE FROM ledger_entry WHERE company = ? AND message = ? AND ledger <> ?").With(company.Number).With(message.Key).With(company.Settings.Ledger).Run();
        }

        return isLast ? null : whole[^1].Message;
    }

    private void RemoveKeys(Company company, long message, IEnumerable<string> keys)
    {
        foreach (var key in keys.Distinct(StringComparer.Ordinal))
            database.Use("DELETE FROM payment_key WHERE company = ? AND key = ? AND message = ?").With(company.Number).With(key).With(message).Run();
    }

    /// <summary>The keys that a message names, in each ledger that has it.</summary>
    private List<(long Ledger, string[] Keys)> KeysOf(Company company, long message) =>
        database.Use("SELECT ledger, keys FROM ledger_entry WHERE company = ? AND message = ?").With(company.Number).With(message)
            .DeferAll(row => (row.Long(0), row.Text(1).Split(PaymentKey.Separator, StringSplitOptions.RemoveEmptyEntries))).Value;
}

/// <summary>A stored message that may tell of money.</summary>
/// <param name="Data">A JSON object.</param>
/// <param name="Session">The session that it is bound through, if it names no identifier.</param>
/// <param name="Identifier">Whose it says it is.</param>
internal readonly record struct MoneyMessage(long Number, EventOrder Order, string EventId, string Type, ReadOnlyMemory<byte> Data, long? Session, long? Identifier);
