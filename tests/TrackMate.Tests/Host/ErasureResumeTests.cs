using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using TrackMate.Bind;
using TrackMate.Host;
using TrackMate.Store.Erase;
using TrackMate.Store.Sql;
using TrackMate.Tests.Running;
using TrackMate.Tests.Store;

namespace TrackMate.Tests.Host;

/// <summary>A server goes on with what was left unfinished of erasures, and does not wear the store out over what cannot be done yet.</summary>
public sealed class ErasureResumeTests
{
    private const string Gone = "TM-GONE";

    [Fact]
    public async Task Rows_go_every_minute_and_bytes_of_all_at_once_less_and_less_often_while_something_is_in_the_way()
    {
        using var own = new TemporaryStore();
        using var registry = StoreUnderTest.In(own.Folder).MakeRegistry(TimeProvider.System);
        foreach (var companyId in new[] { "TM-ONE", "TM-TWO", Gone }) await LeaveUnfinishedAsync(own, registry.AddCompany(companyId, companyId));
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        using var engine = new StubbornEngine(own.Engine, time);
        var log = new ConcurrentQueue<string>();
        var eraser = new Eraser(engine, (company, step) => company.CompanyId == Gone
            ? Task.FromException<ErasureState?>(new StoreUnavailableException("The store cannot write now; nothing of this was stored, send it again.", new IOException("the machine is gone")))
            : own.Store.EraseAsync(company, step));
        using var resume = new ErasureResume(engine, own.Store, eraser, time, new Lines<ErasureResume>(log));
        await resume.StartAsync(TestContext.Current.CancellationToken);

        int[] cleaned = [0, 1, 3, 7, 15];
        for (var minute = 0; minute <= cleaned[^1]; minute++)
        {
            if (minute > 0) time.Advance(TimeSpan.FromMinutes(1));
            // Of the company whose rows cannot be taken out it is said each time.
            var (rounds, cleanings) = (minute + 1, cleaned.Count(at => at <= minute));
            await Eventually.TrueAsync(() => Task.FromResult(log.Count(line => line.Contains(Gone, StringComparison.Ordinal)) == rounds && engine.CleanedAt.Count >= cleanings), () => string.Join('\n', log));
        }

        Assert.Equal(cleaned, engine.CleanedAt.Select(at => (int)(at - DateTimeOffset.UnixEpoch).TotalMinutes));
        Assert.Contains($"An unfinished erasure of {Gone} cannot be continued now: the machine is gone. The server tries again in a minute.", log);
        Assert.Single(log, "The erased rows of TM-ONE, TM-TWO are removed from the tables; a stone lies in the way. The server tries again, less and less often.");

        engine.IsInTheWay = false;
        time.Advance(TimeSpan.FromHours(1));
        await Eventually.TrueAsync(() => Task.FromResult(log.Contains("An unfinished erasure of TM-ONE, TM-TWO is completed: its rows and bytes are gone.")), () => string.Join('\n', log));
        Assert.Equal([Gone], own.Store.Read(ErasureWriter.Unfinished).Select(state => state.Company.CompanyId));
        await resume.StopAsync(TestContext.Current.CancellationToken);
    }

    private static async Task LeaveUnfinishedAsync(TemporaryStore own, Company company)
    {
        await own.Store.AppendAsync([Messages.Identify(company, "s", "unfinished@shop.com", "i"), .. Enumerable.Range(0, 5).Select(number => Messages.Browser(company, "s", $"e{number}"))]);
        var id = Identifier.Email(company, "unfinished@shop.com").Id;
        Assert.False((await own.Store.EraseAsync(company, erasure => erasure.Begin(company, id, new("a test", Messages.Ten, DryRun: false), suppress: false, most: 2)))!.RowsGone);
    }

    /// <summary>A store whose files cannot be cleaned for a while.</summary>
    private sealed class StubbornEngine(Engine inner, TimeProvider time) : Engine
    {
        public bool IsInTheWay { get; set; } = true;

        public ConcurrentQueue<DateTimeOffset> CleanedAt { get; } = [];

        public override string Name => inner.Name;

        public override string Place => inner.Place;

        public override string HowToFind => inner.HowToFind;

        public override string Cleaned => inner.Cleaned;

        public override string NotCleaned => "a stone lies in the way";

        public override bool HasData => inner.HasData;

        public override Database Open() => inner.Open();

        public override Database OpenWriter() => inner.OpenWriter();

        public override Database OpenReader() => inner.OpenReader();

        public override void Probe(Database writer) => inner.Probe(writer);

        public override bool IsUnavailable(Exception e) => inner.IsUnavailable(e);

        public override string RemedyOf(Exception e) => inner.RemedyOf(e);

        public override void Upgrade() => inner.Upgrade();

        public override (long Found, int Known) SchemaOf(Database database) => inner.SchemaOf(database);

        public override void Serve(Action<IReadOnlyCollection<long>> appended) => inner.Serve(appended);

        public override bool Clean(CancellationToken cancel)
        {
            CleanedAt.Enqueue(time.GetUtcNow());
            return !IsInTheWay;
        }

        public override void Dispose()
        {
        }
    }
}
