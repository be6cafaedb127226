using TrackMate.Bind;
using TrackMate.Store.Acts;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What large groups cost the writer's next message, counted in statements and in steps of SQLite's machine, so that no clock has a say.</summary>
[EmbeddedOnly]
public sealed class WriterCostTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    [Fact]
    public void A_payment_that_joins_two_groups_of_2_000_costs_what_one_of_two_groups_of_2_does()
    {
        Message Paid(Company company, string keys, int i) =>
            Messages.Webhook(company, $"payer{i}@shop.com", $"p{i}", Messages.Ten + i, "payment_processed", $$"""{"amount":5,"currency":"EUR",{{keys}}}""");

        long StepsOf(int payments) => CostOf(
            company => [.. Enumerable.Range(0, payments).Select(i => Paid(company, i % 2 == 0 ? "\"orderId\":\"order-a\"" : "\"orderId\":\"order-b\"", i))],
            company => Paid(company, "\"orderId\":\"order-a\",\"charge\":\"order-b\"", payments)).Steps;

        Assert.InRange(StepsOf(4000), 1, StepsOf(4) * 11 / 10);
    }

    /// <summary>The hundred earliest of them are a cluster, which none of the others belongs to.</summary>
    [Fact]
    public void One_more_customer_beside_everybodys_address_walks_no_cluster()
    {
        Message Named(Company company, int i) => Messages.Webhook(company, "noreply@shop.com", $"n{i}", Messages.Ten + i) with { Named = [Identifier.Email(company, "noreply@shop.com"), Identifier.External(company, $"C-{i}")] };

        var (runs, _) = CostOf(company => [.. Enumerable.Range(0, 1000).Select(i => Named(company, i))], company => Named(company, 1000));
        Assert.InRange(runs, 1, 60);
    }

    /// <summary>A claim that comes late touches its neighbours in time, however many others its session has: each shape is said by two in turn.</summary>
    [Theory]
    [InlineData("the earliest of all")]
    [InlineData("in the middle")]
    [InlineData("the latest of all")]
    [InlineData("all at one time")]
    [InlineData("one person all the time")]
    [InlineData("a webhook")]
    [InlineData("a webhook of three identifiers, all known")]
    [InlineData("before the webhooks that named its three identifiers first")]
    [InlineData("where webhooks name externalIds alone")]
    [InlineData("where webhooks name externalIds alone, the earliest of all")]
    [InlineData("where a part is un-bound")]
    [InlineData("where many claims were undone")]
    [InlineData("verified, of whom the session was all the time")]
    [InlineData("an event that is bound by the session")]
    public void A_late_claim_on_a_session_of_4_000_claims_costs_what_one_on_a_session_of_40_does(string shape)
    {
        var (few, many) = (LateClaim(shape, 40), LateClaim(shape, 4000));
        Assert.InRange(many.Runs, 1, few.Runs);
        // Trees of indexes are a level deeper.
        Assert.InRange(many.Steps, 1, few.Steps * 11 / 10);
    }

    /// <summary>The answer says which server session it is in, and that is put together of all her sessions'.</summary>
    [Fact]
    public void A_server_event_of_somebody_1_000_of_whose_sessions_have_one_costs_what_one_of_somebody_with_10_does()
    {
        const long Hour = 3_600_000;
        (long Runs, long Steps) Of(int sessions) => CostOf(
            company => [.. Enumerable.Range(0, sessions).SelectMany(i => new Message[]
            {
                Messages.Identify(company, $"s{i}", "a@shop.com", $"i{i}", Messages.Ten + i),
                Messages.Webhook(company, "", $"w{i}", Messages.Ten + (i * Hour)) with { Named = [], SessionId = $"s{i}" },
            })],
            company => Messages.Webhook(company, "a@shop.com", "late", Messages.Ten + (sessions * Hour)));

        var (few, many) = (Of(10), Of(1000));
        Assert.InRange(many.Runs, 1, few.Runs);
        Assert.InRange(many.Steps, 1, few.Steps * 11 / 10);
    }

    private (long Runs, long Steps) LateClaim(string shape, int claims)
    {
        const int Apart = 10;
        var (first, middle, last) = (Messages.Ten, Messages.Ten + (claims / 2 * Apart), Messages.Ten + ((claims - 1) * Apart));
        Identifier[] Three(Company company) => [Identifier.Email(company, "x@shop.com"), Identifier.External(company, "X"), Identifier.Bare(Identifier.External(company, "Y").Id)];
        Message Claim(Company company, int i, long at) => Messages.Identify(company, "s", shape == "one person all the time" ? "a@shop.com" : i % 2 == 0 ? "a@shop.com" : "b@shop.com", $"c{i:0000}", at);
        TrackedEvent Named(Company company, string eventId, long at, params Identifier[] named) => Messages.Webhook(company, "", eventId, at) with { Named = named, SessionId = "s" };
        IEnumerable<Message> Said(Company company, int i)
        {
            yield return Claim(company, i, shape == "all at one time" ? first : first + (i * Apart));
            if (shape.StartsWith("where webhooks", StringComparison.Ordinal)) yield return Named(company, $"w{i}", first + (i * Apart) + 5, Identifier.External(company, $"X{i % 5}"));
            if (shape.StartsWith("a webhook of three", StringComparison.Ordinal)) yield return Named(company, $"w{i}", first + (i * Apart) + 5, Three(company)) with { EventId = $"w{i}" };
            if (shape.StartsWith("before the webhooks", StringComparison.Ordinal) && i >= claims - 3) yield return Named(company, $"w{i}", first + (i * Apart) + 5, Three(company)[i - claims + 3]);
        }

        return CostOf(
            company => [.. Enumerable.Range(0, claims).SelectMany(i => Said(company, i))],
            company => shape switch
            {
                "the earliest of all" or "where webhooks name externalIds alone, the earliest of all" => Claim(company, 9999, first - 1),
                "the latest of all" => Claim(company, 9999, last + 1),
                "all at one time" => Messages.Identify(company, "s", "b@shop.com", "c0007a", first),
                "a webhook" => Named(company, "late", middle + 1, Identifier.Email(company, "a@shop.com"), Identifier.External(company, "new")),
                "a webhook of three identifiers, all known" => Named(company, "late", middle + 1, Three(company)),
                "before the webhooks that named its three identifiers first" => Named(company, "late", middle + 1, Three(company)),
                "verified, of whom the session was all the time" => (Identify)Claim(company, 9998, middle + 1) with { Trust = Trust.Verified },
                "an event that is bound by the session" => Named(company, "late", middle + 1),
                _ => Claim(company, 9999, middle + 1),
            },
            (database, writer, company) =>
            {
                if (shape == "where a part is un-bound") Assert.NotNull(new ActWriter(writer.Transaction.Database, writer.Transaction.Marks).Unbind(company, "s", middle - 25, middle + 25, new("tests", Messages.Ten, DryRun: false)).Outcome);
                if (shape != "where many claims were undone") return;
                database.Use("""
                    INSERT INTO act (company, act_id, kind, session, identifier, at_ms, actor)
                    SELECT c.company, 'undone', 7, c.session, -c.id, 0, 'tests' FROM claim c WHERE c.company = ?
                    """).With(company.Number).Run();
            });
    }

    /// <summary>Where a bound value may decide which index serves, SQLite would plan at each use.</summary>
    [Fact]
    public void No_statement_is_planned_anew_for_the_values_that_are_bound_to_it()
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var writer = Begin(database);
        for (var i = 0; i < 50; i++)
        {
            writer.Append([
                Messages.Browser(company, $"s{i % 5}", $"b{i}", Messages.Ten + i),
                Messages.Identify(company, $"s{i % 5}", $"a{i % 7}@shop.com", $"i{i}", Messages.Ten - i),
                Messages.Webhook(company, "", $"w{i}", Messages.Ten + i) with { Named = [Identifier.Email(company, $"a{i % 7}@shop.com"), Identifier.External(company, $"{i % 11}")], SessionId = $"s{i % 5}" }]);
        }

        writer.Transaction.Commit();
        Assert.Empty(database.Prepared.Where(statement => statement.Plannings > 0).Select(statement => statement.Sql));
    }

    /// <summary>A writer in its first transaction.</summary>
    private static MessageWriter Begin(SqliteDatabase database)
    {
        var writer = new MessageWriter(new(database));
        writer.Transaction.Begin([]);
        return writer;
    }

    /// <summary>What a message costs after others.</summary>
    /// <param name="act">What an operator does in between.</param>
    private (long Runs, long Steps) CostOf(Func<Company, Message[]> before, Func<Company, Message> next, Action<SqliteDatabase, MessageWriter, Company>? act = null)
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var writer = Begin(database);
        writer.Append(before(company));
        act?.Invoke(database, writer, company);
        writer.Transaction.Commit();
        var (runs, steps) = (database.Prepared.Sum(statement => statement.Runs), database.Prepared.Sum(statement => statement.Steps));
        writer.Transaction.Begin([]);
        writer.Append([next(company)]);
        writer.Transaction.Commit();
        return (database.Prepared.Sum(statement => statement.Runs) - runs, database.Prepared.Sum(statement => statement.Steps) - steps);
    }
}
