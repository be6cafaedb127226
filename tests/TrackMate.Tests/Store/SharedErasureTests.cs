using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>An erasure beside another server that is about to write.</summary>
[OwnStore]
public sealed class SharedErasureTests
{
    /// <summary>Transactions on this schema that wait for another's lock of a company.</summary>
    private const string Waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = (CAST(hashtext(current_schema()) AS bigint) & 4294967295)::oid";

    /// <summary>The same on Citus, where the locks of a company lie on its worker.</summary>
    private const string WaitingOnWorkers = """
        SELECT COALESCE(SUM(result::bigint), 0) FROM run_command_on_workers(format(
          'SELECT COUNT(*) FROM pg_locks WHERE locktype = ''advisory'' AND NOT granted AND classid = %s', CAST(hashtext(current_schema()) AS bigint) & 4294967295))
        """;

    private static bool IsOnCitus => Environment.GetEnvironmentVariable("TRACKMATE_TEST_CITUS") is not null;

    [Fact]
    public async Task What_another_server_has_numbered_but_not_committed_is_looked_through_too()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        var engine = PostgresEngine.Of(schema.Connection);
        using var store = MessageStore.Open(engine, NullLogger.Instance);
        var company = History.CompanyOf(1, new());
        var sarah = Identifier.Email(company, "sarah@example.com");
        await store.AppendAsync([Messages.Webhook(company, "sarah@example.com", "evt_1")]);

        using var other = engine.Open();
        other.BeginWrite([(company.Number, LockMode.Append)]);
        Refuse(other, company, "about sarah@example.com");
        using (var third = engine.Open())
        {
            third.BeginWrite([(company.Number, LockMode.Append)]);
            Refuse(third, company, "about nobody");
            third.Commit();
        }

        var erasing = new Eraser(engine, store.EraseAsync).EraseRowsAsync(company, sarah.Id, new("a test", Messages.Ten, DryRun: false), suppress: false);
        using var watcher = engine.Open();
        await Eventually.TrueAsync(() => Task.FromResult(Number(watcher, IsOnCitus ? WaitingOnWorkers : Waiting) > 0), () => "The erasure waits for nobody.");
        other.Commit();

        Assert.Equal(1, (await erasing)!.Erased.Rejected);
        Assert.Equal(1, Number(watcher, "SELECT COUNT(*) FROM rejected"));
    }

    private static void Refuse(Database database, Company company, string body) =>
        database.Use("INSERT INTO rejected (company, origin, call, event_id, received_ms, status, detail, envelope, agent, size, kept, body) VALUES (?, 1, 1, NULL, 0, 400, 'bad', NULL, NULL, 1, 1, ?)")
            .With(company.Number).WithBlob(Encoding.UTF8.GetBytes(body)).RunForNumber();

    private static long Number(Database database, string sql)
    {
        using var number = database.Use(sql);
        number.Next();
        return number.Long(0);
    }
}
