using System.Globalization;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>Reads the messages that tell of somebody's money, and all that share a key with them, directly or through others.</summary>
internal sealed class LedgerReader(Database database, Company company)
{
    private const string Columns = "e.message, e.kind, e.refund_id, e.at, e.event_id, e.amount, e.currency, e.payment_id, e.keys";

    private readonly Dictionary<long, Teller<bool>> found = [];
    private readonly HashSet<string> known = [];
    private List<string> unread = [];

    /// <summary>Adds the messages that are on the timeline of an identifier.</summary>
    public void AddOwn(long identifier)
    {
        using var rows = database.Use($"""
            SELECT {Columns} FROM ledger_entry e WHERE e.company = ?1 AND e.identifier = ?2 AND e.identifier IS NOT NULL AND e.ledger = {LedgerRows.LedgerRead}
            UNION ALL
            SELECT {Columns} FROM span s JOIN ledger_entry e ON e.company = s.company AND e.session = s.session AND e.session IS NOT NULL AND e.ledger = {LedgerRows.LedgerRead}
            WHERE s.company = ?1 AND s.identifier = ?2 AND s.last_server_at IS NOT NULL AND (e.at >> 11) >= s.from_ms AND (e.at >> 11) < s.to_ms
            """);
        rows.With(company.Number).With(identifier);
        while (rows.Next()) Add(rows, isOwn: true);
    }

    /// <summary>Goes on from key to key until no message is left that shares one.</summary>
    /// <returns>All of them with the number of their group; the holder says whether a message was added as somebody's own.</returns>
    public List<Teller<bool>> Tellers()
    {
        while (unread.Count > 0)
        {
            // All of a round are asked for before any is looked at.
            var round = unread;
            unread = [];
            var asked = round.ConvertAll(key => database.Use($"SELECT {Columns} FROM payment_key k JOIN ledger_entry e ON e.company = k.company AND e.message = k.message AND e.ledger = {LedgerRows.LedgerRead} WHERE k.company = ?1 AND k.key = ?2")
                .With(company.Number).With(key).Defer(rows =>
                {
                    while (rows.Next()) Add(rows, isOwn: false);
                    return true;
                }));
            foreach (var one in asked) _ = one.Value;
        }

        return Grouped();
    }

    private void Add(Statement row, bool isOwn)
    {
        var message = row.Long(0);
        if (found.ContainsKey(message)) return;
        var keys = row.Text(8).Split(PaymentKey.Separator, StringSplitOptions.RemoveEmptyEntries);
        unread.AddRange(keys.Where(known.Add));
        found.Add(message, new(message, row.TextOrNull(7), keys, (MoneyKind)row.Long(1), row.TextOrNull(2), new(row.Long(3)), row.Text(4), decimal.Parse(row.Text(5), CultureInfo.InvariantCulture), row.Text(6), isOwn));
    }

    /// <summary>A group has the number of its first message.</summary>
    private List<Teller<bool>> Grouped()
    {
        var byKey = found.SelectMany(one => one.Value.Keys.Select(key => (Key: key, Message: one.Key))).ToLookup(one => one.Key, one => one.Message);
        var (groups, open, gone) = (new Dictionary<long, long>(), new Stack<long>(), new HashSet<string>());
        foreach (var first in found.Keys.Order())
        {
            if (groups.TryAdd(first, first)) open.Push(first);
            while (open.TryPop(out var message))
            {
                foreach (var next in found[message].Keys.Where(gone.Add).SelectMany(key => byKey[key]).Where(next => groups.TryAdd(next, first))) open.Push(next);
            }
        }

        return [.. found.Select(one => one.Value with { Group = groups[one.Key] })];
    }
}
