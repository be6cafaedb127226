using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>One company is derived anew by somebody else, which takes its time: the others of a server go on.</summary>
[OwnStore]
public sealed class HeldCompanyTests
{
    /// <summary>Two that share one of a server's writers.</summary>
    private const int Held = 1, Beside = 9;

    [Fact]
    public async Task What_is_queued_together_with_it_is_stored()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var engine = PostgresEngine.Of(schema.Connection);
        engine.Upgrade();
        using var holder = engine.Open();
        holder.BeginWrite([(Held, LockMode.Rewrite)]);
        // Time stands still for the queue, which waits for nobody without end: a slow machine is no matter here.
        var time = new FakeTimeProvider();
        var away = new UnavailableCompanies(engine, NullLogger.Instance);
        using var writer = new StoreWriter(engine, NullLogger.Instance, _ => { }, away, time: time);
        var held = writer.Queue.AppendAsync([Messages.Browser(Messages.Company(Held), "s1", "e1")]);
        var beside = writer.Queue.AppendAsync([Messages.Browser(Messages.Company(Beside), "s2", "e2")]);
        writer.Start();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => held);
        Assert.False((await beside)[0].Duplicate);
        Assert.Null(writer.Failure);
        Assert.True(away.Contains(Messages.Company(Held)));
        Assert.False(away.Contains(Messages.Company(Beside)));
        holder.Rollback();
    }

    [Fact]
    public async Task It_is_written_again_once_it_is_let_go()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var engine = PostgresEngine.Of(schema.Connection);
        using var store = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        using var holder = engine.Open();
        holder.BeginWrite([(Held, LockMode.Rewrite)]);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AppendAsync(Held, "e1"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ActAsync(Messages.Company(Held), (acts, _) => acts));

        // It waits aside now, and its neighbour does not.
        var waiting = AppendAsync(Held, "e2");
        await AppendAsync(Beside, "e3");
        holder.Rollback();
        await Record.ExceptionAsync(() => waiting);
        Assert.NotEmpty(await AppendAsync(Held, "e4"));
        Assert.NotEmpty(await AppendAsync(Held, "e1"));

        Task<Receipt[]> AppendAsync(int company, string eventId) => store.AppendAsync([Messages.Browser(Messages.Company(company), $"s{company}", eventId)]);
    }
}
