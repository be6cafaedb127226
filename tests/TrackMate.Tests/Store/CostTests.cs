using System.Text;
using SQLitePCL;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What a message and a page cost, counted in rows written and in steps of SQLite's machine, so that no clock has a say.</summary>
[EmbeddedOnly]
public sealed class CostTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private const int Few = 100;
    private const int Many = 100_000;

    private sealed record Cost(long Rows, long Steps);

    /// <summary>B2: claims and spans are written, no event is touched.</summary>
    [Fact]
    public void Identify_costs_the_same_for_a_session_of_100_events_and_of_100_000()
    {
        AssertSame(CostOfIdentify(Few), CostOfIdentify(Many));
    }

    [Fact]
    public void A_back_dated_identify_on_a_shared_session_costs_the_same_too()
    {
        Cost CostOf(int events) => CostOfAppending(events, (company, session) =>
        [
            Messages.Identify(company, session, "b@shop.com", "i2", Messages.Ten + 50_000),
            Messages.Identify(company, session, "a@shop.com", "i3", Messages.Ten + 1_000),
            Messages.Webhook(company, "c@shop.com", "w", Messages.Ten + 70_000, session: session),
        ]);
        AssertSame(CostOf(Few), CostOf(Many));
    }

    /// <summary>The same rows; steps but for where in their pages the rows lie.</summary>
    private static void AssertSame(Cost few, Cost many)
    {
        Assert.Equal(few.Rows, many.Rows);
        Assert.InRange(many.Steps, few.Steps * 99 / 100, few.Steps * 101 / 100);
    }

    /// <summary>Anybody with a company_id can identify again and again: the next one must not pay for those before.</summary>
    [Fact]
    public void An_identify_and_a_webhook_cost_the_same_in_a_session_of_10_identifies_and_of_10_000()
    {
        Cost CostOf(int claims)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            var writer = Fill(database, company, "s", 1, [.. Enumerable.Range(0, claims).Select(i => Messages.Identify(company, "s", i % 2 == 0 ? "a@shop.com" : "b@shop.com", $"i{i}", Messages.Ten + i))]);
            var (rows, steps) = (raw.sqlite3_total_changes(database.Handle), database.Prepared.Sum(statement => statement.Steps));
            writer.Transaction.Begin([]);
            foreach (var message in new Message[]
            {
                Messages.Identify(company, "s", "c@shop.com", "next", Messages.Ten + 20_000),
                Messages.Webhook(company, "c@shop.com", "w1", Messages.Ten + 20_001, session: "s"),
                Messages.Webhook(company, "c@shop.com", "w2", Messages.Ten + 20_002, session: "s") with { Named = [Identifier.External(company, "42")] },
            }) writer.Append([message]);
            writer.Transaction.Commit();
            return new(raw.sqlite3_total_changes(database.Handle) - rows, database.Prepared.Sum(statement => statement.Steps) - steps);
        }

        var (few, many) = (CostOf(10), CostOf(10_000));
        Assert.Equal(few.Rows, many.Rows);
        Assert.InRange(many.Steps, 0, few.Steps * 11 / 10);
    }

    [Fact]
    public void The_first_page_and_the_totals_of_a_person_with_100_000_events_cost_no_more_than_of_one_with_100()
    {
        long StepsOf(int events)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            Fill(database, company, "s", events, [Messages.Identify(company, "s", "a@shop.com", "i"), .. Enumerable.Range(0, events / 2).Select(i => Messages.Webhook(company, "a@shop.com", $"w{i}", Messages.Ten + i))]);
            using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(stored.Folder), readOnly: true);
            var documents = new Documents(reader, company);
            var person = documents.Persons.Find(company, Identifier.Email(company, "a@shop.com").Id)!;
            Assert.Equal(50, documents.Timeline(person, new(), null, 50).Events.Count);
            Assert.Equal(50, documents.Timeline(person, new(Origin.Server), null, 50).Events.Count);
            Assert.Equal(50, documents.Timeline(person, new(Origin.Browser), null, 50).Events.Count);
            Assert.Equal(events + (events / 2) + 1, documents.Profile(person).Totals.Events);
            Assert.Equal(50, documents.Session("s", null, 50)!.Events.Count);
            return reader.Prepared.Sum(statement => statement.Steps);
        }

        // The tree of an index is a level deeper; a page is not longer for it.
        Assert.InRange(StepsOf(Many), 1, StepsOf(Few) * 11 / 10);
    }

    /// <summary>Whatever is stored, one page of a filtered timeline looks at a bounded number of events; the next ones find what is there.</summary>
    [Fact]
    public void A_page_of_a_filtered_timeline_costs_the_same_in_40_000_events_and_in_100_000()
    {
        long StepsOf(int events, TimelineFilter filter)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            Fill(database, company, "s", events, [Messages.Identify(company, "s", "a@shop.com", "i"), Messages.Browser(company, "s", "first", Messages.Ten - 1, """{"word":"needle"}""") with { Type = "rare" }]);
            using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(stored.Folder), readOnly: true);
            var timelines = new TimelineReader(reader);
            var person = new PersonReader(reader).Find(company, Identifier.Email(company, "a@shop.com").Id)!;
            var page = timelines.Page(person, filter, null, 50);
            var steps = reader.Prepared.Sum(statement => statement.Steps);
            Assert.Empty(page.Events);
            Assert.True(page.IsCut);
            var pages = 1;
            for (; page.Next is not null; pages++) page = timelines.Page(person, filter, page.Next, 50);
            Assert.Equal(["first"], page.Events.Select(found => found.EventId));
            Assert.Equal((events / 20_000) + 1, pages);
            return steps;
        }

        foreach (var filter in new TimelineFilter[] { new(EventType: "rare"), new(Words: ["needle"]) })
            Assert.InRange(StepsOf(Many, filter), 1, StepsOf(40_000, filter) * 11 / 10);
    }

    /// <summary>A device that two people share: of their many spans, those that begin after the session's last event are not asked for events.</summary>
    [Fact]
    public void A_page_opens_no_span_that_begins_after_the_last_event_of_its_session()
    {
        long RunsOf(int turns)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            var at = Messages.Ten + Few;
            Fill(database, company, "s", Few, [
                Messages.Webhook(company, "", "w", at) with { Named = [], SessionId = "s" },
                .. Enumerable.Range(0, turns).Select(turn => Messages.Identify(company, "s", turn % 2 == 0 ? "a@shop.com" : "b@shop.com", $"i{turn}", at + (turn * 3_600_000L)))]);
            using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(stored.Folder), readOnly: true);
            var documents = new Documents(reader, company);
            var person = documents.Persons.Find(company, Identifier.Email(company, "a@shop.com").Id)!;
            Assert.Equal(Few + 1, documents.Timeline(person, new(Origin.Browser), null, Few + 2).Events.Count);
            Assert.Equal(["w"], documents.Timeline(person, new(Origin.Server), null, Few).Events.Select(shown => shown.EventId));
            Assert.Equal(Few + 2, documents.Timeline(person, new(), null, Few + 2).Events.Count);
            return reader.Prepared.Sum(statement => statement.Runs);
        }

        Assert.Equal(RunsOf(turns: 2), RunsOf(turns: 200));
    }

    /// <summary>A session of many browser events and a few server ones, asked for the latter; and one that its owner's end cuts in the middle of a run.</summary>
    [Fact]
    public void Server_events_of_a_long_browser_session_are_found_without_reading_it()
    {
        long StepsOf(int events)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            Fill(database, company, "s", events, [
                Messages.Identify(company, "s", "a@shop.com", "i"),
                .. Enumerable.Range(0, 5).Select(i => Messages.Webhook(company, "a@shop.com", $"w{i}", Messages.Ten + (i * 20)) with { Named = [], SessionId = "s" }),
                Messages.Webhook(company, "", "after", Messages.Ten + (2 * Many)) with { Named = [], SessionId = "s" },
                Messages.Identify(company, "s", "b@shop.com", "i2", Messages.Ten + Many)]);
            using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(stored.Folder), readOnly: true);
            var documents = new Documents(reader, company);
            var person = documents.Persons.Find(company, Identifier.Email(company, "a@shop.com").Id)!;
            var page = documents.Timeline(person, new(Origin.Server), null, 50).Events;
            Assert.Equal(5, page.Count);
            Assert.Equal(5, documents.Session(page[0].SessionId, null, 50)!.Events.Count);
            return reader.Prepared.Sum(statement => statement.Steps);
        }

        Assert.InRange(StepsOf(Many), 1, StepsOf(Few) * 11 / 10);
    }

    [Fact]
    public void No_statement_of_receiving_or_reading_walks_a_whole_table()
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var session = "s";
        Fill(database, company, session, Few,
        [
            Messages.Identify(company, session, "a@shop.com", "i1"),
            Messages.Identify(company, session, "b@shop.com", "i2", Messages.Ten + 50),
            Messages.Webhook(company, "a@shop.com", "w1", Messages.Ten, "payment_processed", """{"amount":1,"orderId":"o"}"""),
            Messages.Webhook(company, "b@shop.com", "w2", Messages.Ten + 60, "payment_processed", """{"amount":1,"paymentId":"p"}""") with { Named = [], SessionId = session },
            Messages.Webhook(company, "a@shop.com", "w3", Messages.Ten + 10, "payment_refunded", """{"amount":1,"paymentId":"p","orderId":"o"}"""),
            Messages.Webhook(company, "a@shop.com", "w3"),
            Messages.Identify(company, session, "a@shop.com", "i1"),
        ]);

        using var reader = SqliteDatabase.Open(SqliteEngine.PathIn(stored.Folder), readOnly: true);
        var documents = new Documents(reader, company);
        foreach (var email in new[] { "a@shop.com", "b@shop.com" })
        {
            var person = documents.Persons.Find(company, Identifier.Email(company, email).Id)!;
            foreach (var origin in new Origin?[] { null, Origin.Browser, Origin.Server })
            {
                foreach (var shown in documents.Timeline(person, new(origin), null, 1000).Events) documents.Session(shown.SessionId, null, 10);
            }

            documents.Profile(person);
        }

        var ingestion = new IngestionRows(database);
        database.Execute("BEGIN IMMEDIATE");
        ingestion.Note(Messages.Webhook(company, "a@shop.com", "w3"), new(Duplicate: true, Reused: true));
        ingestion.Keep(new(company, Origin.Browser, ReceivingCall.Events, Messages.Ten, [new(null, 422, "x", new byte[1], 1, ["e1", "e2"])]), [], []);
        ingestion.Prune(company, Messages.Ten + (40L * 86_400_000));
        database.Execute("ROLLBACK");
        documents.Receipts("w3");
        documents.Receipts("e1");
        documents.Ingestion.Warnings(company, null, 10);
        documents.Ingestion.StitchDays(company, 0);
        foreach (var origin in new Origin?[] { null, Origin.Browser }) documents.Ingestion.Rejected(company, origin, null, 10);
        documents.Ingestion.Rejected(company, 1);

        var plans = new StringBuilder();
        foreach (var sql in database.Prepared.Concat(reader.Prepared).Select(statement => statement.Sql).Distinct().ToList())
        {
            // Once at a start and after a change of the registry, and tables of a few rows; who stays away is kept in memory.
            if (sql.Contains("FROM registry_version", StringComparison.Ordinal) || sql.Contains("FROM company ", StringComparison.Ordinal) || sql.Contains("FROM suppressed", StringComparison.Ordinal)) continue;
            using var plan = database.Use(string.Intern("EXPLAIN QUERY PLAN " + sql));
            var subselects = new HashSet<string>();
            while (plan.Next())
            {
                var step = plan.Text(3);
                // What a sub-select finds is read whole; how it finds that are steps of its own.
                if (step.StartsWith("CO-ROUTINE ", StringComparison.Ordinal)) subselects.Add("SCAN " + step["CO-ROUTINE ".Length..]);
                if (step.StartsWith("SCAN", StringComparison.Ordinal) && step is not "SCAN CONSTANT ROW" && !subselects.Contains(step)) plans.AppendLine($"{step} in: {sql}");
                // Half of a table, where an index knows better.
                if (step.EndsWith("(company=?)", StringComparison.Ordinal) && !step.Contains("rejected", StringComparison.Ordinal)) plans.AppendLine($"{step} in: {sql}");
                // Traits of one identifier are sorted for the few that are shown.
                if (step.Contains("TEMP B-TREE", StringComparison.Ordinal) && !sql.Contains("FROM trait", StringComparison.Ordinal) && !sql.Contains("DISTINCT", StringComparison.Ordinal)) plans.AppendLine($"{step} in: {sql}");
            }
        }

        Assert.Equal("", plans.ToString());
    }

    /// <summary>
    /// H1: people who have nothing to do with each other, named beside each other by the thousand. What a message says of joins has a bound, whatever was said before it
    /// (docs/decisions/0010).
    /// </summary>
    [Theory]
    [InlineData("agents")]
    [InlineData("desks")]
    [InlineData("everybody's address")]
    [InlineData("everybody's address, backwards")]
    [InlineData("chain")]
    [InlineData("chain, backwards")]
    [InlineData("grid")]
    [InlineData("ids")]
    [InlineData("claims")]
    public void No_message_costs_more_than_the_bound_of_joins(string shape)
    {
        const int Said = 1_500;
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        company = company with { Settings = company.Settings with { ClaimedJoins = shape == "claims" ? ClaimedJoins.New : ClaimedJoins.All } };
        var writer = Fill(database, company, "s", 0, []);
        var random = new Random(3);
        Identifier Email(object name) => Identifier.Email(company, $"{name}@shop.com");
        Identifier External(object name) => Identifier.External(company, $"x{name}");
        (long At, Identifier[] Named) Next(int i) => shape switch
        {
            "agents" => (random.Next(1_000_000), [Email(random.Next(400)), External(random.Next(12))]),
            "desks" => (random.Next(1_000_000), [Email(random.Next(3_000)), External(random.Next(100))]),
            "everybody's address" => (i, [Email("noreply"), External(i)]),
            "everybody's address, backwards" => (-i, [Email("noreply"), External(i)]),
            "chain" => (i, [Email(i / 2), External((i + 1) / 2)]),
            "chain, backwards" => (-i, [Email(i / 2), External((i + 1) / 2)]),
            "grid" => (random.Next(1_000_000), [Email(random.Next(30)), External(random.Next(30))]),
            "ids" => (random.Next(1_000_000), [Identifier.Bare(Email("unknown" + random.Next(200)).Id), Email(random.Next(60)), External(random.Next(30))]),
            _ => (random.Next(1_000_000), [Email(random.Next(20)), External(random.Next(300))]),
        };

        writer.Transaction.Begin([]);
        var (mostRuns, mostSteps) = (0L, 0L);
        for (var i = 0; i < Said; i++)
        {
            var (at, named) = Next(i);
            Message message = shape == "claims" && i % 10 != 0
                ? Messages.Identify(company, "s" + i, "", "m" + i, Messages.Ten + at) with { Named = named }
                : Messages.Webhook(company, "", "m" + i, Messages.Ten + at) with { Named = named };
            var (runs, steps) = (database.Prepared.Sum(statement => statement.Runs), database.Prepared.Sum(statement => statement.Steps));
            writer.Append([message]);
            (mostRuns, mostSteps) = (Math.Max(mostRuns, database.Prepared.Sum(statement => statement.Runs) - runs), Math.Max(mostSteps, database.Prepared.Sum(statement => statement.Steps) - steps));
        }

        writer.Transaction.Rollback();
        TestContext.Current.TestOutputHelper?.WriteLine($"{shape}: at most {mostRuns} statements and {mostSteps} steps for a message");
        Assert.InRange(mostRuns, 1, 1_500);
        Assert.InRange(mostSteps, 1, 100_000);
    }

    /// <summary>What a transaction's messages say is derived once for all of them.</summary>
    [Fact]
    public void A_batch_of_500_that_name_12_agents_and_400_customers_costs_some_forty_statements_a_message()
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var writer = Fill(database, company, "s", 0, []);
        var random = new Random(5);
        Message[] batch = [.. Enumerable.Range(0, 500).Select(i => Messages.Webhook(company, "", "m" + i, Messages.Ten + random.Next(1_000_000)) with
        {
            Named = [Identifier.Email(company, $"customer{random.Next(400)}@shop.com"), Identifier.External(company, "agent" + random.Next(12))],
        })];
        writer.Transaction.Begin([]);
        var runs = database.Prepared.Sum(statement => statement.Runs);
        writer.Append(batch);
        var said = database.Prepared.Sum(statement => statement.Runs) - runs;
        writer.Transaction.Rollback();
        // Most of them are the message's own: its row, its names, its claim, its pair, its run, its answer.
        Assert.InRange(said, 1, 500 * 50);
    }

    private Cost CostOfIdentify(int events) => CostOfAppending(events, (company, session) => [Messages.Identify(company, session, "a@shop.com", "i")]);

    private Cost CostOfAppending(int events, Func<Company, string, Message[]> messages)
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var writer = Fill(database, company, "s", events, []);
        var (rows, steps) = (raw.sqlite3_total_changes(database.Handle), database.Prepared.Sum(statement => statement.Steps));
        writer.Transaction.Begin([]);
        foreach (var message in messages(company, "s")) writer.Append([message]);
        writer.Transaction.Commit();
        return new(raw.sqlite3_total_changes(database.Handle) - rows, database.Prepared.Sum(statement => statement.Steps) - steps);
    }

    /// <summary>A session with so many browser events, a millisecond apart, and then some more messages, in one transaction.</summary>
    private static MessageWriter Fill(SqliteDatabase database, Company company, string session, int events, Message[] more)
    {
        var writer = new MessageWriter(new(database));
        writer.Transaction.Begin([]);
        for (var i = 0; i < events; i++) writer.Append([Messages.Browser(company, session, $"e{i}", Messages.Ten + i)]);
        foreach (var message in more) writer.Append([message]);
        writer.Transaction.Commit();
        return writer;
    }
}
