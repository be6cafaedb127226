using System.Diagnostics.Metrics;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Read;
using TrackMate.Store.Write;

namespace TrackMate.Host;

/// <summary>The share of each company's browser sessions of the last thirty days that are somebody's, for whoever scrapes; read again once a minute at most.</summary>
internal sealed class StitchRate : IHostedService, IDisposable
{
    /// <summary>UTC days, today among them.</summary>
    public const int Days = 30;

    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private readonly MessageStore store;
    private readonly Registry registry;
    private readonly TimeProvider time;
    private readonly Meter meter = new(StoreMetrics.MeterName);
    private readonly Lock gate = new();
    private IReadOnlyList<Measurement<double>> rates = [];
    private DateTimeOffset readAt = DateTimeOffset.MinValue;

    public StitchRate(MessageStore store, Registry registry, TimeProvider time)
    {
        this.store = store;
        this.registry = registry;
        this.time = time;
        meter.CreateObservableGauge("trackmate.stitch.rate", Observe, description: "Browser sessions of the last 30 days that are identified, from 0 to 1, by company; none where there was no session.");
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<double>> Observe()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (now - readAt >= Fresh || now < readAt) (rates, readAt) = (Read(now), now);
            return rates;
        }
    }

    private List<Measurement<double>> Read(DateTimeOffset now)
    {
        var from = DayCounters.DayOf(now.ToUnixTimeMilliseconds()) - Days + 1;
        var read = new List<Measurement<double>>();
        foreach (var company in registry.Companies)
        {
            try
            {
                if (StitchDay.RateOf(store.Read(database => new IngestionReader(database).StitchDays(company, from), company)) is { } rate)
                    read.Add(new(rate, new KeyValuePair<string, object?>("company", company.CompanyId)));
            }
            catch (StoreUnavailableException)
            {
                // The ready check says so, unless it is only the machine that this company lies on; here its metric is missing meanwhile.
            }
        }

        return read;
    }
}
