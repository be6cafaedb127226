using TrackMate.Bind;
using TrackMate.Store.Sqlite;
using TrackMate.Store.Write;
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

        writer.Finish();
        database.Execute("COMMIT");
        Assert.Empty(database.Prepared.Where(statement => statement.Plannings > 0).Select(statement => statement.Sql));
    }

    /// <summary>A writer in its first transaction.</summary>
    private static MessageWriter Begin(SqliteDatabase database)
    {
        var writer = new MessageWriter(database);
        database.Execute("BEGIN IMMEDIATE");
        writer.Reset();
        writer.Begin();
        return writer;
    }

    /// <summary>What a message costs after others.</summary>
    private (long Runs, long Steps) CostOf(Func<Company, Message[]> before, Func<Company, Message> next)
    {
        using var database = stored.OpenSqlite();
        var company = Messages.Company(stored.NextCompany());
        var writer = Begin(database);
        writer.Append(before(company));
        writer.Finish();
        database.Execute("COMMIT");
        var (runs, steps) = (database.Prepared.Sum(statement => statement.Runs), database.Prepared.Sum(statement => statement.Steps));
        database.Execute("BEGIN IMMEDIATE");
        writer.Append([next(company)]);
        writer.Finish();
        database.Execute("COMMIT");
        return (database.Prepared.Sum(statement => statement.Runs) - runs, database.Prepared.Sum(statement => statement.Steps) - steps);
    }
}
