using SQLitePCL;
using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>
/// What an identify costs says nothing about the person (B15): the same statements, as often, and as many rows written, whether or not anybody knew the identifier.
/// </summary>
[EmbeddedOnly]
public sealed class AlikeTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private const string Email = "sarah@example.com";
    private const string Strange = "session of a stranger";

    private sealed record Work(string Statements, long Rows);

    [Fact]
    public void An_identify_of_an_email_that_a_webhook_has_named() => AssertAlike(company => [Messages.Webhook(company, Email, "w", type: "payment_processed", data: """{"amount":1,"orderId":"o"}""")]);

    [Fact]
    public void An_identify_of_an_email_that_another_browser_has_identified() => AssertAlike(company => [Messages.Browser(company, "hers", "e"), Messages.Identify(company, "hers", Email, "i")]);

    [Fact]
    public void An_identify_of_an_email_that_both_have_named_often() => AssertAlike(company =>
        [.. Enumerable.Range(0, 50).Select(i => Messages.Identify(company, $"hers{i}", Email, $"i{i}", Messages.Ten + i)), .. Enumerable.Range(0, 50).Select(i => Messages.Webhook(company, Email, $"w{i}"))]);

    /// <summary>A verified name stands against the stranger's, which must not take less for that.</summary>
    [Fact]
    public void An_identify_of_an_email_with_a_name_that_stays() => AssertAlike(company => [Messages.Identify(company, "hers", Email, "i", Messages.Ten + 1000) with { Trust = Trust.Verified }]);

    [Fact]
    public void An_identify_dated_before_all_that_is_known() => AssertAlike(company => [Messages.Webhook(company, Email, "w"), Messages.Identify(company, "hers", Email, "i")], at: Messages.Ten - 1_000_000);

    [Fact]
    public void An_identify_of_an_email_that_is_one_person_with_others() => AssertAlike(company =>
    [
        Messages.Webhook(company, Email, "w1") with { Named = [Identifier.Email(company, Email), Identifier.External(company, "42")] },
        Messages.Webhook(company, Email, "w2") with { Named = [Identifier.Email(company, "old@example.com"), Identifier.External(company, "42")] },
    ]);

    /// <summary>Where they hang together with others already, what hangs together is looked at anew: that is as much as it is (docs/trust.md).</summary>
    [Fact]
    public void An_identify_by_both_of_two_that_are_known_each_for_itself() => AssertAlike(
        company => [Messages.Webhook(company, Email, "w1"), Messages.Webhook(company, Email, "w2") with { Named = [Identifier.External(company, "42")] }],
        message: (company, at) => Messages.Identify(company, Strange, Email, "asked", at) with { Named = [Identifier.Email(company, Email), Identifier.External(company, "42")] });

    /// <summary>The stranger's second identify on the same session, and one by externalId.</summary>
    [Fact]
    public void An_identify_by_externalId_on_a_session_that_is_somebodys() => AssertAlike(
        company => [Messages.Webhook(company, Email, "w") with { Named = [Identifier.External(company, "42")] }],
        message: (company, _) => Messages.Identify(company, Strange, Email, "asked", Messages.Ten + 100) with { Named = [Identifier.External(company, "42")] },
        before: company => [Messages.Identify(company, Strange, "eve@example.com", "first")]);

    /// <summary>Whatever the writer has in memory: a name it has just seen, and one that it has long forgotten.</summary>
    private void AssertAlike(Func<Company, Message[]> known, long at = Messages.Ten + 100, Func<Company, long, Message>? message = null, Func<Company, Message[]>? before = null)
    {
        Work WorkOf(Func<Company, Message[]> history, bool forgotten)
        {
            using var database = stored.OpenSqlite();
            var company = Messages.Company(stored.NextCompany());
            var writer = new MessageWriter(new(database));
            Write(writer, [.. history(company), .. before?.Invoke(company) ?? []]);
            if (forgotten) writer = new(new(database));
            return Counted(database, () => Write(writer, [message?.Invoke(company, at) ?? Messages.Identify(company, Strange, Email, "asked", at)]));
        }

        foreach (var forgotten in new[] { false, true })
        {
            // The others are as many, so that the tables are as deep.
            var unknown = WorkOf(company => [.. known(company).Select(message => Renamed(company, message))], forgotten);
            var work = WorkOf(known, forgotten);
            Assert.Equal(unknown.Statements, work.Statements);
            Assert.Equal(unknown.Rows, work.Rows);
            Assert.Contains("INSERT INTO claim", work.Statements);
        }
    }

    private static Message Renamed(Company company, Message message) => message with
    {
        Named = [.. message.Named.Select(identifier => identifier.Kind is IdentifierKind.Email ? Identifier.Email(company, "x" + identifier.Value) : Identifier.External(company, "x" + identifier.Value))],
    };

    private static Work Counted(SqliteDatabase database, Action write)
    {
        Dictionary<string, long> Runs() => database.Prepared.GroupBy(statement => statement.Sql, StringComparer.Ordinal).ToDictionary(runs => runs.Key, runs => runs.Sum(statement => statement.Runs), StringComparer.Ordinal);
        var (runs, rows) = (Runs(), raw.sqlite3_total_changes(database.Handle));
        write();
        var after = Runs().Select(run => (Sql: run.Key, Runs: run.Value - runs.GetValueOrDefault(run.Key))).Where(run => run.Runs > 0);
        return new(string.Join("\n", after.OrderBy(run => run.Sql, StringComparer.Ordinal).Select(run => $"{run.Runs} × {run.Sql}")), raw.sqlite3_total_changes(database.Handle) - rows);
    }

    private static void Write(MessageWriter writer, Message[] messages)
    {
        writer.Transaction.Begin([]);
        foreach (var message in messages) writer.Append([message]);
        writer.Transaction.Commit();
    }
}
