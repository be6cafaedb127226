using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>B9: whatever the order of arrival, with whatever repeats, the same messages end in the same view, and it is the one that the rules define.</summary>
public sealed class RandomHistoriesTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    /// <summary>Orders of arrival that each history is played in.</summary>
    private const int Orders = 10;

    /// <summary>In so many of them each act is taken back again, and looked at after each.</summary>
    private const int OrdersWithUndos = 3;

    [Fact]
    public async Task Any_order_of_arrival_ends_in_the_view_that_the_rules_define() =>
        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var views = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var order = 0; order < Orders; order++)
            {
                var random = new Random(HashCode.Combine(history.Seed, order));
                var company = History.CompanyOf(stored.NextCompany(), history.Settings);
                var arrival = history.Arrival(order, company);
                var acts = new PlayedActs(stored.Store, company, history);
                var receipts = await Tell(arrival, random, acts);
                AssertReceiptsAreTrue(company, arrival, receipts, random);
                AssertView(acts, $"Order {order} of arrival ends in another view:");
                while (order < OrdersWithUndos && acts.Standing.Count > 0)
                {
                    await acts.UndoAsync(random);
                    AssertView(acts, $"Order {order}, with an act taken back, is another view:");
                }

                void AssertView(PlayedActs acts, string what)
                {
                    // The acts that stand are mostly the same in each order, and the model is asked once for them.
                    var standing = string.Join("\n  ", acts.Standing);
                    if (!views.TryGetValue(standing, out var expected))
                        views[standing] = expected = NaiveView.Of(History.CompanyOf(0, history.Settings), history.Messages, acts.Standing).ToText();
                    View.AssertEqual(expected, acts.Named(StoredView.Read(stored.Store, company, history.Stored, random).ToText()), what + "\n  " + standing);
                }
            }
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: history => history.ToString());

    [Fact]
    public async Task What_is_shown_is_right_at_once() =>
        await Histories.OfSize(16, withActs: false).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            var arrival = history.Arrival(order: 1, company);
            for (var next = 0; next < arrival.Count;)
            {
                var batch = arrival.Skip(next).Take(random.Next(1, 5)).ToList();
                await stored.Store.AppendAsync(batch);
                next += batch.Count;
                var arrived = arrival.Take(next).ToList();
                View.AssertEqual(
                    NaiveView.Of(company, arrived).ToText(),
                    StoredView.Read(stored.Store, company, [.. arrived.DistinctBy(message => (message.Order.Origin, message.EventId))], random).ToText(),
                    $"After {next} messages the view is another:");
            }
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: history => history.ToString());

    [Fact]
    public async Task A_filtered_timeline_is_the_whole_one_without_the_rest() =>
        await Gen.Select(Histories.OfSize(24, withActs: false), Histories.Filter).SampleAsync(async (history, filter) =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            await Tell(history.Arrival(order: 1, company), random);
            foreach (var (profile, events) in NaiveView.Of(company, history.Messages).Timelines)
            {
                var expected = events.Where(shown =>
                    (filter.Origin is not { } origin || shown.Source == (origin is Origin.Browser ? "client" : "server"))
                    && (filter.EventType is null || shown.EventType == filter.EventType)
                    && DateTimeOffset.Parse(shown.Timestamp).ToUnixTimeMilliseconds() is var time && time >= filter.From && time < filter.To);
                using var snapshot = stored.Store.Read();
                var shown = StoredView.Timeline(new(snapshot.Database, company), company, profile, filter, random);
                Assert.Equal(expected.Select(expected => (expected.Source, expected.EventId)), shown.Select(shown => (shown.Source, shown.EventId)));
            }
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: sample => $"{sample.Item2}\n{sample.Item1}");

    [Fact]
    public async Task Everything_derived_can_be_thrown_away_and_comes_back_the_same() =>
        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            await Tell(history.Arrival(order: 1, company), random, new PlayedActs(stored.Store, company, history));

            using var beside = stored.OpenBeside();
            var kept = DerivedRows(beside, company);
            foreach (var table in DerivedTables)
            {
                beside.BeginWrite([]);
                beside.Execute($"DELETE FROM {table.Name} WHERE company = {company.Number}");
                Rebuilder.Everything(beside, company);
                beside.Commit();
                View.AssertEqual(kept, DerivedRows(beside, company), $"Without {table.Name} it comes back otherwise:");
            }

            var persons = DerivedRows(beside, company, PersonTables);
            beside.BeginWrite([]);
            beside.Execute($"UPDATE identifier SET person = -id WHERE company = {company.Number}");
            beside.Execute($"DELETE FROM pair WHERE company = {company.Number}");
            Rebuilder.Persons(beside, company);
            beside.Commit();
            View.AssertEqual(persons, DerivedRows(beside, company, PersonTables), "Persons come back otherwise:");

            var sessions = DerivedRows(beside, company, SessionTables);
            beside.BeginWrite([]);
            beside.Execute($"UPDATE session SET first_day = -id, identified = 1 - identified WHERE company = {company.Number}");
            Rebuilder.Everything(beside, company);
            beside.Commit();
            View.AssertEqual(sessions, DerivedRows(beside, company, SessionTables), "Sessions come back otherwise:");
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: history => history.ToString());

    internal static readonly (string Name, string Columns)[] DerivedTables =
    [
        ("opening", "session, by_email, at_ms, trust, event_id, method, claim, identifier"),
        ("whole_span", "session, from_ms, to_ms, identifier, claim"),
        ("span", "session, from_ms, to_ms, identifier, claim, COALESCE(CAST(first_server_at AS text), '-'), COALESCE(CAST(last_server_at AS text), '-')"),
        ("session_day", "session, day, events, bots, first_at, last_at"),
        ("server_run", "identifier, session, first_at, first_event_id, last_at, events"),
        ("ledger_entry", "message, COALESCE(payment_id, '-'), keys, kind, refund_id, at, event_id, amount, currency, session, identifier"),
        ("payment_key", "key, message"),
    ];

    internal static readonly (string Name, string Columns)[] PersonTables = [("pair", "low, high, trust, session, at_ms, event_id, standing, CASE WHEN standing = 0 THEN -1 ELSE COALESCE(stop, -1) END"), ("identifier", "id, person, in_large_cluster, verified")];

    internal static readonly (string Name, string Columns)[] SessionTables = [("session", "id, COALESCE(CAST(first_day AS text), '-'), identified")];

    private static string DerivedRows(Database database, Company company) => DerivedRows(database, company, DerivedTables);

    internal static string DerivedRows(Database database, Company company, (string Name, string Columns)[] tables)
    {
        var text = new StringBuilder();
        foreach (var (name, columns) in tables)
        {
            using var rows = database.Use(string.Intern($"SELECT concat_ws('|', {columns.Replace("refund_id", "COALESCE(refund_id, '-')").Replace(", session, identifier", ", COALESCE(CAST(session AS text), '-'), COALESCE(CAST(identifier AS text), '-')")}) FROM {name} WHERE company = ? ORDER BY 1"));
            rows.With(company.Number);
            while (rows.Next()) text.Append(name).Append(' ').AppendLine(rows.Text(0));
        }

        return text.ToString();
    }

    /// <summary>Sends the store messages in random batches, some of which share a transaction. Each is of one side, since the two take turns in the queue: of one eventId the first has to be stored first.</summary>
    private async Task<List<Receipt>> Tell(List<Message> arrival, Random random, PlayedActs? acts = null)
    {
        var (waiting, sent) = (new List<Task<Receipt[]>>(), new HashSet<(Origin, string)>());
        for (var next = 0; next < arrival.Count;)
        {
            var batch = arrival.Skip(next).Take(random.Next(1, 9)).TakeWhile(message => message.Order.Origin == arrival[next].Order.Origin).ToList();
            // One that is sent again must not come before one that a busy store had no room for.
            if (batch.Exists(message => sent.Contains((message.Order.Origin, message.EventId)))) await Task.WhenAll(waiting);
            sent.UnionWith(batch.Select(message => (message.Order.Origin, message.EventId)));
            waiting.Add(SendAsync(batch));
            next += batch.Count;
            if (random.Next(3) == 0) await Task.WhenAll(waiting);
            if (acts is null || random.Next(2) == 0) continue;
            // What an operator does takes its turn too: what it is about has to be there.
            await Task.WhenAll(waiting);
            await acts.DoAsync(random.Next(3));
        }

        await Task.WhenAll(waiting);
        if (acts is not null) await acts.DoAsync(int.MaxValue);
        return [.. (await Task.WhenAll(waiting)).SelectMany(answers => answers)];
    }

    /// <summary>As a client does that is told to come again: how busy the machine is must not show in what is stored.</summary>
    private async Task<Receipt[]> SendAsync(List<Message> batch)
    {
        while (true)
        {
            try
            {
                return await stored.Store.AppendAsync(batch);
            }
            catch (QueueFullException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Repeats and only repeats are said to be (B10), and the id of a server session, once returned, goes on leading to the one that holds the event it was named after (B7).</summary>
    private void AssertReceiptsAreTrue(Company company, List<Message> arrival, List<Receipt> receipts, Random random)
    {
        var known = new HashSet<(Origin, string)>();
        Assert.Equal(arrival.Select(message => !known.Add((message.Order.Origin, message.EventId))), receipts.Select(receipt => receipt.Duplicate));

        using var snapshot = stored.Store.Read();
        var documents = new Documents(snapshot.Database, company);
        var anchors = arrival.DistinctBy(message => (message.Order.Origin, message.EventId)).Where(message => message.Order.Origin is Origin.Server)
            .ToDictionary(message => company.Anchor(message.Order.UnixMilliseconds, message.EventId), message => message.EventId);
        foreach (var sessionId in receipts.Select(receipt => receipt.ServerSessionId).OfType<string>().Distinct())
            Assert.Contains(StoredView.Session(documents, company, sessionId, random).Events, shown => shown.EventId == anchors[sessionId]);
        Assert.All(arrival.Zip(receipts), sent => Assert.Equal(sent.First.Order.Origin is Origin.Server, sent.Second.ServerSessionId is not null));
    }
}
