using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics.Metrics;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Host;

/// <summary>
/// The share of identified sessions among each company's browser sessions of the last thirty days. A scrape returns the last known values, and triggers a new reading in
/// the background, at most once a minute. So a machine of the store that does not answer delays no scrape.
/// </summary>
internal sealed class StitchRate : BackgroundService
{
    /// <summary>The number of UTC days, including today.</summary>
    public const int Days = 30;

    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private readonly MessageStore store;
    private readonly Registry registry;
    private readonly TimeProvider time;
    private readonly Meter meter = new(StoreMetrics.MeterName);
    private readonly SemaphoreSlim asked = new(0);
    private readonly ConcurrentDictionary<string, double> rates = new(StringComparer.Ordinal);

    public StitchRate(MessageStore store, Registry registry, TimeProvider time)
    {
        this.store = store;
        this.registry = registry;
        this.time = time;
        meter.CreateObservableGauge("trackmate.stitch.rate", Observe, description: "Browser sessions of the last 30 days that are identified, from 0 to 1, by company; none where there was no session.");
    }

    public override void Dispose()
    {
        meter.Dispose();
        asked.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await asked.WaitAsync(stoppingToken);
                foreach (var company in registry.Companies)
                {
                    stoppingToken.ThrowIfCancellationRequested();
                    Read(company);
                }

                await Task.Delay(Fresh, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping.
        }
    }

    private IEnumerable<Measurement<double>> Observe()
    {
        if (asked.CurrentCount == 0) asked.Release();
        return rates.Select(rate => new Measurement<double>(rate.Value, new KeyValuePair<string, object?>("company", rate.Key)));
    }

    private void Read(Company company)
    {
        double? rate = null;
        try
        {
            var from = UtcDay.Of(time.GetUtcNow().ToUnixTimeMilliseconds()) - Days + 1;
            rate = StitchDay.RateOf(store.Read(database => new IngestionReader(database).StitchDays(company, from), company));
        }
        catch (Exception e) when (e is StoreUnavailableException or DbException)
        {
            // The readiness check reports it, unless only this company's machine failed. The company's metric is missing meanwhile.
        }

        if (rate is { } known) rates[company.CompanyId] = known;
        else rates.TryRemove(company.CompanyId, out _);
    }
}
